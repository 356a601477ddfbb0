package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
	kindcluster "sigs.k8s.io/kind/pkg/cluster"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// undoTimeout is how long removing a half-made cluster may take after the
// context has ended.
const undoTimeout = 30 * time.Second

// recordFile is where a node's container holds the record of a finished
// cluster. It is there also while the API server is not.
const recordFile = "/kind/zr.json"

// create makes the cluster. When it fails or is cancelled, it leaves nothing.
func (p *provider) create(ctx context.Context, e engine.Engine, sink event.Sink) (*cluster.Cluster, error) {
	if err := p.portsFree(); err != nil {
		return nil, p.wrap("making", err)
	}
	for _, n := range workarounds(e) {
		sink.Emit(n)
	}
	image, err := p.nodeImage(ctx, e)
	if err != nil {
		return nil, p.wrap("making", err)
	}
	if image.staticCNI && p.opts.Nodes > 1 {
		return nil, p.wrap("making", fault.WithCode(
			fmt.Errorf("its node image carries a network for one node, the config asks for %d", p.opts.Nodes),
			fault.Usage, "set cluster.nodes to 1, or cluster.nodeImage to a published kind node image"))
	}

	callback := &nodeUp{call: p.opts.OnNodeUp}
	err = p.build(ctx, e, image, callback, sink)
	if err == nil {
		var f *found
		if f, err = p.finish(ctx, e, image); err == nil {
			return f.Cluster, nil
		}
	}
	err = p.explain(ctx, e, err)
	callback.abort()
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if undoErr := p.remove(undo, e); undoErr != nil {
		err = errors.Join(err, fmt.Errorf("removing what was made of it: %w", undoErr))
	}
	return nil, p.wrap("making", err)
}

// image is a node image in the engine.
type image struct {
	ref       string // as kind is told
	source    string // as EnsureNodeImage named it
	staticCNI bool
}

// nodeImage puts the node image into the engine under zr's own name, by which
// its containers are known as zr's from then on.
func (p *provider) nodeImage(ctx context.Context, e engine.Engine) (image, error) {
	source := p.opts.NodeImage
	if p.opts.EnsureNodeImage != nil {
		var err error
		if source, err = p.opts.EnsureNodeImage(ctx, e); err != nil {
			return image{}, err
		}
	} else {
		if source == "" {
			source = defaults.Image
		}
		if err := e.Run(ctx, nil, nil, "pull", source); err != nil {
			return image{}, err
		}
	}
	own := ownImage + ":" + p.opts.Name
	if err := e.Run(ctx, nil, nil, "tag", source, own); err != nil {
		return image{}, err
	}
	text, err := e.Output(ctx, "image", "inspect", "--format", "{{json .Config.Labels}}", own)
	if err != nil {
		return image{}, err
	}
	var labels map[string]string
	if err := json.Unmarshal(text, &labels); err != nil {
		return image{}, fmt.Errorf("reading the labels of image %q: %w", source, err)
	}
	return image{ref: own, source: source, staticCNI: labels[cniLabel] == cniStatic}, nil
}

// build has kind make the cluster. kind.Create takes no context: when ctx
// ends, the containers are taken away from under it, upon which it fails.
func (p *provider) build(ctx context.Context, e engine.Engine, img image, callback *nodeUp, sink event.Sink) error {
	path, err := p.kubeconfig()
	if err != nil {
		return err
	}
	log := &logger{sink: sink, onStatus: func(status string) {
		// By now the nodes' containerd has its settings and is not restarted
		// any more.
		if strings.HasPrefix(status, "Starting control-plane") {
			callback.start(ctx, func(ctx context.Context) ([]cluster.Node, error) { return p.nodesUp(ctx, e) })
		}
	}}
	lib, restore, err := library(e, log)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer restore()
		done <- lib.Create(p.opts.Name,
			kindcluster.CreateWithV1Alpha4Config(p.config(e, img)),
			kindcluster.CreateWithKubeconfigPath(path),
			kindcluster.CreateWithRetain(true), // explain looks at it, then create removes it
		)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	for {
		// kind may be between two containers, so that one removal is not enough.
		_ = p.remove(undo, e) // create removes once more, and reports
		select {
		case <-done:
			return ctx.Err()
		case <-undo.Done():
			return fmt.Errorf("%w; kind did not stop within %s", ctx.Err(), undoTimeout)
		case <-time.After(time.Second):
		}
	}
}

