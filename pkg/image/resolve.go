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
	// Make builds the image and reports its progress as that of a step.
	Make(ctx context.Context, step string) (v1.Image, error)
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
	Step   string // the step that loading into nodes belongs to

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
			sent, err := Loader{Store: r.Store, Sink: r.Sink, Step: r.Step}.Load(ctx, node, items...)
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
	if r.Makers != nil {
		if m, ok := r.Makers(full); ok {
			maker = m
		}
	}
	entry, err := r.Store.Find(full)
	// An image that this zr would make otherwise is made anew; what came from a
	// registry is what its name says.
	outdated := err == nil && entry.Source == Recipe && maker != nil && entry.Key != maker.Key()
	switch {
	case err == nil && !outdated:
		return entry, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return Entry{}, err
	}
	o := obtaining{Resolver: r, ref: ref, full: full, maker: maker, step: "image/" + ref}
	start := time.Now()
	r.emit(event.StepStarted{Step: o.step, Title: "get image " + ref})
	if outdated {
		entry, err = o.make(ctx, "zr makes it differently now")
	} else {
		entry, err = o.obtain(ctx)
	}
	if err != nil {
		r.emit(event.StepFailed{Step: o.step, Took: time.Since(start), Error: err.Error(), Hint: fault.HintOf(err), Cancelled: ctx.Err() != nil})
		return Entry{}, err
	}
	r.emit(event.StepDone{Step: o.step, Took: time.Since(start), Detail: obtained(entry)})
	return entry, nil
}

// obtained says how an image got into the store, in a few words.
func obtained(e Entry) string {
	how := "pulled"
	if e.Source == Recipe {
		how = "made on this machine"
	}
	return fmt.Sprintf("%s, %d MiB", how, e.Size>>20)
}

// obtaining is the step in which one image gets into the store.
type obtaining struct {
	*Resolver
	ref, full string
	maker     Maker // nil where zr cannot make it
	step      string
}

// obtain pulls the image, or makes it where no registry gives it.
func (o obtaining) obtain(ctx context.Context) (Entry, error) {
	if o.maker != nil && repositoryIsLocal(o.full) {
		return o.make(ctx, "no registry has it")
	}
	entry, err := o.pull(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
		return entry, err
	case o.maker != nil:
		return o.make(ctx, reason(err))
	case errors.Is(err, ErrUnreachable):
		return Entry{}, fault.Hint(err, "zr cannot make this image itself: connect to its registry once, and the store keeps it")
	}
	return Entry{}, err
}

// pull asks the registry, unless it did not answer before in this run.
func (o obtaining) pull(ctx context.Context) (Entry, error) {
	parsed, err := name.ParseReference(o.full, name.WeakValidation)
	if err != nil {
		return Entry{}, fmt.Errorf("parsing image reference %q: %w", o.ref, err)
	}
	host := parsed.Context().RegistryStr()
	if repositoryIsLocal(o.full) {
		return Entry{}, fmt.Errorf("image %q: %w: it exists on this machine only", o.ref, ErrNotFound)
	}
	o.mu.Lock()
	gone := o.gone[host]
	o.mu.Unlock()
	if gone != nil {
		return Entry{}, fmt.Errorf("pulling image %q: %w", o.ref, gone)
	}
	o.emit(event.StepProgress{Step: o.step, Detail: "pulling"})
	entry, err := o.Store.Pull(ctx, o.ref, o.Registry, stepProgress(o.Sink, o.step, "pulling"))
	if errors.Is(err, ErrUnreachable) {
		o.mu.Lock()
		if o.Resolver.gone == nil {
			o.Resolver.gone = map[string]error{}
		}
		o.gone[host] = errors.Unwrap(err)
		o.mu.Unlock()
	}
	return entry, err
}

func (o obtaining) make(ctx context.Context, why string) (Entry, error) {
	o.emit(event.Notice{Text: fmt.Sprintf("making image %s on this machine: %s", o.ref, why)})
	img, err := o.maker.Make(ctx, o.step)
	if err != nil {
		return Entry{}, fmt.Errorf("making image %q: %w", o.ref, err)
	}
	return o.Store.Put(ctx, o.full, img, Recipe, o.maker.Key())
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
