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
func (s *Stack) rebuild(ctx context.Context, anew string) error {
	var due []build.Request
	requests := s.images()
	results := make([]build.Result, len(requests))
	for i, r := range requests {
		at := slices.IndexFunc(s.builtOf, func(before build.Request) bool { return reflect.DeepEqual(before, r) })
		if at < 0 || r.Service == anew {
			due = append(due, r)
			continue
		}
		results[i] = s.built[at]
	}
	made, err := build.All(ctx, s.builder(), due, build.Parallel{Sink: s.sink, Step: stepBuild})
	if err != nil {
		return err
	}
	for _, result := range made {
		at := slices.IndexFunc(requests, func(r build.Request) bool { return r.Service == result.Service && r.Mode == result.Mode })
		results[at] = result
	}
	s.built, s.builtOf = results, requests
	return nil
}

// keepRunning has the services go on with the dev images that their pods were
// made from, where what was built is the same but for its sources. So a pod is
// replaced by an apply only where its template says something else.
func (s *Stack) keepRunning(ctx context.Context) error {
	running, err := s.deployer.DevImages(ctx, s.rendered)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for i, r := range s.built {
		if s.builtOf[i].Mode != build.Dev {
			continue
		}
		if name := running[r.Service]; name != "" {
			kept, ok, err := s.deps().Running(ctx, r, name)
			if err != nil {
				return err
			}
			if ok {
				s.built[i] = kept
			}
		}
		names[r.Service] = s.built[i].Name
	}
	s.rendered.PinDev(names)
	return nil
}
