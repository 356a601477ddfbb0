package image

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/event"
)

// Delta is a layer that a registry lacks, and an older one that it has, of which little
// has changed.
type Delta struct {
	// Blobs is the address of the repository's blobs, with a slash at its end.
	Blobs string
	// Authorization is the header that lets its bearer read the repository and push
	// to it, for as long as the registry says; empty where anybody may.
	Authorization string
	From, To      DeltaLayer
}

// DeltaLayer is one of the layers of a Delta.
type DeltaLayer struct {
	Digest string // of what a registry has
	Packed int64  // size of that, in bytes
	File   string // its content, on this machine
	Size   int64  // of the content, in bytes
}

// Mender makes a registry hold a layer of a Delta without the layer leaving this
// machine. It is safe for concurrent use.
type Mender interface {
	// Mend does nothing where that would save too little.
	Mend(ctx context.Context, d Delta) error
}

const (
	// deltaLeast is the size in bytes, as a registry has it, from which a layer may
	// travel as what changed: a smaller one takes a second at 10 Mbit/s.
	deltaLeast = 1 << 20
	// deltaBases is how many older images of a service are looked at.
	deltaBases = 4
)

// mend has p.Mender push what the registry lacks of mine, which are some of all layers
// of an image, as far as it can. What it cannot is left to whoever pushes whole layers.
func (p Pusher) mend(ctx context.Context, repo name.Repository, out *outgoing, all, mine []v1.Layer) error {
	if p.Mender == nil {
		return nil
	}
	for n, layer := range all {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		made, ok := out.layers[digest].(*compressedLayer)
		if !ok || made.desc.Size < deltaLeast || !slices.Contains(mine, layer) {
			continue
		}
		older, err := p.older(out.base, made, len(all)-n)
		if err == nil {
			err = p.mendOne(ctx, repo, made, older)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && p.Sink != nil {
			p.Sink.Emit(event.Notice{Text: fmt.Sprintf("a layer of %s travels as a whole: %v", repo, err)})
		}
	}
	return nil
}

// mendOne has the registry hold a layer of which it has one of older.
func (p Pusher) mendOne(ctx context.Context, repo name.Repository, layer *compressedLayer, older []*compressedLayer) error {
	if len(older) == 0 {
		return nil
	}
	r, err := p.blobsOf(ctx, repo)
	if err != nil {
		return err
	}
	if has, err := r.has(ctx, layer.desc.Digest); has || err != nil {
		return err
	}
	if strings.HasPrefix(r.seen.authorization, "Basic ") {
		return nil // somebody's password, which leaves this machine for the registry alone
	}
	for _, from := range older {
		has, err := r.has(ctx, from.desc.Digest)
		if err != nil {
			return err
		}
		if has {
			return p.Mender.Mend(ctx, Delta{
				Blobs: r.address(), Authorization: r.seen.authorization, From: p.Store.deltaLayer(from), To: p.Store.deltaLayer(layer),
			})
		}
	}
	return nil
}

func (s *Store) deltaLayer(l *compressedLayer) DeltaLayer {
	d := DeltaLayer{Digest: l.desc.Digest.String(), Packed: l.desc.Size, File: s.blobPath(l.diffID)}
	if info, err := os.Stat(d.File); err == nil {
		d.Size = info.Size()
	}
	return d
}

// older returns what earlier images of the same service as img have in place of a layer,
// which is the nth from the top, the last used first: those that were pushed once, and
// are of about the same size.
func (p Pusher) older(img v1.Image, layer *compressedLayer, n int) (found []*compressedLayer, err error) {
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	entries, err := p.Store.List()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.desc.Digest == digest })
	if i < 0 {
		return nil, nil
	}
	service := repositoryOf(entries[i].Name)
	looked := 0
	for _, entry := range entries {
		manifest, _, err := p.Store.manifest(entry.desc)
		if repositoryOf(entry.Name) != service || err != nil || len(manifest.Layers) < n || looked == deltaBases {
			continue
		}
		desc := manifest.Layers[len(manifest.Layers)-n]
		if desc.MediaType != types.OCIUncompressedLayer || desc.Digest == layer.diffID || !p.Store.hasBlob(desc.Digest, desc.Size) {
			continue
		}
		looked++
		old := &compressedLayer{store: p.Store, diffID: desc.Digest}
		if old.recall() && old.desc.Size > layer.desc.Size/2 && old.desc.Size < layer.desc.Size*2 {
			found = append(found, old)
		}
	}
	return found, nil
}

// blobs asks a registry about the blobs of a repository.
type blobs struct {
	repo   name.Repository
	client http.Client
	seen   *seen
}

func (p Pusher) blobsOf(ctx context.Context, repo name.Repository) (*blobs, error) {
	keychain, rt := p.Registry.Keychain, p.Registry.Transport
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	if rt == nil {
		rt = impatient
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, err
	}
	b := &blobs{repo: repo, seen: &seen{next: rt, host: repo.RegistryStr()}}
	if b.client.Transport, err = transport.NewWithContext(ctx, repo.Registry, auth, b.seen, []string{repo.Scope(transport.PushScope)}); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *blobs) path() string { return "/v2/" + b.repo.RepositoryStr() + "/blobs/" }

// address returns theirs. It is known when one was asked for.
func (b *blobs) address() string { return b.seen.scheme + "://" + b.repo.RegistryStr() + b.path() }

// has asks whether a blob is there.
func (b *blobs) has(ctx context.Context, digest v1.Hash) (bool, error) {
	address := b.repo.Scheme() + "://" + b.repo.RegistryStr() + b.path() + digest.String()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return false, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return false, nil
	}
	return resp.StatusCode == http.StatusOK, transport.CheckError(resp, http.StatusOK)
}

// seen remembers how a registry is signed in to.
type seen struct {
	next http.RoundTripper
	host string

	mu                    sync.Mutex
	scheme, authorization string
}

func (s *seen) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == s.host && strings.Contains(req.URL.Path, "/blobs/") {
		s.mu.Lock()
		s.scheme, s.authorization = req.URL.Scheme, req.Header.Get("Authorization")
		s.mu.Unlock()
	}
	return s.next.RoundTrip(req)
}
