// Package event says what happened, as typed values. Stages emit events and
// never choose words or colours; internal/ui, the JSON output, the dashboard
// and the tests all read the same stream.
package event

import "time"

// Event is one of the types of this package. Type is the stable name that the
// JSON stream carries, for example "step.done".
type Event interface{ Type() string }

// Sink takes events. Emit returns quickly, may drop what a slow reader cannot
// take, and is safe for concurrent use.
type Sink interface{ Emit(Event) }

// SinkFunc lets a function be a Sink. The function must be safe for
// concurrent use.
type SinkFunc func(Event)

// Emit calls f.
func (f SinkFunc) Emit(e Event) { f(e) }

// Discard is the Sink of callers that do not listen.
var Discard Sink = SinkFunc(func(Event) {})

// StepStarted opens a named step of a run. Deadline is zero where the step
// has none. Steps of one run may overlap; Step tells them apart.
type StepStarted struct {
	Step     string    `json:"step"`
	Title    string    `json:"title"`
	Deadline time.Time `json:"deadline,omitzero"`
}

// StepProgress says how far a step is. Total is 0 where it is not known. Unit
// is "bytes", "packages", "services" or what else Done counts; Detail is what
// is being worked on now.
type StepProgress struct {
	Step   string `json:"step"`
	Done   int64  `json:"done"`
	Total  int64  `json:"total,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// StepDone closes a step that succeeded. Unchanged says that there was
// nothing to do; Detail is the outcome in a few words.
type StepDone struct {
	Step      string        `json:"step"`
	Took      time.Duration `json:"took"`
	Unchanged bool          `json:"unchanged,omitempty"`
	Detail    string        `json:"detail,omitempty"`
}

// StepFailed closes a step that failed or was cancelled.
type StepFailed struct {
	Step  string        `json:"step"`
	Took  time.Duration `json:"took"`
	Error string        `json:"error"`
	Hint  string        `json:"hint,omitempty"`
	// Cancelled tells that the step did not get to its end because the run
	// ended: by Ctrl-C, or since another step failed.
	Cancelled bool `json:"cancelled,omitempty"`
}

// Notice is something that the user should know and that is not a failure: a
// condition of the host that was worked around, a default that was taken.
type Notice struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// State is what a service is doing, as the gate and the dev loop see it.
type State string

// The states of a service.
const (
	Pending   State = "pending"   // not asked yet, or waits for a dependency
	Starting  State = "starting"  // its pods come up
	Healthy   State = "healthy"   // it answers its probe
	Unhealthy State = "unhealthy" // it ran out of time, or it stopped answering
	Stopped   State = "stopped"   // it is not meant to run: nobody is there to be asked
	Building  State = "building"  // a save is being built
	Reloading State = "reloading" // a save is being made live
	Removed   State = "removed"   // no manifest has it any more
	Applied   State = "applied"   // of the manifests: the cluster says what they say
	Failed    State = "failed"    // what was saved last could not be applied or deployed; what ran before stays
)

// ServiceState says that a service changed state. Reason says why it is not
// healthy. Build is the hash of the code that it runs, where that is known.
type ServiceState struct {
	Service string `json:"service"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Build   string `json:"build,omitempty"`
}

// ServiceWritten says that this run has changed the workload of a service in the cluster,
// and when the API server noted that, by its clock.
type ServiceWritten struct {
	Service string    `json:"service"`
	Kind    string    `json:"kind"` // "Deployment", "StatefulSet", "DaemonSet" or "Job"
	Written time.Time `json:"written"`
}

// LogLine is one line that a container wrote. Level is "debug", "info",
// "warning", "error", or empty where the line does not say.
type LogLine struct {
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`
	Pod       string    `json:"pod"`
	Container string    `json:"container"`
	Level     string    `json:"level,omitempty"`
	Text      string    `json:"text"`
}

// Skipped says that a reader could not keep up and N log lines of a service
// were left out.
type Skipped struct {
	Service string `json:"service,omitempty"`
	N       int    `json:"n"`
}

// Action is what a save leads to.
type Action string

// The actions of the dev loop, from the cheapest to the dearest.
const (
	Ignore  Action = "ignore"  // no service is made from this path
	Sync    Action = "sync"    // files only: the process picks them up
	Restart Action = "restart" // build on the host, swap the process
	Rebuild Action = "build"   // what the image is made from changed
	Apply   Action = "apply"   // manifests, settings or secrets changed
)

// Reload is the trace of one batch of saves for one service, emitted when it
// is live, when it was sent and no more can be known, or when it failed. The
// durations follow each other; a zero one did not happen. Bytes is what
// travelled to the container.
type Reload struct {
	Service string   `json:"service"`
	Action  Action   `json:"action"`
	Paths   []string `json:"paths"` // relative to the project, with slashes
	Build   string   `json:"build,omitempty"`
	Bytes   int64    `json:"bytes"`

	Saved   time.Time     `json:"saved"`   // when the last file event of the batch came
	Noticed time.Duration `json:"noticed"` // save → the batch was closed
	Built   time.Duration `json:"built"`
	Sent    time.Duration `json:"sent"`
	Swapped time.Duration `json:"swapped"`
	Healthy time.Duration `json:"healthy"`

	// OnlySent says that the files are in place in the container, and nothing
	// shows whether the process has read them since.
	OnlySent bool `json:"onlySent,omitempty"`
	// Error is empty when the save is live, or only sent. RolledBack says that
	// the last good version answers again.
	Error      string `json:"error,omitempty"`
	RolledBack bool   `json:"rolledBack,omitempty"`
}

// Problem is a fault of the user's code or configuration that stands until it
// is fixed: a compile error, a broken manifest. Cleared ends it.
type Problem struct {
	Source  string `json:"source"` // the service, or the file
	Text    string `json:"text"`   // what the compiler or validator said, with file:line
	Cleared bool   `json:"cleared,omitempty"`
}

// Ready closes a run of up: where to go now.
type Ready struct {
	Endpoints map[string]string `json:"endpoints"` // service → URL on this machine
	// Login is a link that logs the user in to the dashboard, once and for a few
	// minutes only, where a service takes such links.
	Login string        `json:"login,omitempty"`
	Took  time.Duration `json:"took"`
	Next  string        `json:"next,omitempty"` // the command to type next
}

// Failure is the last word of a run that failed: what happened, what can be done
// about it, and the exit code of zr. A run may have several.
type Failure struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	Code  int    `json:"code"`
}

// Type returns the name of the event in the JSON stream.
func (StepStarted) Type() string    { return "step.started" }
func (StepProgress) Type() string   { return "step.progress" }
func (StepDone) Type() string       { return "step.done" }
func (StepFailed) Type() string     { return "step.failed" }
func (Notice) Type() string         { return "notice" }
func (ServiceState) Type() string   { return "service.state" }
func (ServiceWritten) Type() string { return "service.written" }
func (LogLine) Type() string        { return "log" }
func (Skipped) Type() string        { return "log.skipped" }
func (Reload) Type() string         { return "reload" }
func (Problem) Type() string        { return "problem" }
func (Ready) Type() string          { return "ready" }
func (Failure) Type() string        { return "error" }
