package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/statedir"
	"zr/pkg/ctxcall"
	"zr/pkg/fault"
)

// answerTimeout is how long an API server may take that is well: it answers
// in milliseconds, and in a second or two on a machine that is being built on.
const answerTimeout = 3 * time.Second

// found is a cluster whose API server answers.
type found struct {
	*cluster.Cluster
	record record
	ready  bool // all of its nodes are
	// readySince is when each ready node last reported itself so.
	readySince map[string]time.Time
}

// errUnfinished says that the API server answers and that nobody has written
// down that the cluster was finished.
var errUnfinished = errors.New("the cluster was never finished")

// Find asks the API server that zr's kubeconfig names. Only when that does not
// answer does it ask the engine why.
func (p *provider) Find(ctx context.Context) (*cluster.Cluster, error) {
	f, err := p.ask(ctx)
	if err == nil {
		return f.Cluster, nil
	}
	if ctx.Err() != nil {
		return nil, p.wrap("finding", ctx.Err())
	}
	h, err := p.locate(ctx)
	if err != nil {
		return nil, p.wrap("finding", err)
	}
	if err := h.usable(); err != nil {
		return nil, p.wrap("finding", err)
	}
	if err := p.refreshKubeconfig(ctx, h.engine); err != nil {
		return nil, fault.Hint(p.wrap("finding", fmt.Errorf("%w: %w", cluster.ErrDown, err)), p.opts.Lines.Zr("up")+" fixes it")
	}
	if f, err = p.ask(ctx); err != nil {
		return nil, fault.Hint(p.wrap("finding", fmt.Errorf("%w: %w", cluster.ErrDown, err)), p.opts.Lines.Zr("up")+" fixes it")
	}
	return f.Cluster, nil
}

