package kind

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"zr/pkg/cluster/engine"
	"zr/pkg/cmdline"
	"zr/pkg/fault"
)

// The labels that kind puts on its containers, in all engines.
const (
	clusterLabel = "io.x-k8s.kind.cluster"
	roleLabel    = "io.x-k8s.kind.role"
	controlPlane = "control-plane"
)

// ownImage is the name, without its tag, under which zr hands node images to
// kind. The tag is the cluster's name. A container made from that name is
// zr's own from its first moment on; any other was made by somebody else and
// is never deleted.
const ownImage = "localhost/zr/node"

// container is a node's container, as the engine knows it.
type container struct {
	name    string
	role    string
	image   string
	running bool
	paused  bool    // which is another way not to run
	pid     int     // of its first process, on the machine of the engine
	ports   []int32 // of this machine
}

// holding is the containers of a cluster and the engine that holds them.
type holding struct {
	cluster string
	engine  engine.Engine
	nodes   []container
	lines   cmdline.Run
}

func (h holding) stopped() []container {
	return slices.DeleteFunc(slices.Clone(h.nodes), func(c container) bool { return c.running })
}

// foreign returns the name of a container that zr did not make.
func (h holding) foreign() string {
	for _, c := range h.nodes {
		if c.image != ownImage+":"+h.cluster {
			return c.name
		}
	}
	return ""
}

func (h holding) foreignFault() error {
	return fault.Hint(fmt.Errorf("its container %q was not made by zr", h.foreign()),
		fmt.Sprintf("give zr's cluster another name (cluster.name in the config), or remove the other: kind delete cluster --name %s", h.cluster))
}

// lost is the fault of a container that podman calls running though it is not:
// podman keeps no daemon, and where a container's process and its monitor were
// killed together nobody told it. It can then neither start nor stop it.
func (h holding) lost() error {
	if h.engine.Name != engine.Podman || h.engine.Root == "" {
		return nil // no such state, or processes that cannot be seen from here
	}
	for _, c := range h.nodes {
		if !c.running || c.pid == 0 {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", c.pid)); errors.Is(err, fs.ErrNotExist) {
			return fault.Hint(fmt.Errorf("podman takes node %q for running, but its process %d was killed", c.name, c.pid),
				"a reboot of this machine clears podman's mind; or "+h.lines.Anew()+" makes the cluster anew, without its data")
		}
	}
	return nil
}

func (h holding) names() []string {
	names := make([]string, len(h.nodes))
	for i, c := range h.nodes {
		names[i] = c.name
	}
	return names
}

// containers lists the containers of a cluster, stopped ones included.
func containers(ctx context.Context, e engine.Engine, name string) ([]container, error) {
	ids, err := e.Output(ctx, "ps", "-a", "-q", "--no-trunc", "--filter", "label="+clusterLabel+"="+name)
	if err != nil {
		return nil, fmt.Errorf("listing its containers: %w", err)
	}
	args := strings.Fields(string(ids))
	if len(args) == 0 {
		return nil, nil
	}
	text, err := e.Output(ctx, append([]string{"inspect", "--type", "container"}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("inspecting its containers: %w", err)
	}
	return parseInspect(text)
}

// parseInspect reads what `inspect` prints, in which the engines agree as far
// as zr reads it. The control plane comes first.
func parseInspect(text []byte) ([]container, error) {
	var list []struct {
		Name   string
		Image  string // nerdctl's name of it, the others' number
		Config struct {
			Image  string
			Labels map[string]string
		}
		State struct {
			Running bool
			Paused  bool
			Pid     int
		}
		HostConfig struct {
			PortBindings map[string][]struct{ HostPort string }
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("inspecting its containers: %w", err)
	}
	nodes := make([]container, len(list))
	for i, c := range list {
		nodes[i] = container{
			name:    strings.TrimPrefix(c.Name, "/"), // docker's names begin so
			role:    c.Config.Labels[roleLabel],
			image:   cmp.Or(c.Config.Image, c.Image),
			running: c.State.Running && !c.State.Paused,
			paused:  c.State.Paused,
			pid:     c.State.Pid,
		}
		for _, bindings := range c.HostConfig.PortBindings {
			for _, b := range bindings {
				if port, err := strconv.ParseInt(b.HostPort, 10, 32); err == nil && port > 0 {
					nodes[i].ports = append(nodes[i].ports, int32(port))
				}
			}
		}
		slices.Sort(nodes[i].ports)
	}
	slices.SortStableFunc(nodes, func(a, b container) int {
		if (a.role == controlPlane) != (b.role == controlPlane) {
			if a.role == controlPlane {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return nodes, nil
}
