package kind

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	kindexec "sigs.k8s.io/kind/pkg/exec"
	kindlog "sigs.k8s.io/kind/pkg/log"

	"zr/pkg/cluster/engine"
)

// library returns the kind library for an engine. kind starts the engine's commands
// itself and hands them this process's environment. So the settings which a constrained
// machine needs must be there while it works; restore takes them away again.
func library(e engine.Engine, logger kindlog.Logger) (lib *kindcluster.Provider, restore func(), err error) {
	var option kindcluster.ProviderOption
	switch e.Name {
	case engine.Docker:
		option = kindcluster.ProviderWithDocker()
	case engine.Podman:
		option = kindcluster.ProviderWithPodman()
	case engine.Nerdctl:
		option = kindcluster.ProviderWithNerdctl(engine.Nerdctl)
	default:
		return nil, nil, fmt.Errorf("kind does not know container engine %q", e.Name)
	}
	if logger == nil {
		logger = kindlog.NoopLogger{}
	}
	restore = environment.set(e.Env)
	return kindcluster.NewProvider(kindcluster.ProviderWithLogger(logger), option), restore, nil
}

// dropLock removes the file by which kind locks zr's kubeconfig, and which a
// killed zr leaves behind: kind would never come past it. Nobody else can be at
// work on the file, since zr holds its own lock of the cluster.
func dropLock(kubeconfig string) { _ = os.Remove(kubeconfig + ".lock") }

// environment is this process's, as far as library changes it.
var environment = variables{held: map[string]*held{}}

// variables are environment variables that several callers may need at once,
// all with the same value.
type variables struct {
	mu   sync.Mutex
	held map[string]*held
}

// held is a variable that is set, and what it was before.
type held struct {
	users int
	old   string
	had   bool
}

// set sets variables, each given as KEY=value, until restore is called.
func (v *variables) set(vars []string) (restore func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, kv := range vars {
		key, value, _ := strings.Cut(kv, "=")
		h := v.held[key]
		if h == nil {
			h = &held{}
			h.old, h.had = os.LookupEnv(key)
			v.held[key] = h
			os.Setenv(key, value)
		}
		h.users++
	}
	return func() { v.restore(vars) }
}

func (v *variables) restore(vars []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, kv := range vars {
		key, _, _ := strings.Cut(kv, "=")
		h := v.held[key]
		if h.users--; h.users > 0 {
			continue
		}
		delete(v.held, key)
		if h.had {
			os.Setenv(key, h.old)
		} else {
			os.Unsetenv(key)
		}
	}
}

// logLines is how much of a failed command's output tells why: kubeadm's
// complaint and what led to it, not its hundreds of lines before.
const logLines = 15

// concise returns a kind error with the end of what the failed command said,
// which kind keeps apart from the error's text.
func concise(err error) error {
	failed := kindexec.RunErrorForError(err)
	if failed == nil {
		return err
	}
	var lines []string
	for line := range strings.Lines(string(failed.Output)) {
		// The goroutine stacks and traces that kubeadm prints at --v=6.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "k8s.io/") && !strings.HasPrefix(line, "I1") {
			lines = append(lines, line)
		}
	}
	lines = lines[max(0, len(lines)-logLines):]
	if len(lines) == 0 {
		return err
	}
	return errors.Join(err, errors.New(strings.Join(lines, "\n")))
}
