// Package spec is what zr tells its live-reload agent through the environment
// of a dev container: which folder to fill, which process to run in it, how
// to ask it whether it is healthy, and who may speak to the agent.
//
// The image carries what it knows (the Spec, written by the build), the pod
// what only a deployment knows (token, port, health endpoint).
package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Where a dev container has the agent, the files that the writable folder is
// filled from, and the volume.
const (
	AgentPath = "/zr/zr-agent" // the entry point of a dev image
	SeedDir   = "/zr/seed"     // read-only, part of the image
	VolumeDir = "/zr/volume"   // an emptyDir of the pod
)

// The environment variables of a dev container. The agent keeps the
// ZR_AGENT_* ones from the process that it starts.
const (
	// EnvSpec holds the Spec as JSON. Set in the image.
	EnvSpec = "ZR_AGENT_SPEC"
	// EnvToken holds the secret that a connection must present. Set in the pod.
	EnvToken = "ZR_AGENT_TOKEN"
	// EnvPort holds the port that the agent listens on, on 127.0.0.1 only.
	// Default: DefaultPort. Set in the pod.
	EnvPort = "ZR_AGENT_PORT"
	// EnvHealth holds the URL that says whether the process is healthy:
	// http://127.0.0.1:3001/health (any status from 200 to 399, as for the
	// kubelet; a JSON body with "build" must name the build that was
	// started), the same with https, tcp://127.0.0.1:6000 (a connection
	// is accepted), or nothing (the process stays alive). Set in the pod,
	// from the readiness probe.
	EnvHealth = "ZR_AGENT_HEALTH"
	// EnvHealthHeaders holds the headers that are sent with the question, as a
	// JSON object of lists. Set in the pod where the readiness probe has some.
	EnvHealthHeaders = "ZR_AGENT_HEALTH_HEADERS"
	// EnvBuild holds the build hash. In the image it is that of the seed; the
	// agent replaces it with the hash of what it starts.
	EnvBuild = "ZR_BUILD_HASH"
)

// DefaultPort is the agent's port where the pod names none: outside the
// ephemeral range of Linux (32768-60999) and of no registered service.
const DefaultPort = 29797

// Kind says what the process is made from.
type Kind string

// The kinds of services.
const (
	Go   Kind = "go"   // a binary, replaced and restarted on every change
	Node Kind = "node" // sources, which a dev server picks up by itself
)

// Spec is the part that is known when the image is built.
type Spec struct {
	// Kind says what the process is made from.
	Kind Kind `json:"kind"`
	// Seed is the read-only folder that Dir is filled from when a container
	// comes up. Default: SeedDir.
	Seed string `json:"seed"`
	// Dir is the writable folder that holds the synced files, and the working
	// folder of the process: /app for a Go binary, /app/src for Node sources
	// beside /app/node_modules. It is the folder "files" of Volume.
	Dir string `json:"dir"`
	// Volume is where the whole of the volume is mounted: the files and, beside
	// them, what the agent keeps. Default: VolumeDir.
	Volume string `json:"volume,omitempty"`
	// Command is the process. Its first element is an absolute path, or a
	// name that is looked up in the PATH of the container.
	Command []string `json:"command"`
}

// Encode returns the value of EnvSpec.
func (s Spec) Encode() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings only: cannot fail
	}
	return string(b)
}

// Parse reads the value of EnvSpec, fills in defaults and checks it.
func Parse(text string) (Spec, error) {
	var s Spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Spec{}, fmt.Errorf("reading %s: %w", EnvSpec, err)
	}
	if s.Seed == "" {
		s.Seed = SeedDir
	}
	if s.Volume == "" {
		s.Volume = VolumeDir
	}
	if err := s.validate(); err != nil {
		return Spec{}, fmt.Errorf("reading %s: %w", EnvSpec, err)
	}
	return s, nil
}

func (s Spec) validate() error {
	var errs []error
	if s.Kind != Go && s.Kind != Node {
		errs = append(errs, fmt.Errorf("kind %q: want %q or %q", s.Kind, Go, Node))
	}
	for name, dir := range map[string]string{"seed": s.Seed, "dir": s.Dir, "volume": s.Volume} {
		if !path.IsAbs(dir) || path.Clean(dir) != dir || dir == "/" {
			errs = append(errs, fmt.Errorf("%s %q: want an absolute, clean path below /", name, dir))
		}
	}
	if len(s.Command) == 0 || s.Command[0] == "" {
		errs = append(errs, errors.New("command is empty"))
	} else if c := s.Command[0]; strings.Contains(c, "/") && !path.IsAbs(c) {
		errs = append(errs, fmt.Errorf("command %q: want an absolute path or a bare name", c))
	}
	return errors.Join(errs...)
}
