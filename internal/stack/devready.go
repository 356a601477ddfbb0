package stack

import "zr/internal/devloop"

// readiness says once that everything is up: what was applied is healthy, and
// every container runs what is saved. It belongs to the loop's goroutine.
type readiness struct {
	waits map[string]bool // units whose first run has not ended well yet
	say   func()          // nil once it was said
}

// expect waits for the first runs of units, in place of those before.
func (r *readiness) expect(units []devloop.Unit) {
	r.waits = map[string]bool{}
	for _, u := range units {
		if _, ok := u.(devloop.Starter); ok {
			r.waits[u.Name()] = true
		}
	}
}

// ended takes the end of a run.
func (r *readiness) ended(unit string, err error) {
	if err != nil {
		return
	}
	delete(r.waits, unit)
	if len(r.waits) == 0 && r.say != nil {
		r.say()
		r.say = nil
	}
}
