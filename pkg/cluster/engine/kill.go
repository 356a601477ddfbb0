package engine

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Kill ends containers at once, for those that are removed afterwards.
// Containers that do not run are no error.
//
// On a machine with cgroups of version 1 a node may not die of it: while it
// starts a pod, its runc freezes the pod's processes for a moment, and when
// runc is killed in that moment they stay frozen and keep the whole container
// from ending. So they are thawed until all have ended.
func (e Engine) Kill(ctx context.Context, containers ...string) {
	var nodes []frozen
	if e.Host.CgroupV1 && e.Root != "" {
		nodes = e.freezers(ctx, containers)
	}
	// The engine refuses for a container that does not run.
	_ = e.Run(ctx, nil, nil, append([]string{"kill"}, containers...)...)
	for _, n := range nodes {
		n.thawUntilGone(ctx)
	}
}

// frozen is a container whose processes may be frozen.
type frozen struct {
	process string // its folder in /proc
	freezer string // its folder in the freezer hierarchy
}

// freezers finds the containers that run in the freezer hierarchy.
func (e Engine) freezers(ctx context.Context, containers []string) []frozen {
	text, err := e.Output(ctx, append([]string{"inspect", "--type", "container", "--format", "{{.State.Pid}} {{.Id}}"}, containers...)...)
	if err != nil {
		return nil
	}
	var found []frozen
	for line := range strings.Lines(string(text)) {
		pid, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		process := filepath.Join("/proc", pid)
		cgroups, err := os.ReadFile(filepath.Join(process, "cgroup"))
		if err != nil || pid == "0" || id == "" {
			continue
		}
		if path := freezerOf(string(cgroups), id); path != "" {
			found = append(found, frozen{process, filepath.Join("/sys/fs/cgroup/freezer", path)})
		}
	}
	return found
}

// freezerOf returns the freezer cgroup of a container from the text of a
// /proc/<pid>/cgroup: the part up to the container's ID, since its init may sit
// further down.
func freezerOf(cgroups, id string) string {
	for line := range strings.Lines(cgroups) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		if controllers != "freezer" {
			continue
		}
		before, after, ok := strings.Cut(path, id)
		if !ok {
			return ""
		}
		component, _, _ := strings.Cut(after, "/") // such as ".scope"
		return before + id + component
	}
	return ""
}

// thawTimeout is how long a killed container may take to end. It takes
// milliseconds, or some seconds for one with many processes on a busy machine.
const thawTimeout = 10 * time.Second

func (f frozen) thawUntilGone(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, thawTimeout)
	defer cancel()
	for {
		if _, err := os.Stat(f.process); err != nil {
			return
		}
		_ = filepath.WalkDir(f.freezer, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "freezer.state" {
				return nil // cgroups come and go while this looks at them
			}
			if state, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(state)) != "THAWED" {
				_ = os.WriteFile(path, []byte("THAWED"), 0)
			}
			return nil
		})
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
