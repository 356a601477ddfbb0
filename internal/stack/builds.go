package stack

import (
	"context"
	"maps"
	"runtime"
	"slices"

	"zr/pkg/build"
	"zr/pkg/build/command"
	"zr/pkg/build/dockerfile"
	"zr/pkg/build/gobuild"
	"zr/pkg/build/node"
	"zr/pkg/cluster/engine"
	"zr/pkg/deploy"
)

// platform is what images are built for: kind's nodes have the architecture of
// their machine, and run Linux on every one.
const platform = "linux/" + runtime.GOARCH

// requests are the images to build, by the name of their service.
func (s *Stack) requests() []build.Request {
	var requests []build.Request
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Services)) {
		spec := s.cfg.Services[name].Build
		if spec == nil {
			continue
		}
		r := build.Request{
			Service: name, Project: s.cfg.Project, Root: s.cfg.Root, Spec: *spec, Platform: platform, Mode: build.Release,
		}
		if s.dev && kinds.InPlace(*spec) {
			r.Mode, r.Agent = build.Dev, s.agent
		}
		requests = append(requests, r)
	}
	return requests
}

// ownCommands notes which images are run by a command of the manifest.
func (s *Stack) ownCommands(workloads []deploy.Workload) {
	for i := range s.builds {
		r := &s.builds[i]
		r.OwnCommand = slices.ContainsFunc(workloads, func(w deploy.Workload) bool { return w.Name == r.Service && len(w.Own().Command) > 0 })
	}
}

func (s *Stack) deps() build.Deps {
	return build.Deps{Store: s.store, Base: s.resolver.Resolve, Sink: s.sink, Step: stepBuild, Missing: s.missing}
}

// kinds are those that services can be built of.
var kinds = build.Kinds{gobuild.Kind, node.Kind, command.Kind, dockerfile.Kind(buildEngine)}

// builder makes the images of every kind of source.
func (s *Stack) builder() build.Builders { return kinds.With(s.deps()) }

// buildEngine finds the engine for Dockerfiles: one that answers, as for the
// cluster, with the settings that this machine calls for.
func buildEngine(ctx context.Context) (dockerfile.Engine, error) {
	e, err := engine.Find(ctx, engine.Preferred())
	return dockerfile.Engine{Name: e.Name, Env: e.Env}, err
}
