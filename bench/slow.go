package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zr/internal/lab"
	"zr/pkg/image"
)

// How often each step is measured over each line.
const (
	slowPushes = 3
	slowUps    = 5
	slowSaved  = 3
	slowSaves  = 10
	slowAsleep = time.Minute
	slowTrips  = 4 // what a save may take beyond the bare build and its bytes, in round trips
)

// slowConfig and slowOverlay are the api alone on a cluster that is there already,
// with a registry. It is asked whether it is alive, which needs no database.
const (
	slowConfig = `project: zrtest-bench-slow
cluster: {provider: context, context: kind-zrtest-bench-slow-dev, registry: "%s/api", deltaPush: true}
services:
  api: {build: {go: ./cmd/zr-api}}
`
	slowOverlay = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: zr-slow
resources: [namespace.yaml, ../../base/api]
configMapGenerator: [{name: settings, literals: [LOG_LEVEL=info]}]
secretGenerator: [{name: secrets, literals: ["DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "REDIS_URL=redis://127.0.0.1:1"]}]
patches:
  - target: {kind: Deployment, name: api}
    patch: |
      - {op: replace, path: /spec/template/spec/containers/0/readinessProbe/httpGet/path, value: /health/live}
`
)

// slow is a developer at the other end of a slow line.
type slow struct {
	*lab.Project
	line     *slowNetwork
	registry string // that the nodes pull from
	bare     string // a copy of the project that the bare compiler works on
	edits    int    // so far: each is another than all before
}

// benchSlow measures what one changed line of the api costs over a slow line to the
// cluster and its registry, beside a push of the whole image.
func benchSlow(b *bench) {
	s := newSlow(b)
	for _, trip := range []time.Duration{50 * time.Millisecond, 150 * time.Millisecond} {
		s.line.delay.Store(int64(trip / 2))
		fmt.Printf("  %s of round trip, 10 Mbit/s\n", trip)
		full, fullBytes := s.push(b)
		row("push of the whole image", full)
		s.saved(b, fullBytes)
		s.up(b, fullBytes)
		s.dev(b, trip, fullBytes)
	}
}

func newSlow(b *bench) *slow {
	shared := lab.NewProject(b, "examples/hello", "zrtest-bench-slow", map[string]int{"greeter": 14020, "web": 14021})
	kubeconfig := filepath.Join(b.TempDir(), "kubeconfig")
	shared.Env = []string{"KUBECONFIG=" + kubeconfig}
	shared.Must("up", "--merge-kubeconfig")
	s := &slow{line: newSlowNetwork(b), bare: lab.Copy(b, ".")}
	s.registry = newRegistry(b)
	shared.InNode("sh", "-c", fmt.Sprintf(`mkdir -p "/etc/containerd/certs.d/%[1]s"
printf 'server = "http://%[1]s"\n[host."http://%[1]s"]\n' > "/etc/containerd/certs.d/%[1]s/hosts.toml"
grep -q certs.d /etc/containerd/config.toml || printf '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n' >> /etc/containerd/config.toml
systemctl restart containerd`, s.registry))

	text, err := os.ReadFile(kubeconfig)
	b.must(err)
	node := strings.TrimSpace(shared.InNode("sh", "-c", "hostname -I | cut -d' ' -f1"))
	before, rest, _ := strings.Cut(string(text), "server: ")
	_, after, _ := strings.Cut(rest, "\n")
	b.must(os.WriteFile(kubeconfig, []byte(before+"server: https://"+net.JoinHostPort(node, "6443")+"\n"+after), 0o600))

	s.Project = &lab.Project{T: b, Dir: lab.Copy(b, "."), Name: "zrtest-bench-slow", Env: shared.Env, Within: []string{"ip", "netns", "exec", slowSpace}}
	s.use(s.registry)
	b.Cleanup(func() { s.ZR("down", "--env", "slow", "--purge", "--yes") }) // or the cluster stays for it
	s.Write("kustomize/overlays/slow/kustomization.yaml", slowOverlay)
	s.Write("kustomize/overlays/slow/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: zr-slow}\n")
	return s
}

// newRegistry is an empty registry at this end of the line.
func newRegistry(b *bench) string {
	listener, err := net.Listen("tcp", net.JoinHostPort(slowHere, "0"))
	b.must(err)
	lab.ServeRegistry(b, listener)
	return listener.Addr().String()
}

// use has images go to a registry.
func (s *slow) use(registry string) {
	s.Write("config/slow.yaml", fmt.Sprintf(slowConfig, registry))
}

// edit changes one line in a copy of the project.
func (s *slow) edit(b *bench, dir string) {
	s.edits++
	edit(b, filepath.Join(dir, leaf), s.edits)
}

// push sends the image to registries that have nothing yet.
func (s *slow) push(b *bench) (took sample, bytes int64) {
	for range slowPushes {
		s.use(newRegistry(b))
		before := s.line.bytes.Load()
		took.add(timed(func() { s.Must("images", "push", "--env", "slow") }))
		bytes = s.line.bytes.Load() - before
	}
	s.use(s.registry)
	fmt.Printf("  %-58s %.2f MB\n", "the whole image on the line", float64(bytes)/1e6)
	return took, bytes
}

// saved measures what tools do that have a container engine build: it is given the image
// of each change, and pushes what its registry lacks.
func (s *slow) saved(b *bench, full int64) {
	store, err := image.DefaultDir()
	b.must(err)
	images, err := image.Open(store)
	b.must(err)
	defer images.Close()
	there := s.registry + "/saved"
	engine := func(args ...string) string {
		line := slices.Concat(s.Within, []string{lab.EngineName()}, args)
		return lab.Output(b, "", line[0], line[1:]...)
	}
	b.Cleanup(func() { engine("rmi", "--force", there) })
	var took sample
	var bytes []int64
	for i := range 1 + slowSaved {
		s.edit(b, s.Dir)
		name := strings.TrimSpace(s.Must("images", "build", "--env", "slow").Stdout)
		before := s.line.bytes.Load()
		pushed := timed(func() {
			archive, err := os.Create(filepath.Join(b.TempDir(), "image.tar"))
			b.must(err)
			b.must(images.Save(context.Background(), name, archive))
			b.must(archive.Close())
			loaded := strings.Fields(engine("load", "--quiet", "--input", archive.Name()))
			engine("tag", loaded[len(loaded)-1], there)
			engine("push", "--quiet", "--tls-verify=false", there)
		})
		if i > 0 { // the first has the base go along
			took.add(pushed)
			bytes = append(bytes, s.line.bytes.Load()-before)
		}
	}
	row("the same by "+lab.EngineName()+" load and push", took)
	fewer("bytes of it", bytes, full, 0)
}

// up measures `zr up` after one changed line.
func (s *slow) up(b *bench, full int64) {
	s.Must("up", "--env", "slow", "--yes")
	var took sample
	var bytes []int64
	for range slowUps {
		s.edit(b, s.Dir)
		before := s.line.bytes.Load()
		took.add(timed(func() { s.Must("up", "--env", "slow") }))
		bytes = append(bytes, s.line.bytes.Load()-before)
	}
	row("one changed line → `zr up` is done", took)
	fewer("bytes of it", bytes, full, 10)
}

// dev measures a save under `zr dev`, in turns with the bare compiler.
func (s *slow) dev(b *bench, trip time.Duration, full int64) {
	dev := s.Start("dev", "--env", "slow", "--yes")
	dev.Wait(0, "the api to be ready", func(e lab.Event) bool { return e.Text("type") == "ready" })
	out := filepath.Join(b.TempDir(), "zr-api")
	var took, bare, beyond sample
	var bytes []int64
	for i := range 2 + slowSaves {
		s.edit(b, s.bare)
		bareTook := timed(func() { bareBuild(b, s.bare, out) })
		mark, before := dev.Mark(), s.line.bytes.Load()
		ours := timed(func() {
			s.edit(b, s.Dir)
			dev.Wait(mark, "the api to be live", func(e lab.Event) bool { return e.Text("type") == "reload" })
		})
		if carried := s.line.bytes.Load() - before; i >= 2 {
			took.add(ours)
			bare.add(bareTook)
			bytes = append(bytes, carried)
			beyond.add(ours - bareTook - time.Duration(float64(carried)/slowRate*float64(time.Second)))
		}
	}
	s.asleep(b, dev)
	dev.Interrupt()
	row("bare: go build", bare)
	row("save of a Go file → zr has heard that it is live", took)
	fmt.Printf("  %-58s %.1f round trips, at most %d\n", "beyond the bare build and its bytes", float64(beyond.median())/float64(trip), slowTrips)
	fewer("bytes of it", bytes, full, 100)
}

// asleep takes the line away for as long as a laptop sleeps, brings it back with another
// address, and measures until a save of meanwhile is live, and then an ordinary one.
func (s *slow) asleep(b *bench, dev *lab.Running) {
	live := func(mark int, what string) {
		if reload := dev.Wait(mark, what, func(e lab.Event) bool { return e.Text("type") == "reload" }); reload.Text("error") != "" {
			b.Fatalf("%s: %v", what, reload)
		}
	}
	mark := dev.Mark()
	s.line.down.Store(true)
	s.edit(b, s.Dir)
	lost := dev.Wait(mark, "zr to say that the connection is lost", func(e lab.Event) bool { return e.Text("type") == "service.state" && e.Text("state") == "starting" })
	time.Sleep(slowAsleep)
	s.line.move(b, slowThere, slowMoved)
	var back, next sample
	back.add(timed(func() {
		s.line.down.Store(false)
		live(mark, "the save of meanwhile")
	}))
	mark = dev.Mark()
	next.add(timed(func() {
		s.edit(b, s.Dir)
		live(mark, "the save after it")
	}))
	s.line.move(b, slowMoved, slowThere)
	fmt.Printf("  without a line zr says of the api: %s\n", lost.Text("reason"))
	row(fmt.Sprintf("%s later, from another address → the save of meanwhile is live", slowAsleep), back)
	row("the next save", next)
}

// fewer prints how many bytes a step takes beside the whole image, and how many times
// fewer they should be at least, where there is such a bound.
func fewer(what string, bytes []int64, full int64, atLeast int) {
	slices.Sort(bytes)
	median, bound := bytes[len(bytes)/2], ""
	if atLeast > 0 {
		bound = fmt.Sprintf(", at least %d ×", atLeast)
	}
	fmt.Printf("  %-58s %.1f kB, %.1f × fewer than the whole image%s   n=%d\n", what, float64(median)/1e3, float64(full)/float64(median), bound, len(bytes))
}
