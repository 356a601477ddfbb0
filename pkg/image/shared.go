package image

import (
	"context"
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

// patience is how often a layer that broke off is sent again: for half a minute, in
// which a laptop finds another network.
var patience = remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 6}

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
	to, err := remote.NewPusher(append(p.Registry.options(ctx), remote.WithRetryBackoff(patience))...)
	if err != nil {
		return err
	}
	repo := tag.Context()
	mine, theirs, done, err := p.Shared.claim(repo, layers)
	if err != nil {
		return err
	}
	if err = p.mend(ctx, repo, out, layers, mine); err == nil {
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(layersAtOnce)
		for _, layer := range append(mine, config) {
			group.Go(func() error { return to.Upload(gctx, repo, layer) })
		}
		err = group.Wait()
	}
	done(err == nil)
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
				digest, err := layer.Digest()
				if err != nil {
					return err
				}
				layer = &remote.MountableLayer{Layer: layer, Reference: from.repo.Digest(digest.String())}
			}
			return to.Upload(gctx, repo, layer)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if p.Made != nil {
		if err := p.attach(ctx, to, repo, img, out.base, *p.Made); err != nil {
			return err
		}
	}
	return to.Put(ctx, tag, img)
}
