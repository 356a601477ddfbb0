package devattach

// The actions of a `zr dev` that change nothing.
const (
	Examine Action = "examine" // nothing → Findings, of its machine, its project and its cluster
	Propose Action = "propose" // Folder → Proposal
)

// Findings are what was looked at, the machine first.
type Findings struct {
	Findings []Finding `json:"findings"`
}

// Finding is one thing that was looked at, and how it is.
type Finding struct {
	Name    string `json:"name" doc:"What was looked at: container engine, cluster, images, port 3000, secrets, clock, network policies …"`
	Status  string `json:"status" enum:"ok,warn,fail" doc:"warn: zr works, with what the detail says. fail: it would not."`
	Detail  string `json:"detail"`
	Hint    string `json:"hint,omitempty" doc:"What mends it, in words."`
	Command string `json:"command,omitempty" doc:"The line that mends it, for a terminal of that machine."`
}

// Folder is one of a project, with the sources of a service to be.
type Folder struct {
	Folder string `json:"folder"` // relative to the project's
}

// Proposal is what makes a service of a folder. Nothing of it is written.
type Proposal struct {
	Service string    `json:"service" doc:"What the service is called."`
	Kind    string    `json:"kind" enum:"go,node,dockerfile" doc:"How its image is built."`
	Because string    `json:"because" doc:"What in the folder says so."`
	Port    int       `json:"port" doc:"Where it listens, as far as its sources say."`
	Edits   []Snippet `json:"edits" doc:"What to write where."`
}

// Snippet is a text for a file of the project.
type Snippet struct {
	File  string `json:"file" doc:"Relative to the project's folder."`
	New   bool   `json:"new" doc:"The text is all of a file that does not exist yet."`
	Under string `json:"under,omitempty" doc:"The key of an existing file below which the text goes, at its end."`
	Text  string `json:"text"`
}
