// Package logs follows what the containers of a namespace write, without gaps
// and without repeats.
package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"zr/pkg/event"
)

// Options says which lines to read.
type Options struct {
	Namespace string
	// Services narrows to the pods of these workloads: the Deployments,
	// StatefulSets, DaemonSets or Jobs that own them. Empty means all.
	Services []string
	// Selector narrows to pods with these labels, as kubectl -l does.
	Selector string
	// Since leaves out lines of running containers from before. Containers
	// that start later are read from their beginning.
	Since time.Time
	// Tail is how many of the last lines of each running container to begin
	// with: 0 means all since Since, and None means only new ones.
	Tail int
	// Follow goes on until the context ends. Without it, what there is is
	// read once.
	Follow bool
}

// None is the Tail of a reader that wants only new lines.
const None = -1

// Reader reads the logs of one cluster. It is safe for concurrent use.
type Reader struct{ kube *kube }

// New returns a Reader for the cluster of cfg. It does no I/O.
func New(cfg *rest.Config) (*Reader, error) {
	k, err := newKube(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing to read logs: %w", err)
	}
	return &Reader{kube: k}, nil
}

// Follow passes every line that the options ask for to emit, which is called
// by one goroutine at a time. First come the lines that exist, in order of
// their time; then, with Options.Follow, those that are written: by new pods
// and restarted containers too, from their first line. A connection that
// breaks is mended, and goes on at the line where it broke. (Lines that the
// kubelet rotated away while nobody was connected are beyond the API.)
//
// Follow returns nil when there is nothing left to read or ctx ends, and an
// error where the cluster refuses, or does not answer the first request.
func (r *Reader) Follow(ctx context.Context, o Options, emit func(event.LogLine)) error {
	list, err := r.kube.pods(ctx, o.Namespace, o.Selector)
	if err != nil {
		return fmt.Errorf("following logs in namespace %q: %w", o.Namespace, err)
	}
	var mu sync.Mutex
	f := &follower{kube: r.kube, options: o, pods: map[string]*follow{}, emit: func(l event.LogLine) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			emit(l)
		}
	}}
	err = f.run(ctx, list)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// follower is one call of Follow.
type follower struct {
	kube    *kube
	options Options
	emit    func(event.LogLine)
	pods    map[string]*follow // by UID
}

// follow is a pod that is followed. Its fields are shared with the goroutines
// of its containers.
type follow struct {
	mu      sync.Mutex
	pod     pod
	changed chan struct{} // closed at the next change
	deleted bool
	sources map[string]*source // by the container's name
}

func (f *follower) wants(p pod) bool {
	return len(f.options.Services) == 0 || slices.Contains(f.options.Services, p.service())
}

func (f *follower) run(ctx context.Context, list podList) error {
	var past []*source
	for _, p := range list.Items {
		if !f.wants(p) {
			continue
		}
		fp := f.admit(p)
		for _, c := range p.containers() {
			if c.instance() >= 0 {
				s := fp.source(f, c.Name)
				s.reading = c.instance()
				past = append(past, s)
			}
		}
	}
	if err := f.replay(ctx, past); err != nil || !f.options.Follow {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, fp := range f.pods {
		f.start(ctx, g, fp)
	}
	g.Go(func() error { return f.watch(ctx, g, list.Metadata.ResourceVersion) })
	return g.Wait()
}

// admit begins to keep the state of a pod.
func (f *follower) admit(p pod) *follow {
	fp := &follow{pod: p, changed: make(chan struct{}), sources: map[string]*source{}}
	f.pods[p.Metadata.UID] = fp
	return fp
}

// source returns the reader of a container, made when it is first named.
func (fp *follow) source(f *follower, container string) *source {
	s := fp.sources[container]
	if s == nil {
		s = &source{follower: f, of: fp, service: fp.pod.service(), pod: fp.pod.Metadata.Name, container: container, seam: newSeam(), reading: -1}
		fp.sources[container] = s
	}
	return s
}

// start follows the containers of a pod that are not followed yet.
func (f *follower) start(ctx context.Context, g *errgroup.Group, fp *follow) {
	for _, c := range fp.pod.containers() {
		s := fp.source(f, c.Name)
		if !s.started {
			s.started = true
			g.Go(func() error { return s.run(ctx) })
		}
	}
}

// update takes the newest state of a pod and wakes its containers.
func (fp *follow) update(p pod, deleted bool) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	fp.pod, fp.deleted = p, deleted
	close(fp.changed)
	fp.changed = make(chan struct{})
}

// look returns the state of a container, whether its pod is gone, and a
// channel that is closed at the next change.
func (fp *follow) look(container string) (containerStatus, bool, <-chan struct{}) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	for _, c := range fp.pod.containers() {
		if c.Name == container {
			return c, fp.deleted, fp.changed
		}
	}
	return containerStatus{Name: container}, fp.deleted, fp.changed
}
