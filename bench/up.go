package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"zr/internal/lab"
)

// benchNode is the node of the bench's cluster.
const benchNode = "zrtest-bench-dev-control-plane"

// benchUp compares the life of a cluster with what kind and kubectl take for
// their part of it.
func benchUp(b *bench) {
	p := lab.NewProject(b, ".", "zrtest-bench", map[string]int{"frontend": 14000, "api": 14001})
	p.Must("up") // images into the store, programs into the caches
	recreate(b, p)
	unchanged(b, p)
	oneLine(b, p)
}

// recreate takes a cluster from images in the store to a healthy stack, and
// beside it has kind make a bare cluster of the same node image.
func recreate(b *bench, p *lab.Project) {
	kind := newBareKind(b)
	image := strings.TrimSpace(lab.Output(b, "", lab.EngineName(), "inspect", "--format", "{{.ImageName}}", benchNode))
	const kept = "localhost/zrtest/bare-node:1" // zr takes its own name for the image away with the cluster
	lab.Output(b, "", lab.EngineName(), "tag", image, kept)
	b.Cleanup(func() {
		kind.run("delete", "cluster", "--name", "zrtest-bare")
		lab.Output(b, "", lab.EngineName(), "rmi", kept)
	})
	var ours, bare sample
	for range 5 {
		p.Must("down", "--purge", "--yes") // so that each runs alone
		bare.add(timed(func() {
			kind.run("create", "cluster", "--name", "zrtest-bare", "--image", kept, "--config", kind.config, "--wait", "3m")
		}))
		kind.run("delete", "cluster", "--name", "zrtest-bare")
		p.Must("up")
		ours.add(timed(func() {
			p.Must("down", "--purge", "--yes")
			p.Must("up")
		}))
	}
	row("bare: kind create cluster --wait", bare)
	row("zr down --purge --yes && zr up", ours)
	against("zr from the store to healthy", ours, bare)
}

// unchanged compares an up that has nothing to do with kubectl applying what
// is there already.
func unchanged(b *bench, p *lab.Project) {
	p.Must("up")
	rendered := desired(b, p.Kubectl("get", "deployments,statefulsets,services,networkpolicies", "-n", "zr-dev", "-o", "json"))
	var ours, bare sample
	for range 20 {
		bare.add(timed(func() { p.KubectlInput(rendered, "apply", "--server-side", "--force-conflicts", "-f", "-") }))
		ours.add(timed(func() { p.Must("up") }))
	}
	// What kubectl has applied is kubectl's as well, and zr takes nothing by force.
	p.Must("down", "--yes")
	row("bare: kubectl apply --server-side of the same objects", bare)
	row("zr up with nothing changed", ours)
	against("zr up with nothing changed", ours, bare)
}

// desired takes from objects what the API server added to them, so that they
// can be applied again and again.
func desired(b *bench, text string) string {
	var list map[string]any
	b.must(json.Unmarshal([]byte(text), &list))
	for _, item := range list["items"].([]any) {
		object := item.(map[string]any)
		delete(object, "status")
		metadata := object["metadata"].(map[string]any)
		for _, key := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"} {
			delete(metadata, key)
		}
	}
	out, err := json.Marshal(list)
	b.must(err)
	return string(out)
}

// oneLine compares what travels and how long it takes when one line of the api
// changes with a load of the whole image, as kind does it.
func oneLine(b *bench, p *lab.Project) {
	var ours, bare sample
	var sent int64
	for i := range 5 {
		edit(b, p.Path(leaf), i)
		r := p.Must("up", "-o", "json")
		for _, e := range r.Events {
			if e.Text("type") == "step.done" && e.Text("step") == "images" {
				took, _ := e["took"].(float64)
				ours.add(time.Duration(took))
			}
			if e.Text("type") == "step.progress" && e.Text("step") == "images" && e.Text("unit") == "bytes" {
				done, _ := e["done"].(float64)
				sent = int64(done)
			}
		}
		archive := exportImage(b, p)
		bare.add(timed(func() { importImage(b, archive) }))
	}
	row("bare: the whole image into the node (ctr images import)", bare)
	row("zr: what the node lacks", ours)
	against("zr loading one changed line", ours, bare)
	fmt.Printf("  %-58s %.1f MB\n", "bytes sent for one changed line of the api", float64(sent)/1e6)
}

// exportImage writes the api's image, as the node holds it, to a file.
func exportImage(b *bench, p *lab.Project) string {
	name := strings.TrimSpace(p.Kubectl("get", "deployment", "api", "-n", "zr-dev", "-o", "jsonpath={.spec.template.spec.containers[0].image}"))
	archive := filepath.Join(b.TempDir(), "image.tar")
	file, err := os.Create(archive)
	b.must(err)
	defer file.Close()
	export := exec.Command(lab.EngineName(), "exec", benchNode, "ctr", "-n", "k8s.io", "images", "export", "-", name)
	export.Stdout = file
	b.must(export.Run())
	return archive
}

// importImage is what `kind load image-archive` does.
func importImage(b *bench, archive string) {
	file, err := os.Open(archive)
	b.must(err)
	defer file.Close()
	load := exec.Command(lab.EngineName(), "exec", "-i", benchNode, "ctr", "-n", "k8s.io", "images", "import", "-")
	load.Stdin = file
	b.must(load.Run())
}
