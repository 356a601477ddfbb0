package image

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// layersAtOnce is how many layers of one image travel at once: more fill no line
// that four do not.
const layersAtOnce = 4

// patience is how often what broke off is tried again: for half a minute, in which a
// laptop finds another network.
var patience = remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 6}

// patiently does again what failed, where that is worth it, after the pauses of tries and
// as often as it has.
func patiently(ctx context.Context, tries *remote.Backoff, worth func(error) bool, do func() error) error {
	for {
		err := do()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !worth(err) || tries.Steps <= 1:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(tries.Step()):
		}
	}
}

// Shared knows which repositories of a registry have which layers. So images that are
// pushed in one run send what they have in common once: the registry mounts it into the
// other repositories. The zero value knows nothing yet. It is safe for concurrent use.
type Shared struct {
	mu     sync.Mutex
	layers map[v1.Hash]*holder
}

// holder is a repository that has a layer, or is sent it now.
type holder struct {
	repo name.Repository
	done chan struct{} // closed when it has it, or when that failed
	held bool          // to be read after done
}

// claim splits layers into those that a push to a repository has to send, and
// those that another one sends or has sent, with where they are then. Whoever
// claims calls done.
func (s *Shared) claim(repo name.Repository, layers []v1.Layer) (mine []v1.Layer, theirs map[v1.Layer]*holder, done func(sent bool), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.layers == nil {
		s.layers = map[v1.Hash]*holder{}
	}
	theirs = map[v1.Layer]*holder{}
	var own []*holder
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return nil, nil, nil, err
		}
		if h := s.layers[digest]; h != nil && !h.failed() {
			theirs[layer] = h
			continue
		}
		h := &holder{repo: repo, done: make(chan struct{})}
		s.layers[digest] = h
		mine, own = append(mine, layer), append(own, h)
	}
	return mine, theirs, func(sent bool) {
		for _, h := range own {
			h.held = sent
			close(h.done)
		}
	}, nil
}

func (h *holder) failed() bool {
	select {
	case <-h.done:
		return !h.held
	default:
		return false
	}
}

// has notes that a repository has layers.
func (s *Shared) has(repo name.Repository, layers []v1.Layer) error {
	_, _, done, err := s.claim(repo, layers)
	if err == nil {
		done(true)
	}
	return err
}

// send makes a repository hold the blobs of an image, and then its manifest. What
// nobody else sends goes first, so that no two images wait for each other.
func (p Pusher) send(ctx context.Context, out *outgoing, img v1.Image, tag name.Tag) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return err
	}
	repo := tag.Context()
	to, err := p.courier(ctx, repo)
	if err != nil {
		return err
	}
	mine, theirs, done, err := p.Shared.claim(repo, layers)
	if err != nil {
		return err
	}
	if err = p.mend(ctx, to.blobs, out, layers, mine); err == nil {
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(layersAtOnce)
		for _, layer := range append(mine, config) {
			group.Go(func() error { return to.send(gctx, layer, nil) })
		}
		err = group.Wait()
	}
	done(err == nil)
	if err != nil {
		return err
	}
	if err := p.share(ctx, to, theirs); err != nil {
		return err
	}
	tries := patience
	return patiently(ctx, &tries, brokeOff, func() error {
		if p.Made != nil {
			if err := p.attach(ctx, to.Pusher, repo, img, out.base, *p.Made); err != nil {
				return err
			}
		}
		return to.Put(ctx, tag, img)
	})
}

// share has a repository mount layers that other pushes of the run send. It is sent what it
// cannot mount.
func (p Pusher) share(ctx context.Context, to *courier, theirs map[v1.Layer]*holder) error {
	if len(theirs) == 0 {
		return nil
	}
	var others []name.Repository
	for _, from := range theirs {
		if from.repo != to.repo && !slices.Contains(others, from.repo) {
			others = append(others, from.repo)
		}
	}
	to, err := p.courier(ctx, to.repo, others...)
	if err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(layersAtOnce)
	for layer, from := range theirs {
		group.Go(func() error {
			select {
			case <-gctx.Done():
				return gctx.Err()
			case <-from.done:
			}
			if from.held {
				return to.send(gctx, layer, &from.repo)
			}
			return to.send(gctx, layer, nil)
		})
	}
	return group.Wait()
}

// courier sends what images are made of to a repository.
type courier struct {
	*blobs
	*remote.Pusher
}

// courier signs in to the registry of a repository. It reads those of others as well.
func (p Pusher) courier(ctx context.Context, repo name.Repository, others ...name.Repository) (*courier, error) {
	var to *blobs
	tries := patience
	err := patiently(ctx, &tries, worthRetrying, func() (err error) {
		to, err = p.Registry.blobsOf(ctx, repo, others...)
		return err
	})
	if err != nil {
		return nil, err
	}
	once := remote.WithRetryBackoff(remote.Backoff{Steps: 1}) // patience is ours, and ends where ctx does
	pusher, err := remote.NewPusher(append(p.Registry.options(ctx), remote.WithTransport(to.client.Transport), once)...)
	return &courier{to, pusher}, err
}

// send makes the repository hold a layer, which another may have already.
func (c *courier) send(ctx context.Context, layer v1.Layer, from *name.Repository) error {
	if media, err := layer.MediaType(); err != nil || !media.IsDistributable() {
		return err
	}
	digest, err := layer.Digest()
	if err != nil {
		return err
	}
	size, err := layer.Size()
	if err != nil {
		return err
	}
	u := upload{to: c.blobs, digest: digest, size: size, from: from}
	u.open = func(at int64) (io.ReadCloser, error) { return open(layer, at) }
	if err := u.run(ctx); !errors.Is(err, errElsewhere) {
		return err
	}
	return c.Upload(ctx, c.repo, layer)
}
