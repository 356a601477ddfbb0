package stack

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/cluster/statedir"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
)

// releaseRest lets what is built for a Job or a DaemonSet run its release
// image, and so what is not meant to run: there is no one pod in which it could
// be reloaded.
func releaseRest(builds []build.Request, workloads []render.Workload) {
	for i := range builds {
		r := &builds[i]
		if n := slices.IndexFunc(workloads, func(w render.Workload) bool { return w.Name == r.Service }); n >= 0 && !reloadable(workloads[n]) {
			r.Mode, r.Agent = build.Release, ""
		}
	}
}

// reloadable says whether a workload has a pod in which its service is reloaded.
func reloadable(w render.Workload) bool { return serves(w.Kind) && (w.Replicas > 0 || w.Idle == "") }

// devServices says how the workloads differ under `zr dev`.
func (p *project) devServices(workloads []render.Workload) (map[string]render.DevService, error) {
	services := map[string]render.DevService{}
	for _, w := range workloads {
		n := slices.IndexFunc(p.builds, func(r build.Request) bool { return r.Service == w.Name && r.Mode == build.Dev })
		if n < 0 || !reloadable(w) {
			continue
		}
		mode, err := p.builder().DevMode(p.builds[n])
		if err != nil {
			return nil, err
		}
		services[w.Name] = render.DevService{
			Memory:      cmp.Or(p.builds[n].Spec.Dev.Memory, mode.Memory),
			WritableDir: mode.Dir, ReleaseDir: mode.ReleaseDir, Stays: mode.Stays,
			Slow:    mode.Reload == build.Sync,
			Served:  served(w, p.rendered.Services()),
			Secrets: map[string]string{agentspec.EnvToken: p.dev.token},
		}
	}
	return services, nil
}

// served returns the first TCP port of a workload's own container to which Services
// lead, 0 where there is none. A port that another container declares is that one's.
func served(w render.Workload, services []render.Service) int32 {
	own := w.Own()
	for _, s := range services {
		if !s.LeadsTo(w) {
			continue
		}
		for _, port := range s.Ports {
			number := port.Target(w)
			others := slices.ContainsFunc(w.Containers, func(c render.Container) bool {
				return c.Name != own.Name && slices.ContainsFunc(c.Ports, func(p render.Port) bool { return p.Number == number })
			})
			if number > 0 && !others {
				return number
			}
		}
	}
	return 0
}

// images are those to build: of the services, and of the helpers beside them.
func (p *project) images() []build.Request { return slices.Concat(p.builds, p.helpers()) }

// helpers returns the release images that containers beside those in dev mode
// run: they have no agent, and no connection that a save could reach them by.
func (p *project) helpers() (requests []build.Request) {
	if p.rendered == nil {
		return nil // images alone are made
	}
	for _, h := range p.rendered.Helpers() {
		n := slices.IndexFunc(p.builds, func(r build.Request) bool { return r.Service == h.Service })
		if n < 0 || slices.ContainsFunc(requests, func(r build.Request) bool { return r.Service == h.Service }) {
			continue
		}
		r := p.builds[n]
		r.Mode, r.Agent = build.Release, ""
		requests = append(requests, r)
	}
	return requests
}

// tellHelpers says which containers a save does not reach.
func (p *project) tellHelpers() {
	for _, h := range p.rendered.Helpers() {
		p.sink.Emit(event.Notice{
			Text: fmt.Sprintf("container %q of %s runs the release program of %s: a save does not reach it", h.Name, h.Workload, h.Service),
			Hint: "the next run of `zr dev` or `zr up` brings it up to date",
		})
	}
}

// devToken returns the secret that the agents of an environment ask for. It is
// made once and kept for the user alone, because a new one would have to roll
// every pod at each start of `zr dev`.
func devToken(name string) (string, error) {
	dir, err := statedir.Dir()
	if err != nil {
		return "", err
	}
	path := tokenPath(dir, name)
	token, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token = []byte(rand.Text())
		err = statedir.Write(path, token)
	}
	if err != nil {
		return "", fmt.Errorf("reading the token of the agents: %w", err)
	}
	return string(token), nil
}

func tokenPath(dir, name string) string { return filepath.Join(dir, "token-"+name) }

// forgetToken removes the secret of agents that are gone.
func forgetToken(name string) error {
	dir, err := statedir.Dir()
	if err != nil {
		return err
	}
	if err := os.Remove(tokenPath(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the token of the agents: %w", err)
	}
	return nil
}
