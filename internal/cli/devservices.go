package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"zr/pkg/build"
	"zr/pkg/cluster/statedir"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/fault"
)

const (
	// agentPort is the port of the agent on the loopback of its pod: outside
	// the ephemeral range of Linux and of no registered service.
	agentPort = 29797
	// devNodeMemory is what `next dev` peaks at for a small app (590 MB were
	// measured), with room for a larger one.
	devNodeMemory = "1Gi"
)

// The folders of a dev container that are written to.
const (
	devGoDir     = "/app"
	devNodeDir   = "/app/src" // beside node_modules, which comes with the image
	devVolumeDir = "/zr/volume"
)

// reloads says whether a service is reloaded in place. What a Dockerfile makes
// can be anything, so a change of it is built and deployed.
func reloads(b *config.Build) bool { return b != nil && b.Dockerfile == "" }

// releaseRest lets what is built for a Job or a DaemonSet run its release
// image, and so what is not meant to run: there is no one pod in which it could
// be reloaded.
func (s *stack) releaseRest(workloads []deploy.Workload) {
	for i := range s.builds {
		r := &s.builds[i]
		if n := slices.IndexFunc(workloads, func(w deploy.Workload) bool { return w.Name == r.Service }); n >= 0 && !reloadable(workloads[n]) {
			r.Mode, r.Agent = build.Release, ""
		}
	}
}

// reloadable says whether a workload has a pod in which its service is reloaded.
func reloadable(w deploy.Workload) bool { return serves(w.Kind) && (w.Replicas > 0 || w.Idle == "") }

// devServices says how the workloads differ under `zr dev`.
func (s *stack) devServices(workloads []deploy.Workload) map[string]deploy.DevService {
	services := map[string]deploy.DevService{}
	for _, w := range workloads {
		b := s.cfg.Services[w.Name].Build
		if !reloads(b) || !reloadable(w) {
			continue
		}
		d := deploy.DevService{Memory: b.Dev.Memory, WritableDir: devGoDir, VolumeDir: devVolumeDir, Secrets: map[string]string{"ZR_AGENT_TOKEN": s.token}, Env: map[string]string{
			"ZR_AGENT_PORT": strconv.Itoa(agentPort), "ZR_AGENT_HEALTH": healthURL(w.Containers[0].Readiness),
		}}
		if headers := w.Containers[0].Readiness.Headers; len(headers) > 0 {
			data, _ := json.Marshal(headers) // texts only: cannot fail
			d.Env["ZR_AGENT_HEALTH_HEADERS"] = string(data)
		}
		if b.Node != "" {
			d.WritableDir = devNodeDir
			if d.Memory == "" {
				d.Memory = devNodeMemory
			}
		}
		services[w.Name] = d
	}
	return services
}

// healthURL is the readiness probe as the agent asks it, inside the pod.
func healthURL(p deploy.Probe) string {
	if p.Host != "" {
		return "" // another host than the pod, which only the kubelet asks
	}
	switch p.Kind {
	case "http":
		scheme := "http"
		if p.Scheme == "HTTPS" {
			scheme = "https"
		}
		return fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, p.Port, p.Path)
	case "tcp":
		return fmt.Sprintf("tcp://127.0.0.1:%d", p.Port)
	}
	return ""
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

// lockDev makes this the one `zr dev` of the environment on this machine.
func (s *stack) lockDev() (unlock func(), err error) {
	dir, err := statedir.Dir()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "dev-"+s.set()), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking `zr dev`: %w", err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		pid := make([]byte, 16)
		n, _ := f.Read(pid)
		return nil, fault.Hint(fmt.Errorf("`zr dev` runs already for %s, as process %s", s.set(), pid[:n]),
			"use that one, or end it with Ctrl-C")
	}
	_ = f.Truncate(0) // the number is for the message above only
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return func() { f.Close() }, nil
}
