package build

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"zr/pkg/event"
)

// Parallel says how All runs.
type Parallel struct {
	// Jobs is how many builds run at once. Default: DefaultJobs.
	Jobs int
	Sink event.Sink
	Step string // the step that progress belongs to
}

// DefaultJobs is one build for each two cores, since a compiler keeps about that
// many busy, but at least two, since a package manager mostly waits for the
// network.
func DefaultJobs() int { return max(2, runtime.NumCPU()/2) }

// All makes the images of several services. The first failure ends the other
// builds; the error then has every failure that is not of that cancellation.
// Results are in the order of the requests.
func All(ctx context.Context, b Builder, requests []Request, p Parallel) ([]Result, error) {
	if p.Jobs <= 0 {
		p.Jobs = DefaultJobs()
	}
	if p.Sink == nil {
		p.Sink = event.Discard
	}
	results := make([]Result, len(requests))
	var failures failures
	var done progress
	building, cancel := context.WithCancel(ctx)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(p.Jobs)
	for i, request := range requests {
		group.Go(func() error {
			if err := building.Err(); err != nil {
				return err
			}
			p.Sink.Emit(done.started(p.Step, len(requests), request.Service))
			result, err := b.Build(building, request)
			if err != nil {
				failures.add(err)
				cancel()
				return err
			}
			results[i] = result
			p.Sink.Emit(done.finished(p.Step, len(requests), request.Service))
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return results, context.Cause(ctx)
	}
	if all := failures.join(); all != nil {
		return results, all
	}
	return results, err
}

// failures keeps what went wrong by itself.
type failures struct {
	mu   sync.Mutex
	errs []error
}

func (f *failures) add(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

func (f *failures) join() error {
	if len(f.errs) == 1 {
		return f.errs[0]
	}
	return errors.Join(f.errs...)
}

// progress counts finished builds.
type progress struct {
	mu sync.Mutex
	n  int64
}

func (p *progress) started(step string, total int, service string) event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return event.StepProgress{Step: step, Done: p.n, Total: int64(total), Unit: "images", Detail: "building " + service}
}

func (p *progress) finished(step string, total int, service string) event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return event.StepProgress{Step: step, Done: p.n, Total: int64(total), Unit: "images", Detail: "built " + service}
}
