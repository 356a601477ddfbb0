package kind

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"zr/pkg/cluster/engine"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// recordKey is the annotation of the control plane's Node that holds a record.
const recordKey = "zr.dev/cluster"

// recordFile holds the same in the control plane's container. It is there also
// while the API server is not.
const recordFile = "/kind/zr.json"

// controlPlaneLabel is how Kubernetes marks the Node of a control plane.
const controlPlaneLabel = "node-role.kubernetes.io/control-plane"

// record is what zr writes down when a cluster is finished: what it was made
// with and cannot be changed afterwards.
type record struct {
	Ports     []Port `json:"ports"`
	Nodes     int    `json:"nodes"`
	NodeImage string `json:"nodeImage,omitempty"` // as the config asked for it
	MadeFrom  string `json:"madeFrom"`            // as EnsureNodeImage named it
}

// first returns the node that is made first, under the name that kind gives it.
func (p *provider) first(e engine.Engine) node {
	return node{p.opts.Name + "-" + controlPlane, e}
}

// finish writes the record and waits for the nodes.
func (p *provider) finish(ctx context.Context, e engine.Engine, img image) (*found, error) {
	text, err := json.Marshal(record{Ports: p.opts.Ports, Nodes: p.opts.Nodes, NodeImage: p.opts.NodeImage, MadeFrom: img.source})
	if err != nil {
		return nil, err
	}
	const write = "cat > " + recordFile + ".new && mv " + recordFile + ".new " + recordFile
	first := p.first(e)
	if err := first.Run(ctx, strings.NewReader(string(text)), nil, "sh", "-c", write); err != nil {
		return nil, err
	}
	if err := p.registered(ctx, func(ctx context.Context) error { return p.annotate(ctx, first.name, string(text)) }); err != nil {
		return nil, err
	}
	return p.await(ctx, nil)
}

// registered does something with a Node, as soon as its kubelet has made it: that
// asks an API server which does not answer yet again after up to seven seconds.
func (p *provider) registered(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("the kubelet did not register its node within %s", bootTimeout))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := do(ctx)
		if !lean.HasCode(err, http.StatusNotFound) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// written returns the record in a control plane's container, which need not
// run. It is empty for a cluster that was never finished, and only for that.
func written(ctx context.Context, first node, running bool) (string, error) {
	var text bytes.Buffer
	if running {
		err := first.Run(ctx, nil, &text, "sh", "-c", "test ! -e "+recordFile+" || cat "+recordFile)
		return text.String(), err
	}
	// The folder is in every node image, the file need not be: so an error is
	// never taken for an answer.
	if err := first.engine.Run(ctx, nil, &text, "cp", first.name+":"+path.Dir(recordFile), "-"); err != nil {
		return "", err
	}
	for files := tar.NewReader(&text); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if path.Base(header.Name) == path.Base(recordFile) {
			content, err := io.ReadAll(files)
			return string(content), err
		}
	}
}

// annotate puts a record on the control plane's Node.
func (p *provider) annotate(ctx context.Context, node, text string) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Patch(ctx, "api/v1/nodes/"+node, nil, lean.MergePatch, map[string]any{"metadata": map[string]any{
		"labels":      map[string]string{controlPlaneLabel: ""},
		"annotations": map[string]string{recordKey: text},
	}}, nil)
}

// client returns a client of the cluster that zr's kubeconfig names, with new
// connections: those of before may lead to a server that was stopped.
func (p *provider) client() (*kube.Client, error) {
	path, err := p.kubeconfig()
	if err != nil {
		return nil, err
	}
	cfg, err := kube.Load(path, contextName(p.opts.Name))
	if err != nil {
		return nil, err
	}
	return kube.New(cfg)
}
