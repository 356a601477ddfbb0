package contract

import "time"

// SessionCookie is the name of the cookie that holds a session.
const SessionCookie = "zr_session"

// Role is what a caller may do. Each may do what those before it may.
type Role string

// The roles.
const (
	Anybody  Role = ""         // who can reach the api
	Guest    Role = "guest"    // reads what READERS=anybody opens; otherwise a viewer does
	Viewer   Role = "viewer"   // reads
	Operator Role = "operator" // also changes what runs
)

// Covers says whether a caller of this role may do what wants the other one.
func (r Role) Covers(wanted Role) bool { return r.rank() >= wanted.rank() }

func (r Role) rank() int {
	switch r {
	case Operator:
		return 2
	case Viewer:
		return 1
	}
	return 0
}

// Class is a kind of routes that have the same limits.
type Class int

// The classes.
const (
	Probe  Class = iota // asked every second by the kubelet, and never refused
	Read                // a page that polls
	Form                // a change that somebody asks for
	Login               // a secret that somebody may guess
	Stream              // stays open for as long as somebody watches
)

// Limits bound the requests of a class.
type Limits struct {
	// Time is what the whole request may take; 0 means for ever.
	Time time.Duration
	// Body is how many bytes a request may send.
	Body int64
	// Rate is how many requests a caller may send in a second, and Burst how
	// many at once; 0 means any number.
	Rate  float64
	Burst int
	// Open is how many requests of a caller may be open at once; 0 means any
	// number.
	Open int
}

var limits = map[Class]Limits{
	Probe: {Time: 5 * time.Second, Body: 1 << 10},
	// The frontend asks for all of its browsers from one address.
	Read: {Time: 5 * time.Second, Body: 1 << 10, Rate: 200, Burst: 400},
	// A change is answered when it has taken effect.
	Form:  {Time: 60 * time.Second, Body: 64 << 10, Rate: 5, Burst: 20},
	Login: {Time: 5 * time.Second, Body: 4 << 10, Rate: 2, Burst: 10},
	// The frontend opens the streams of all of its browsers from one address. Each
	// takes some 100 KiB.
	Stream: {Body: 1 << 10, Rate: 5, Burst: 20, Open: 256},
}

// Limits returns the limits of a class.
func (c Class) Limits() Limits { return limits[c] }

// answerMargin is kept of the time of a request that acts, for its answer and its record.
const answerMargin = 5 * time.Second

// Acting is how long a request of a class may act.
func (c Class) Acting() time.Duration { return c.Limits().Time - answerMargin }