// nodeList is what zr reads of a NodeList.
type nodeList struct {
	Items []struct {
		Metadata struct {
			Name        string            `json:"name"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			ProviderID string `json:"providerID"`
		} `json:"spec"`
		Status struct {
			Conditions []struct {
				Type              string    `json:"type"`
				Status            string    `json:"status"`
				LastHeartbeatTime time.Time `json:"lastHeartbeatTime"`
			} `json:"conditions"`
		} `json:"status"`
	} `json:"items"`
}

// ask makes the one request that tells whether the cluster is there, whole and
// which engine holds it. It takes milliseconds and starts no process.
func (p *provider) ask(ctx context.Context) (*found, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	path, err := p.kubeconfig()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err // client-go takes a missing file for an empty one
	}
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	var list nodeList
	err = client.Get(ctx, "api/v1/nodes", nil, &list)
	var f *found
	if err == nil {
		f, err = p.read(path, list)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	f.Client = client
	return f, nil
}

// read makes a cluster of a NodeList.
func (p *provider) read(kubeconfig string, list nodeList) (*found, error) {
	f := &found{ready: len(list.Items) > 0, readySince: map[string]time.Time{}, Cluster: &cluster.Cluster{
		Name: p.opts.Name, Provider: "kind", Context: contextName(p.opts.Name), Kubeconfig: kubeconfig,
	}}
	finished := false
	for _, item := range list.Items {
		eng := p.opts.Engine
		if eng.Zero() {
			eng.Name = engineOf(item.Spec.ProviderID)
		}
		n := node{name: item.Metadata.Name, engine: eng}
		if _, first := item.Metadata.Labels[controlPlaneLabel]; first {
			f.Nodes = slices.Insert(f.Nodes, 0, cluster.Node(n))
		} else {
			f.Nodes = append(f.Nodes, n)
		}
		if text, ok := item.Metadata.Annotations[recordKey]; ok {
			if err := json.Unmarshal([]byte(text), &f.record); err != nil {
				return nil, fmt.Errorf("reading annotation %s of node %q: %w", recordKey, item.Metadata.Name, err)
			}
			finished = true
		}
		ready := false
		for _, c := range item.Status.Conditions {
			if c.Type != "Ready" {
				continue
			}
			if ready = c.Status == "True"; ready {
				f.readySince[item.Metadata.Name] = c.LastHeartbeatTime
			}
		}
		f.ready = f.ready && ready
	}
	if !finished {
		return nil, errUnfinished
	}
	f.ready = f.ready && len(list.Items) >= f.record.Nodes
	f.Ports = map[int32]int32{}
	for _, port := range f.record.Ports {
		f.Ports[port.Host] = port.Node
	}
	return f, nil
}

// engineOf takes the engine's name from the provider ID that kind gives a
// node: kind://<engine>/<cluster>/<node>.
func engineOf(providerID string) string {
	rest, ok := strings.CutPrefix(providerID, "kind://")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// refreshKubeconfig takes the kubeconfig out of the node again: zr's own was
// lost, or is of an earlier cluster of the same name.
func (p *provider) refreshKubeconfig(ctx context.Context, e engine.Engine) error {
	path, err := p.kubeconfig()
	if err != nil {
		return err
	}
	lib, restore, err := library(e, nil)
	if err != nil {
		return err
	}
	text, err := ctxcall.Do(ctx, func() (string, error) {
		defer restore()
		return lib.KubeConfig(p.opts.Name, false)
	}, nil)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig from its node: %w", concise(err))
	}
	return statedir.Write(path, []byte(text))
}

// noteworthy says in which way an existing cluster differs from what is wanted
// although it can be used.
func (p *provider) noteworthy(r record) []string {
	var notes []string
	if r.Nodes != p.opts.Nodes {
		notes = append(notes, fmt.Sprintf("cluster %q has %d node(s), the config asks for %d", p.opts.Name, r.Nodes, p.opts.Nodes))
	}
	if p.opts.NodeImage != "" && r.NodeImage != p.opts.NodeImage {
		notes = append(notes, fmt.Sprintf("cluster %q was made from %s, the config asks for %s", p.opts.Name, r.MadeFrom, p.opts.NodeImage))
	}
	return notes
}

// usable says whether the containers are zr's own cluster and run.
func (h holding) usable() error {
	switch {
	case len(h.nodes) == 0:
		return cluster.ErrNotFound
	case h.foreign() != "":
		return h.foreignFault()
	case len(h.stopped()) > 0:
		return fault.Hint(fmt.Errorf("%w: its nodes are stopped", cluster.ErrDown), h.lines.Zr("up")+" starts it again")
	}
	return nil
}

// locate looks in the engines of this machine for the containers of the
// cluster. Where there are none, the holding has the engine to make them in.
func (p *provider) locate(ctx context.Context) (holding, error) {
	engines := []engine.Engine{p.opts.Engine}
	if p.opts.Engine.Zero() {
		var err error
		if engines, err = p.findEngines(ctx); err != nil {
			return holding{}, err
		}
	}
	for _, e := range engines {
		nodes, err := containers(ctx, e, p.opts.Name)
		if err != nil {
			return holding{}, err
		}
		if len(nodes) > 0 {
			return holding{cluster: p.opts.Name, engine: e, nodes: nodes, lines: p.opts.Lines}, nil
		}
	}
	return holding{cluster: p.opts.Name, engine: engines[0]}, nil
}

// findEngines asks the engines of this machine, and those that answered once
// not again: one that was there stays there while a command runs.
func (p *provider) findEngines(ctx context.Context) ([]engine.Engine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.engines) > 0 {
		return p.engines, nil
	}
	all, skipped, err := engine.All(ctx, engine.Preferred())
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, engine.None(engine.Preferred(), skipped)
	}
	p.engines = all
	return all, nil
}

// Engine returns the best engine that has answered so far, or none.
func (p *provider) Engine() engine.Engine {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.engines) == 0 {
		return p.opts.Engine
	}
	return p.engines[0]
}
