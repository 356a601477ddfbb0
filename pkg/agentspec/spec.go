// Package agentspec is what zr tells its live-reload agent through the image
// and the environment of a dev container: which folder to fill, which process
// to run in it, how to ask it whether it is healthy, and who may speak to the
// agent.
//
// The image carries what the build knows (the Spec), the pod what only a
// deployment knows (token, address, readiness probe, arguments).
package agentspec

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

// FilesDir is the folder of the volume that holds the synced files. It is
// mounted a second time at Spec.Dir.
const FilesDir = "files"

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
	// EnvHost holds the address that the probe is asked at: that of the pod, as
	// the kubelet asks it. Default: 127.0.0.1. Set in the pod.
	EnvHost = "ZR_AGENT_HOST"
	// EnvProbe holds the readiness probe of the manifest as JSON (probe.Probe).
	// Without one, a process is healthy that stays alive. Set in the pod.
	EnvProbe = "ZR_AGENT_PROBE"
	// EnvReadyPort holds the port at EnvHost on which the agent answers the
	// kubelet for the process. Not set where there is no probe. Set in the pod.
	EnvReadyPort = "ZR_AGENT_READY_PORT"
	// EnvDir holds the working folder of the process, where the manifest names
	// one. Default: Spec.Dir. Set in the pod.
	EnvDir = "ZR_AGENT_DIR"
	// EnvBuild holds the build hash. In the image it is that of the seed; the
	// agent replaces it with the hash of what it starts.
	EnvBuild = "ZR_BUILD_HASH"
)

// DefaultPort is the agent's port where the pod names none: outside the
// ephemeral range of Linux (32768-60999) and of no registered service.
const DefaultPort = 29797

// ReadyPort is where the kubelet asks the agent of a pod, at ReadyPath: beside
// DefaultPort, for the same reasons.
const (
	ReadyPort = DefaultPort + 1
	ReadyPath = "/ready"
)

// What the manifest says of the process comes as the agent's own arguments, so
// that the kubelet fills in $(VARIABLES) as it does for the process itself. The
// first one says what the others are.
const (
	ArgsReplace = "command" // a whole command line, in place of the image's
	ArgsAppend  = "args"    // arguments for the image's command
)

// LayersArgument is the agent's one argument in a pod that makes layers near their
// registry, in place of running a process.
const LayersArgument = "layers"

// Spec is the part that is known when the image is built.
type Spec struct {
	// Seed is the read-only folder that Dir is filled from when a container
	// comes up. Default: SeedDir.
	Seed string `json:"seed,omitempty"`
	// Dir is the writable folder that holds the synced files, and the working
	// folder of the process where the manifest names no other: /app for a Go
	// binary, /app/src for Node sources beside /app/node_modules. It is the
	// folder FilesDir of Volume.
	Dir string `json:"dir"`
	// Volume is where the whole of the volume is mounted: the files and, beside
	// them, what the agent keeps. Default: VolumeDir.
	Volume string `json:"volume,omitempty"`
	// Command is the process. Its first element is an absolute path, or a
	// name that is looked up in the PATH of the container.
	Command []string `json:"command"`
	// StandIn says that Command takes the place of the release's program, as a
	// dev server does. Of a command line in the manifest, the arguments of the
	// program are kept.
	StandIn bool `json:"standIn,omitempty"`
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

// CommandLine returns what to run, given the agent's own arguments.
func (s Spec) CommandLine(args []string) ([]string, error) {
	if len(args) == 0 {
		return s.Command, nil
	}
	kind, args := args[0], args[1:]
	switch {
	case kind == ArgsAppend:
		return append(s.Command[:len(s.Command):len(s.Command)], args...), nil
	case kind != ArgsReplace || len(args) == 0:
		return nil, fmt.Errorf("reading the agent's arguments: want %s or %s and what belongs to it", ArgsReplace, ArgsAppend)
	case s.StandIn:
		return append(s.Command[:len(s.Command):len(s.Command)], ownArguments(args)...), nil
	}
	return args, nil
}

// ownArguments returns those of the program of a command line. The program of
// an interpreter is the file behind its flags; of a shell's line nobody can say
// what it is.
func ownArguments(line []string) []string {
	switch path.Base(line[0]) {
	case "node", "nodejs", "bun", "deno", "tsx", "ts-node":
	case "sh", "bash", "ash", "dash", "npm", "npx", "yarn", "pnpm", "corepack":
		return nil
	default:
		return line[1:]
	}
	for i, arg := range line[1:] {
		if !strings.HasPrefix(arg, "-") {
			return line[i+2:]
		}
	}
	return nil
}
