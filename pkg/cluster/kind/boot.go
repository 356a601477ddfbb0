package kind

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/event"
)

// skipPhases are the parts of kubeadm init that a node made from zr's own
// image does without: it has all images (preflight looks for them); it is to
// run pods (mark-control-plane keeps them off); and restarting the kubelet to
// read its certificate from another file (kubelet-finalize) delays the first
// pods by two seconds, while the kubelet prefers its own rotated certificate
// either way.
const skipPhases = "preflight,mark-control-plane,kubelet-finalize"

// kubeletConf is a file that kubeadm writes soon, and after admin.conf: when it
// is there, the other is whole.
const kubeletConf = "/etc/kubernetes/kubelet.conf"

// storageManifests is where kind looks for them, too.
const storageManifests = "/kind/manifests/default-storage.yaml"

// kubeadmInit leaves the patch that it reads in the node, and runs kubeadm.
const kubeadmInit = "mkdir -p " + patchesFolder + " && cat > " + patchesFolder + "/corednsdeployment+strategic.yaml && " +
	"exec kubeadm init --config=/kind/kubeadm.conf --skip-token-print --skip-phases=" + skipPhases

// boot starts Kubernetes in the one node that kind has provisioned from zr's
// own image. It does what kind would go on to do (kubeadm init, no taint, the
// StorageClass that falls back on the host's disk), but through the API instead
// of a kubectl for each, which saves two to three of fourteen seconds, and it
// can be cancelled.
func (p *provider) boot(ctx context.Context, e engine.Engine, callback *nodeUp, sink event.Sink) error {
	callback.start(ctx, func(ctx context.Context) ([]cluster.Node, error) { return p.nodesUp(ctx, e) })
	first := p.first(e)
	both, booting := errgroup.WithContext(ctx)
	both.Go(func() error { return kubeadm(booting, first, sink) })
	both.Go(func() error {
		// While the control plane boots, there is time to take its kubeconfig.
		wait := "until test -e " + kubeletConf + "; do sleep 0.1; done"
		if err := first.Run(booting, nil, nil, "sh", "-c", wait); err != nil {
			return err
		}
		return p.refreshKubeconfig(booting, e)
	})
	if err := both.Wait(); err != nil {
		return err
	}
	return p.addStorage(ctx, first)
}

// kubeadm runs kubeadm init and shows which of its phases it is in.
func kubeadm(ctx context.Context, first node, sink event.Sink) error {
	phases := &phaseWriter{sink: sink}
	err := first.Run(ctx, strings.NewReader(quickDNS), phases, "sh", "-c", kubeadmInit)
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

// addStorage applies what the node image brings for claims that name no class,
// as kind does; an image without gets the class that the controller manager
// serves from the node's disk.
func (p *provider) addStorage(ctx context.Context, first node) error {
	const create = "! test -e " + storageManifests + " || exec kubectl --kubeconfig=/etc/kubernetes/admin.conf create -f " + storageManifests + " -o name"
	var made bytes.Buffer
	if err := first.Run(ctx, nil, &made, "sh", "-c", create); err != nil {
		return fmt.Errorf("adding the storage of the node image: %w", err)
	}
	if made.Len() > 0 {
		return nil
	}
	api, err := p.api()
	if err != nil {
		return err
	}
	defer api.Close()
	return api.Create(ctx, "/apis/storage.k8s.io/v1/storageclasses", map[string]any{
		"apiVersion": "storage.k8s.io/v1",
		"kind":       "StorageClass",
		"metadata": map[string]any{
			"name":        "standard",
			"annotations": map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner": "kubernetes.io/host-path",
	})
}
