package image

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// Maker makes one image where no registry can give it.
type Maker interface {
	// Key changes with everything that the image is made from.
	Key() string
	// Make builds the image. It reports its own progress.
	Make(ctx context.Context) (v1.Image, error)
}

// Resolver finds the images of others: on the node, in the store, in a
// registry, or by making them, in this order. It is safe for concurrent use;
// of several calls for one image, one does the work.
type Resolver struct {
	Store    *Store
	Registry Registry
	// Makers returns how an image is made, by its normalized name. May be nil.
	Makers func(ref string) (Maker, bool)
	Sink   event.Sink
	Step   string // the step that progress belongs to

	mu      sync.Mutex
	running map[string]*resolution
	gone    map[string]error // registries that did not answer in this run
}

type resolution struct {
	done  chan struct{}
	entry Entry
	err   error
}

// Ensure makes nodes hold images under the names that manifests use. A node
// that knows a name is left alone, whatever the store says.
func (r *Resolver) Ensure(ctx context.Context, nodes []Node, refs ...string) (Stats, error) {
	start := time.Now()
	var total Stats
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, node := range nodes {
		group.Go(func() error {
			held, err := Has(ctx, node, refs...)
			if err != nil {
				return err
			}
			items, err := r.items(ctx, held, refs)
			if err != nil || len(items) == 0 {
				return err
			}
			sent, err := Loader{Sink: r.Sink, Step: r.Step}.Load(ctx, node, items...)
			mu.Lock()
			defer mu.Unlock()
			total.add(sent)
			return err
		})
	}
	err := group.Wait()
	total.Took = time.Since(start)
	return total, err
}

// items resolves, in parallel, the refs that are not held.
func (r *Resolver) items(ctx context.Context, held map[string]string, refs []string) ([]Item, error) {
	var missing []string
	for _, ref := range refs {
		if _, ok := held[ref]; !ok {
			missing = append(missing, ref)
		}
	}
	items := make([]Item, len(missing))
	group, ctx := errgroup.WithContext(ctx)
	for i, ref := range missing {
		group.Go(func() error {
			img, err := r.Resolve(ctx, ref)
			items[i] = Item{Name: ref, Image: img}
			return err
		})
	}
	return items, group.Wait()
}

// Resolve returns an image from the store, and gets it there first where it
// is not: from its registry, or by making it.
func (r *Resolver) Resolve(ctx context.Context, ref string) (v1.Image, error) {
	entry, err := r.Fetch(ctx, ref)
	if err != nil {
		return nil, err
	}
	return r.Store.Get(ctx, entry.Name)
}

// Fetch is Resolve without opening the image.
func (r *Resolver) Fetch(ctx context.Context, ref string) (Entry, error) {
	full, err := Normalize(ref)
	if err != nil {
		return Entry{}, err
	}
	for {
		r.mu.Lock()
		other, busy := r.running[full]
		if !busy {
			break
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return Entry{}, context.Cause(ctx)
		case <-other.done:
		}
		// The work of a caller that was cancelled is no verdict for this one.
		if other.err == nil || !errors.Is(other.err, context.Canceled) {
			return other.entry, other.err
		}
	}
	mine := &resolution{done: make(chan struct{})}
	if r.running == nil {
		r.running = map[string]*resolution{}
	}
	r.running[full] = mine
	r.mu.Unlock()

	mine.entry, mine.err = r.fetch(ctx, ref, full)

	r.mu.Lock()
	delete(r.running, full)
	r.mu.Unlock()
	close(mine.done)
	return mine.entry, mine.err
}

func (r *Resolver) fetch(ctx context.Context, ref, full string) (Entry, error) {
	var maker Maker
	var makeable bool
	if r.Makers != nil {
		maker, makeable = r.Makers(full)
	}
	entry, err := r.Store.Find(full)
	if err == nil {
		// An image that this zr would make otherwise is made anew; what came
		// from a registry is what its name says.
		if entry.Source != Recipe || !makeable || entry.Key == maker.Key() {
			return entry, nil
		}
		return r.make(ctx, ref, full, maker, "zr makes it differently now")
	}
	if !errors.Is(err, ErrNotFound) {
		return Entry{}, err
	}
	if makeable && repositoryIsLocal(full) {
		return r.make(ctx, ref, full, maker, "no registry has it")
	}
	entry, err = r.pull(ctx, ref, full)
	switch {
	case err == nil || ctx.Err() != nil:
		return entry, err
	case makeable:
		return r.make(ctx, ref, full, maker, reason(err))
	case errors.Is(err, ErrUnreachable):
		return Entry{}, fault.Hint(err, "zr cannot make this image itself: connect to its registry once, and the store keeps it")
	}
	return Entry{}, err
}

// pull asks the registry, unless it did not answer before in this run.
func (r *Resolver) pull(ctx context.Context, ref, full string) (Entry, error) {
	parsed, err := name.ParseReference(full, name.WeakValidation)
	if err != nil {
		return Entry{}, fmt.Errorf("parsing image reference %q: %w", ref, err)
	}
	host := parsed.Context().RegistryStr()
	if repositoryIsLocal(full) {
		return Entry{}, fmt.Errorf("image %q: %w: it exists on this machine only", ref, ErrNotFound)
	}
	r.mu.Lock()
	gone := r.gone[host]
	r.mu.Unlock()
	if gone != nil {
		return Entry{}, fmt.Errorf("pulling image %q: %w", ref, gone)
	}
	r.emit(event.StepProgress{Step: r.Step, Detail: "pulling " + ref})
	entry, err := r.Store.Pull(ctx, ref, r.Registry, stepProgress(r.Sink, r.Step, "pulling "+ref))
	if errors.Is(err, ErrUnreachable) {
		r.mu.Lock()
		if r.gone == nil {
			r.gone = map[string]error{}
		}
		r.gone[host] = errors.Unwrap(err)
		r.mu.Unlock()
	}
	return entry, err
}

func (r *Resolver) make(ctx context.Context, ref, full string, maker Maker, why string) (Entry, error) {
	r.emit(event.Notice{Text: fmt.Sprintf("making image %s on this machine: %s", ref, why)})
	img, err := maker.Make(ctx)
	if err != nil {
		return Entry{}, fmt.Errorf("making image %q: %w", ref, err)
	}
	return r.Store.Put(ctx, full, img, Recipe, maker.Key())
}

// reason is why a registry did not give an image, in a few words.
func reason(err error) string {
	if errors.Is(err, ErrUnreachable) {
		return ErrUnreachable.Error()
	}
	return err.Error()
}

func (r *Resolver) emit(e event.Event) {
	if r.Sink != nil {
		r.Sink.Emit(e)
	}
}
