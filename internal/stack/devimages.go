package stack

import (
	"context"
	"reflect"
	"slices"

	"zr/pkg/build"
)

// rebuild makes the image of the service called anew, and those that were not
// built yet as they are described now. What the others' sources have become
// since, their agents are sent: an apply does not wait for their compilers, and
// one that does not compile keeps nobody from applying.
func (p *project) rebuild(ctx context.Context, before made, anew string) (made, error) {
	var due []build.Request
	requests := p.images()
	results := make([]build.Result, len(requests))
	for i, r := range requests {
		at := slices.IndexFunc(before.requests, func(b build.Request) bool { return reflect.DeepEqual(b, r) })
		if at < 0 || r.Service == anew {
			due = append(due, r)
			continue
		}
		results[i] = before.results[at]
	}
	fresh, err := build.All(ctx, p.builder(), due, build.Parallel{Sink: p.sink, Step: stepBuild})
	if err != nil {
		return made{}, err
	}
	for _, result := range fresh {
		at := slices.IndexFunc(requests, func(r build.Request) bool { return r.Service == result.Service && r.Mode == result.Mode })
		results[at] = result
	}
	return made{results: results, requests: requests}, nil
}

// keepRunning has the services go on with the dev images that their pods were
// made from, where what was built is the same but for its sources. So a pod is
// replaced by an apply only where its template says something else.
func (p *project) keepRunning(ctx context.Context, on *connection, built made) (made, error) {
	running, err := on.deployer.DevImages(ctx, p.rendered)
	if err != nil {
		return made{}, err
	}
	results, names := slices.Clone(built.results), map[string]string{}
	for i, r := range results {
		if built.requests[i].Mode != build.Dev {
			continue
		}
		if name := running[r.Service]; name != "" {
			kept, ok, err := p.deps(nil).Running(ctx, r, name)
			if err != nil {
				return made{}, err
			}
			if ok {
				results[i] = kept
			}
		}
		names[r.Service] = results[i].Name
	}
	p.rendered.PinDev(names)
	return made{results: results, requests: built.requests}, nil
}
