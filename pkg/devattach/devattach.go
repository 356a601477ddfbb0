// Package devattach is what zr and the api of an environment say to each other while a
// `zr up` or a `zr dev` runs. zr opens a WebSocket at Path, says who it is, tells what
// happens, and does what it is asked. Each message is one frame of JSON: a Frame from
// zr, an Order from the api.
package devattach

import (
	"encoding/json"
	"time"
)

// Path is where zr comes to. The parameter environment names the namespace.
const Path = "/api/v1/dev/attach"

// MaxFrame bounds a message, in bytes, either way.
const MaxFrame = 4 << 20

// PingEvery is how often each end asks whether the other is there. One that does not
// answer within PingWithin is gone.
const (
	PingEvery  = 2 * time.Second
	PingWithin = 4 * time.Second
)

// MaxFolder bounds the path of a project, in bytes: what Linux bounds one at.
const MaxFolder = 4096

// MaxText bounds each text of an event, in bytes, and MaxPaths the files that a trace
// names: a compiler may say megabytes, and a checkout may change every file.
const (
	MaxText  = 16 << 10
	MaxPaths = 50
)

// The verbs of a Hello.
const (
	Up  = "up"
	Dev = "dev"
)

// Frame is what zr says. One field of it is set.
type Frame struct {
	Hello  *Hello  `json:"hello,omitempty"` // of the first frame of a connection
	Events []Event `json:"events,omitempty"`
	Answer *Answer `json:"answer,omitempty"`
}

// Order is what the api says. One field of it is set.
type Order struct {
	Request *Request `json:"request,omitempty"`
	Stored  int64    `json:"stored,omitempty"` // the Seq up to which events are stored, and need not be told again
	Again   bool     `json:"again,omitempty"`  // the events told last were not stored: tell them again later
}

// Hello says who comes.
type Hello struct {
	Run     string    `json:"run"`     // names the run; the same on each of its connections
	Verb    string    `json:"verb"`    // "up" or "dev"
	User    string    `json:"user"`    // who runs it
	Machine string    `json:"machine"` // where
	Folder  string    `json:"folder"`  // of the project there; absolute
	Process int       `json:"process"`
	Since   time.Time `json:"since"`   // when the run began
	Actions []Action  `json:"actions"` // what it can be asked for, sorted
}

// Event is a value of zr/pkg/event. Seq counts those of a run from 1.
type Event struct {
	Seq  int64           `json:"seq"`
	At   time.Time       `json:"at"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// Request asks for an action. ID names it on this connection.
type Request struct {
	ID       int64           `json:"id"`
	Action   Action          `json:"action"`
	Argument json.RawMessage `json:"argument,omitempty"` // of the type that the action takes
}

// Answer is what came of a Request.
type Answer struct {
	ID     int64           `json:"id"`
	Result json.RawMessage `json:"result,omitempty"` // of the type that the action gives
	Failed *Failure        `json:"failed,omitempty"` // nil where it was done
}

// Failure says why a request was not done. It is an error.
type Failure struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

// Error returns the text.
func (f *Failure) Error() string { return f.Text }

// Code tells failures apart.
type Code string

// The codes.
const (
	NotFound Code = "not_found" // there is no such service
	Conflict Code = "conflict"  // not now, or not like this: the text says why
	Failed   Code = "failed"    // it was tried
)

// Action is something that a zr can be asked for.
type Action string

// The actions of a `zr dev`. Each is answered when it is done.
const (
	Rebuild Action = "rebuild" // a Service → the event.Reload that made it live
	Restart Action = "restart" // a Service → the event.Reload of the process that was started
	Apply   Action = "apply"   // nothing → the event.Reload after which everything is healthy

	Configure Action = "configure" // Settings → SettingsWritten, when what the save led to has ended
)

// Service is what an action takes that is about one service.
type Service struct {
	Service string `json:"service"`
}

// Settings are what an environment is to have. They are a Conflict where the file of the
// project does not have those from before, and where something else than it has given
// the cluster its settings. After a Failure the file is as it was.
type Settings struct {
	Before   map[string]string `json:"before"`   // all that the cluster has
	Source   string            `json:"source"`   // where it has them from
	Settings map[string]string `json:"settings"` // all of them
	Revision int64             `json:"revision"`
	Author   string            `json:"author"`
	Reason   string            `json:"reason"`
}

// SettingsWritten says that a file has them.
type SettingsWritten struct {
	File   string   `json:"file"`             // relative to the project's folder
	Keys   []string `json:"keys"`             // that differed, sorted
	Failed string   `json:"failed,omitempty"` // why they could not be applied, or did not get healthy; empty where they did
}
