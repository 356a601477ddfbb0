// Package follow reads what the containers of a namespace write, without gaps
// and without repeats, over plain HTTP.
package follow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
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
	// Resume, where it is not nil, says how far a container of a pod was read
	// before: its log goes on there. The zero Cursor begins at the beginning.
	// It takes the place of Since and Tail, and every log is then followed at
	// once, in an order of its own.
	Resume func(podUID, container string) Cursor
}

// Line is a line that a container wrote.
type Line struct {
	Time                            time.Time // when the container runtime read it
	Service, Pod, PodUID, Container string
	Run                             int // how many runs of the container came before
	Text                            string
	sum                             uint64
}

// None is the Tail of a reader that wants only new lines.
const None = -1

// Reader reads the logs of one cluster. It is safe for concurrent use.
type Reader struct{ client *lean.Client }

// New returns a Reader for the cluster of a client.
func New(client *lean.Client) *Reader { return &Reader{client} }

// Follow passes every line that the options ask for to emit, which is called
// by one goroutine at a time. First come the lines that exist, in order of
// their time; then, with Options.Follow, those that are written: by new pods
// and restarted containers too, from their first line. A connection that
// breaks is fixed, and goes on at the line where it broke. (Lines that the
// kubelet rotated away while nobody was connected are beyond the API.)
//
// Follow returns nil when there is nothing left to read or ctx ends, and an
// error where the cluster refuses, or does not answer the first request.
func (r *Reader) Follow(ctx context.Context, o Options, emit func(Line)) error {
	var mu sync.Mutex
	f := &follower{client: r.client, options: o, pods: map[string]*follow{}, emit: func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			emit(l)
		}
	}}
	pods, version, err := f.list(ctx)
	if err != nil {
		return err
	}
	err = f.run(ctx, pods, version)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// follower is one call of Follow.
type follower struct {
	client  *lean.Client
	options Options
	emit    func(Line)
	pods    map[string]*follow // by UID
}

// follow is a pod that is followed. Its fields are shared with the goroutines
// of its containers.
type follow struct {
	uid string

	mu      sync.Mutex
	pod     *object.Pod
	changed chan struct{} // closed at the next change
	deleted bool
	sources map[string]*source // by the container's name
}

func (f *follower) wants(p *object.Pod) bool {
	return len(f.options.Services) == 0 || slices.Contains(f.options.Services, serviceOf(p))
}

func (f *follower) run(ctx context.Context, pods []*object.Pod, version string) error {
	if f.options.Resume != nil {
		for _, p := range pods {
			if f.wants(p) {
				f.admit(p)
			}
		}
		return f.follow(ctx, version)
	}
	var past []*source
	for _, p := range pods {
		if !f.wants(p) {
			continue
		}
		fp := f.admit(p)
		for _, c := range statuses(p) {
			if runOf(c) >= 0 {
				s := fp.source(f, c.Name)
				s.reading = runOf(c)
				past = append(past, s)
			}
		}
	}
	if err := f.replay(ctx, past); err != nil || !f.options.Follow {
		return err
	}
	return f.follow(ctx, version)
}

func (f *follower) follow(ctx context.Context, version string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, fp := range f.pods {
		f.start(ctx, g, fp)
	}
	g.Go(func() error { return f.watch(ctx, g, version) })
	return g.Wait()
}

// admit begins to keep the state of a pod.
func (f *follower) admit(p *object.Pod) *follow {
	fp := &follow{uid: p.UID, pod: p, changed: make(chan struct{}), sources: map[string]*source{}}
	f.pods[p.UID] = fp
	return fp
}

// source returns the reader of a container, made when it is first named.
func (fp *follow) source(f *follower, container string) *source {
	s := fp.sources[container]
	if s == nil {
		s = &source{follower: f, of: fp, service: serviceOf(fp.pod), pod: fp.pod.Name, container: container, seam: newSeam(), reading: -1}
		if f.options.Resume != nil {
			if c := f.options.Resume(fp.pod.UID, container); !c.Last.IsZero() {
				s.reading, s.seam = c.Run, c.seam()
			}
		}
		fp.sources[container] = s
	}
	return s
}

// start follows the containers of a pod that are not followed yet.
func (f *follower) start(ctx context.Context, g *errgroup.Group, fp *follow) {
	for _, c := range statuses(fp.pod) {
		s := fp.source(f, c.Name)
		if !s.started {
			s.started = true
			g.Go(func() error { return s.run(ctx) })
		}
	}
}

// update takes the newest state of a pod and wakes its containers.
func (fp *follow) update(p *object.Pod, deleted bool) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	fp.pod, fp.deleted = p, deleted
	close(fp.changed)
	fp.changed = make(chan struct{})
}

// look returns the state of a container, whether its pod is gone, and a
// channel that is closed at the next change.
func (fp *follow) look(container string) (object.ContainerStatus, bool, <-chan struct{}) {
	fp.mu.Lock()
	defer fp.mu.Unlock()
	for _, c := range statuses(fp.pod) {
		if c.Name == container {
			return c, fp.deleted, fp.changed
		}
	}
	return object.ContainerStatus{Name: container}, fp.deleted, fp.changed
}
