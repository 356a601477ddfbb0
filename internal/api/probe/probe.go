// Package probe measures the health of what the api itself depends on.
package probe

import (
	"context"
	"sync"
	"time"

	"zr/internal/api/latest"
	"zr/internal/api/reason"
)

// Deadline is what one round of checks may take. The kubelet's own deadline
// is longer, so that it reads the reason instead of seeing a timeout.
const Deadline = time.Second

// How long a round is handed out before the next. A bad one is short-lived,
// so that recovery shows within a few milliseconds; a good one still means
// that no number of probes asks the databases more than four times a second. Who
// asks at least every second is given a good one while the next is made, so that
// /health is quick however busy the databases are.
const (
	keepGood  = 250 * time.Millisecond
	keepBad   = 20 * time.Millisecond
	meanwhile = time.Second
)

// The statuses of a Result.
const (
	OK   = "ok"
	Down = "down"
)

// Check asks one dependency; nil means that it can be used.
type Check func(context.Context) error

// Result is the answer of one dependency.
type Result struct {
	Status    string  `json:"status" enum:"ok,down"`
	LatencyMS float64 `json:"latencyMs"`
	// Reason is one of the fixed words of package reason.
	Reason string `json:"reason,omitempty"`
}

// Round is what all checks answered at one time.
type Round map[string]Result

// Good says whether every dependency answered.
func (r Round) Good() bool {
	for _, result := range r {
		if result.Status != OK {
			return false
		}
	}
	return true
}

// Set is a set of named checks that run in parallel and whose results are
// shared by everybody who asks. It is safe for concurrent use.
type Set struct {
	checks map[string]Check
	rounds *latest.Value[Round]
}

// NewSet returns the Set of checks.
func NewSet(checks map[string]Check) *Set {
	s := &Set{checks: checks}
	s.rounds = latest.New(Deadline, s.ask, func(r Round) time.Duration {
		if r.Good() {
			return keepGood
		}
		return keepBad
	}).Meanwhile(func(r Round) time.Duration {
		if r.Good() {
			return meanwhile
		}
		return 0
	})
	return s
}

// Round returns the latest results. The map is shared: do not change it.
func (s *Set) Round(ctx context.Context) (Round, error) { return s.rounds.Get(ctx) }

func (s *Set) ask(ctx context.Context) Round {
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		round = make(Round, len(s.checks))
	)
	for name, check := range s.checks {
		wg.Go(func() {
			result := ask(ctx, check)
			mu.Lock()
			defer mu.Unlock()
			round[name] = result
		})
	}
	wg.Wait()
	return round
}

// ask gives up with ctx even where check does not: a client that hangs must
// not make /health hang.
func ask(ctx context.Context, check Check) Result {
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- check(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r := Result{Status: OK, LatencyMS: milliseconds(time.Since(begin))}
	if err != nil {
		r.Status, r.Reason = Down, reason.Of(err)
	}
	return r
}

// milliseconds rounds to microseconds: more is noise.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