// nodesUp waits until containerd answers in every node.
func (p *provider) nodesUp(ctx context.Context, e engine.Engine) ([]cluster.Node, error) {
	list, err := containers(ctx, e, p.opts.Name)
	if err != nil {
		return nil, err
	}
	var nodes []cluster.Node
	for _, c := range list {
		n := node{c.name, e}
		// One command that waits in the node is cheaper than many that ask.
		if err := n.Run(ctx, nil, nil, "sh", "-c", "until ctr version >/dev/null 2>&1; do sleep 0.1; done"); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// finish waits for the nodes and writes the record.
func (p *provider) finish(ctx context.Context, e engine.Engine, img image) (*found, error) {
	list, err := containers(ctx, e, p.opts.Name)
	if err != nil {
		return nil, err
	}
	first := node{holding{nodes: list}.controlPlane(), e}
	text, err := json.Marshal(record{Ports: p.opts.Ports, Nodes: p.opts.Nodes, NodeImage: img.source})
	if err != nil {
		return nil, err
	}
	write := "cat > " + recordFile + ".new && mv " + recordFile + ".new " + recordFile
	if err := first.Run(ctx, strings.NewReader(string(text)), nil, "sh", "-c", write); err != nil {
		return nil, err
	}
	if err := p.annotate(ctx, first); err != nil {
		return nil, err
	}
	return p.await(ctx)
}

// finished says whether the cluster of a control plane was ever finished.
func (p *provider) finished(ctx context.Context, first node) bool {
	return first.Run(ctx, nil, nil, "test", "-s", recordFile) == nil
}

// annotate copies the record from the control plane's container to its Node.
func (p *provider) annotate(ctx context.Context, first node) error {
	var text strings.Builder
	if err := first.Run(ctx, nil, &text, "cat", recordFile); err != nil {
		return err
	}
	path, err := p.kubeconfig()
	if err != nil {
		return err
	}
	cfg, err := cluster.LoadRESTConfig(path, contextName(p.opts.Name))
	if err != nil {
		return err
	}
	api, err := cluster.NewAPI(cfg)
	if err != nil {
		return err
	}
	defer api.Close()
	patch := map[string]any{"metadata": map[string]any{"annotations": map[string]string{recordKey: text.String()}}}
	return api.MergePatch(ctx, "/api/v1/nodes/"+first.name, patch)
}

// explain adds to an error of kind what the node's own log says, while the
// node is still there.
func (p *provider) explain(ctx context.Context, e engine.Engine, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = concise(err)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	first := node{p.opts.Name + "-" + controlPlane, e}
	var journal strings.Builder
	if first.Run(ctx, nil, &journal, "journalctl", "--no-pager", "-o", "cat", "-p", "err", "-n", "10") == nil && journal.Len() > 0 {
		err = fmt.Errorf("%w\nthe node's log ends with:\n%s", err, strings.TrimSpace(journal.String()))
	}
	return fault.Hint(err, "zr doctor looks for what this machine lacks")
}

// nodeUp calls OnNodeUp once.
type nodeUp struct {
	call   func(context.Context, []cluster.Node)
	once   sync.Once
	cancel context.CancelFunc
	done   chan struct{}
}

// start calls in a goroutine once nodes has returned.
func (n *nodeUp) start(ctx context.Context, nodes func(context.Context) ([]cluster.Node, error)) {
	if n.call == nil {
		return
	}
	n.once.Do(func() {
		ctx, n.cancel = context.WithCancel(ctx)
		n.done = make(chan struct{})
		go func() {
			defer close(n.done)
			if up, err := nodes(ctx); err == nil {
				n.call(ctx, up)
			}
		}()
	})
}

// abort ends the call's context and waits for it to return.
func (n *nodeUp) abort() {
	n.once.Do(func() {}) // kind is done: nothing starts any more
	if n.cancel != nil {
		n.cancel()
		<-n.done
	}
}
