package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// create makes the cluster. When it fails or is cancelled, it leaves nothing.
func (p *provider) create(ctx context.Context, e engine.Engine, sink event.Sink) (*cluster.Cluster, error) {
	if err := p.portsFree(); err != nil {
		return nil, p.wrap("making", err)
	}
	for _, n := range workarounds(e) {
		sink.Emit(n)
	}
	if err := ensureModulesFolder(e); err != nil {
		return nil, p.wrap("making", err)
	}
	callback := &nodeUp{call: p.opts.OnNodeUp}
	f, err := p.steps(ctx, e, callback, sink)
	if err == nil {
		return f.Cluster, nil
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

// steps are what making a cluster takes, in order.
func (p *provider) steps(ctx context.Context, e engine.Engine, callback *nodeUp, sink event.Sink) (*found, error) {
	img, err := p.nodeImage(ctx, e) // in the engine, under zr's name
	if err != nil {
		return nil, err
	}
	if err := p.provision(ctx, e, img, callback, sink); err != nil { // the containers
		return nil, err
	}
	if img.boots {
		if err := p.boot(ctx, e, callback, sink); err != nil { // what kind does otherwise
			return nil, err
		}
	}
	progress(sink, "waiting for the nodes to be ready")
	return p.finish(ctx, e, img)
}

// image is a node image in the engine.
type image struct {
	ref    string // as kind is told
	source string // as EnsureNodeImage named it
	boots  bool   // zr boots the node itself, since the image is its own
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
	// With more nodes than one, kind installs the network that the image brings,
	// and there is a worker to join.
	boots := labels[cniLabel] == cniStatic && p.opts.Nodes == 1
	return image{ref: own, source: source, boots: boots}, nil
}

// provision has kind make the cluster with all settings in it, or only its containers
// where the node image is zr's own. kind.Create takes no context. When ctx ends, the
// containers are taken away from under it, upon which it fails.
func (p *provider) provision(ctx context.Context, e engine.Engine, img image, callback *nodeUp, sink event.Sink) error {
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
	dropLock(path)
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer restore()
		failed = lib.Create(p.opts.Name,
			kindcluster.CreateWithV1Alpha4Config(p.config(e, img)),
			kindcluster.CreateWithKubeconfigPath(path),
			kindcluster.CreateWithRetain(true), // explain looks at it, then create removes it
			kindcluster.CreateWithStopBeforeSettingUpKubernetes(img.boots),
		)
	}()
	select {
	case <-done:
		return failed
	case <-ctx.Done():
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	for {
		// kind may be between two containers, so that one removal is not enough.
		_ = p.remove(undo, e) // create removes once more, and reports
		select {
		case <-done: // its error is that of the end asked for
			return ctx.Err()
		case <-undo.Done():
			return fmt.Errorf("%w; kind did not stop within %s", ctx.Err(), undoTimeout)
		case <-time.After(time.Second):
		}
	}
}

// lastWords prints in a node what its own log and those of the control plane
// end with.
const lastWords = `echo "errors in the node's log:"
journalctl --no-pager -o cat -p err -n 4 | cut -c-300
echo "errors of the kubelet:"
journalctl --no-pager -o cat -u kubelet | grep '^[EF][0-9]' | tail -n 4 | cut -c-300
for component in etcd kube-apiserver; do
  for log in /var/log/pods/kube-system_$component-*/$component/*.log; do
    test -e "$log" && echo "the log of $component:" && tail -n 4 "$log" | cut -c-300
  done
done
exit 0`

// explain adds to an error what the node's own log says, while the node is
// still there.
func (p *provider) explain(ctx context.Context, e engine.Engine, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fault.HintOf(err) != "" {
		return err // it says all there is to say
	}
	err = concise(err)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var log strings.Builder
	if p.first(e).Run(ctx, nil, &log, "sh", "-c", lastWords) == nil && strings.TrimSpace(log.String()) != "" {
		err = fmt.Errorf("%w\n%s", err, strings.TrimSpace(log.String()))
	}
	return fault.Hint(err, "zr doctor looks for what this machine lacks")
}
