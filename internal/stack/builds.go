package stack

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/build/command"
	"zr/pkg/build/dockerfile"
	"zr/pkg/build/gobuild"
	"zr/pkg/build/node"
	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
)

// made are the images of an environment that a run has built. It is not changed once
// it was handed on.
type made struct {
	results  []build.Result
	requests []build.Request // what each of results was asked for by
	// beside has the images of the same services for the other platforms of the nodes.
	beside map[string][]build.Result
}

// requests are the images to build, by the name of their service.
func (s *Stack) requests() []build.Request {
	platform := cmp.Or(s.can().Platform, hostPlatform)
	var requests []build.Request
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Services)) {
		spec := s.cfg.Services[name].Build
		if spec == nil {
			continue
		}
		r := build.Request{
			Service: name, Project: s.cfg.Project, Root: s.cfg.Root, Spec: *spec, Platform: platform, Mode: build.Release,
		}
		if s.dev != nil && kinds.InPlace(*spec) {
			r.Mode, r.Agent = build.Dev, s.dev.agent
		}
		requests = append(requests, r)
	}
	return requests
}

// hostPlatform is what images are built for where no cluster has said what its
// nodes run, as where images alone are made.
const hostPlatform = "linux/" + runtime.GOARCH

// choosePlatforms returns the platforms of the cluster's nodes, for which images are
// built, where only they can say it. The first is the one that all images are built for:
// this machine's, if it is among them.
func (p *project) choosePlatforms(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	if p.can().Platform != "" || len(p.builds) == 0 {
		return nil, nil
	}
	all, err := c.Platforms(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	platforms := ownFirst(all)
	var single []string // services with images for one platform
	for _, r := range p.builds {
		if !p.crosses(r) {
			single = append(single, r.Service)
		}
	}
	if len(all) > 1 && len(single) > 0 {
		p.sink.Emit(event.Notice{
			Text: fmt.Sprintf("the nodes of %s run %s; images of %s are built for %s alone", p.clusterName(), strings.Join(all, ", "), strings.Join(single, ", "), platforms[0]),
			Hint: "a nodeSelector for kubernetes.io/arch keeps their pods off the other nodes",
		})
	}
	return platforms, nil
}

// ownFirst returns platforms with this machine's before the others, which are sorted.
func ownFirst(platforms []string) []string {
	if !slices.Contains(platforms, hostPlatform) {
		return platforms
	}
	return append([]string{hostPlatform}, slices.DeleteFunc(slices.Clone(platforms), func(other string) bool { return other == hostPlatform })...)
}

// crosses says whether a service has images for all platforms of mixed nodes. Those that
// are changed while they run have one, that of the agent.
func (p *project) crosses(r build.Request) bool { return p.dev == nil && kinds.Crosses(r.Spec) }

// onPlatforms returns the same with images for other platforms; none leaves it as it is.
func (p *project) onPlatforms(platforms []string) *project {
	if len(platforms) == 0 {
		return p
	}
	next := *p
	next.builds, next.others = slices.Clone(p.builds), platforms[1:]
	for i := range next.builds {
		next.builds[i].Platform = platforms[0]
	}
	return &next
}

// beside are the images to build for the other platforms of mixed nodes.
func (p *project) beside() (requests []build.Request) {
	for _, r := range p.builds {
		for _, platform := range p.others {
			if p.crosses(r) {
				r.Platform = platform
				requests = append(requests, r)
			}
		}
	}
	return requests
}

// ownCommands notes which images are run by a command of the manifest.
func ownCommands(builds []build.Request, workloads []render.Workload) {
	for i := range builds {
		r := &builds[i]
		r.OwnCommand = slices.ContainsFunc(workloads, func(w render.Workload) bool { return w.Name == r.Service && len(w.Own().Command) > 0 })
	}
}

// deps are what builders work with. missing is called before an image is made; it may
// be nil.
func (s *Stack) deps(missing func()) build.Deps {
	return build.Deps{Store: s.store, Base: s.resolver.Resolve, Sink: s.sink, Step: stepBuild, Missing: missing}
}

// kinds are those that services can be built of.
var kinds = build.Kinds{gobuild.Kind, node.Kind, command.Kind, dockerfile.Kind(buildEngine)}

// builder makes the images of every kind of source.
func (s *Stack) builder() build.Builders { return kinds.With(s.deps(nil)) }

// buildEngine finds the engine for Dockerfiles: one that answers, as for the
// cluster, with the settings that this machine calls for.
func buildEngine(ctx context.Context) (dockerfile.Engine, error) {
	e, err := engine.Find(ctx, engine.Preferred())
	return dockerfile.Engine{Name: e.Name, Env: e.Env}, err
}
