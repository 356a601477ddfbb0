package kind

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/event"
)

// skipPhases are the parts of kubeadm init that a node made from zr's own
// image does without: it has all images (preflight looks for them); nobody has
// to wait for the scheduler and the controller manager in order to go on, since
// what they are late with they catch up on (wait-control-plane, two seconds; the
// API server is waited for by whoever asks it first); it is to run pods
// (mark-control-plane keeps them off); and restarting the kubelet to read its
// certificate from another file (kubelet-finalize) delays the first pods by two
// seconds, while the kubelet prefers its own rotated certificate either way.
const skipPhases = "preflight,wait-control-plane,mark-control-plane,kubelet-finalize"

// kubeletConf is a file that kubeadm writes soon, and after admin.conf: when it
// is there, the other is whole.
const kubeletConf = "/etc/kubernetes/kubelet.conf"

// addManifests creates what a node image brings where kind looks for it, too:
// the network of the pods, and a provisioner of volumes. It prints what it
// created. The files are the image's own: to validate them, kubectl would have
// the API server make its whole schema, at the moment when it has most to do.
const addManifests = `set --
for name in cni storage; do
  file=/kind/manifests/default-$name.yaml
  test ! -e $file || set -- "$@" -f $file
done
test $# = 0 || exec kubectl --kubeconfig=/etc/kubernetes/admin.conf create --validate=false -o name "$@"`

// kubeadmInit leaves the patch that it reads in the node, and runs kubeadm.
const kubeadmInit = "mkdir -p " + patchesFolder + " && cat > " + patchesFolder + "/corednsdeployment+strategic.yaml && " +
	"exec kubeadm init --config=/kind/kubeadm.conf --skip-token-print --skip-phases=" + skipPhases

// boot starts Kubernetes in the one node that kind has provisioned from zr's
// own image. It does what kind would go on to do (kubeadm init, no taint, the
// manifests of the image), but at the same time where that can be, and through
// the API instead of a kubectl for each step, which saves two to three of
// fourteen seconds, and it can be cancelled.
func (p *provider) boot(ctx context.Context, e engine.Engine, callback *nodeUp, sink event.Sink) error {
	callback.start(ctx, func(ctx context.Context) ([]cluster.Node, error) { return p.nodesUp(ctx, e) })
	first := p.first(e)
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return kubeadm(ctx, first, sink) })
	both.Go(func() error {
		// Long before kubeadm is done, its kubeconfig is there, and then the
		// API server answers.
		wait := "until test -e " + kubeletConf + "; do sleep 0.1; done"
		if err := first.Run(ctx, nil, nil, "sh", "-c", wait); err != nil {
			return err
		}
		if err := p.refreshKubeconfig(ctx, e); err != nil {
			return err
		}
		return p.addDefaults(ctx, first)
	})
	return both.Wait()
}

// kubeadm runs kubeadm init and shows which of its phases it is in.
func kubeadm(ctx context.Context, first node, sink event.Sink) error {
	phases := &phaseWriter{sink: sink}
	err := first.Run(ctx, strings.NewReader(quickDNS(first.name)), phases, "sh", "-c", kubeadmInit)
	if err != nil && ctx.Err() == nil && phases.last != "" {
		return fmt.Errorf("starting the control plane: in phase %q: %w", phases.last, err)
	}
	return err
}

// phaseWriter turns the lines of kubeadm, each of which begins with its phase
// in brackets, into progress.
type phaseWriter struct {
	sink event.Sink
	rest []byte
	last string
}

func (w *phaseWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		w.rest = rest
		open, after, _ := strings.Cut(string(line), "]")
		phase, bracketed := strings.CutPrefix(open, "[")
		if bracketed && after != "" && phase != w.last {
			w.last = phase
			progress(w.sink, "starting the control plane: %s", phase)
		}
	}
}

// addDefaults creates the manifests of the node image as soon as the API server
// lets it. An image without a provisioner of volumes gets the class that the
// controller manager serves from the node's disk, as kind gives it.
func (p *provider) addDefaults(ctx context.Context, first node) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for client.Get(ctx, "api/v1/namespaces/kube-system", nil, nil) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var made strings.Builder
	if err := first.Run(ctx, nil, &made, "sh", "-c", addManifests); err != nil {
		return fmt.Errorf("creating the manifests of the node image: %w", err)
	}
	if strings.Contains(made.String(), "storageclass.") {
		return nil
	}
	return client.Create(ctx, "apis/storage.k8s.io/v1/storageclasses", nil, map[string]any{
		"apiVersion": "storage.k8s.io/v1",
		"kind":       "StorageClass",
		"metadata": map[string]any{
			"name":        "standard",
			"annotations": map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner": "kubernetes.io/host-path",
	})
}
