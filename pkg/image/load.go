package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/event"
)

// Stats is what a transfer sent.
type Stats struct {
	Images int           `json:"images"` // that were named anew
	Layers int           `json:"layers"`
	Bytes  int64         `json:"bytes"` // on the wire, archive headers included
	Took   time.Duration `json:"took"`
}

// Plus returns what two transfers sent, one after the other.
func (s Stats) Plus(other Stats) Stats {
	return Stats{s.Images + other.Images, s.Layers + other.Layers, s.Bytes + other.Bytes, s.Took + other.Took}
}

func (s *Stats) add(other Stats) {
	s.Images += other.Images
	s.Layers += other.Layers
	s.Bytes += other.Bytes
}

// Loader loads images into nodes. The zero value reports nothing.
type Loader struct {
	// Store is where the images are from. It is looked at where a node refuses
	// them. May be nil.
	Store *Store
	Sink  event.Sink
	Step  string // the step that progress belongs to
}

// LoadAll loads the items into several nodes at once.
func (l Loader) LoadAll(ctx context.Context, nodes []Node, items ...Item) (Stats, error) {
	start := time.Now()
	each := make([]Stats, len(nodes))
	group, ctx := errgroup.WithContext(ctx)
	for i, node := range nodes {
		group.Go(func() (err error) {
			each[i], err = l.Load(ctx, node, items...)
			return err
		})
	}
	err := group.Wait()
	var total Stats
	for _, s := range each {
		total.add(s)
	}
	total.Took = time.Since(start)
	return total, err
}

// Load makes a node hold the items under their names. What it holds already
// does not travel, be it an image, a layer or a manifest, and where nothing is
// missing nothing is written on it. One command on the node lists, imports and
// checks. Where the node then still lacks something that it had listed,
// everything is sent once more.
func (l Loader) Load(ctx context.Context, node Node, items ...Item) (Stats, error) {
	start := time.Now()
	if len(items) == 0 {
		return Stats{}, nil
	}
	bundle, err := newBundle(items)
	if err != nil {
		return Stats{}, fmt.Errorf("loading images into node %q: %w", node.Name(), err)
	}
	var total Stats
	var failed error
	for _, full := range []bool{false, true} {
		var sent Stats
		sent, failed = l.transfer(ctx, node, bundle, full)
		total.add(sent)
		if failed == nil || ctx.Err() != nil || !errors.Is(failed, errIncomplete) {
			break
		}
	}
	total.Took = time.Since(start)
	if l.Store != nil && errors.Is(failed, errIncomplete) {
		failed = l.Store.RemoveDamaged(failed, bundle.names()...)
	}
	if failed != nil {
		return total, fmt.Errorf("loading images into node %q: %w", node.Name(), failed)
	}
	return total, nil
}

// errIncomplete says that the node refused an archive or lacks content after
// it, which a full archive may repair.
var errIncomplete = errors.New("the node lacks content")

// script is what runs on the node. It lists what is there, waits for the word
// "import" and an archive, and checks the result. Its arguments are filters
// for the images. The snapshotter is the one that containerd's CRI plugin is
// told to use, so that pods start from what is unpacked here. With --local
// (containerd 1.7) ctr writes the content itself, which costs a third of the
// CPU time of streaming it through the transfer service. It steps back for a
// control plane that boots at the same time.
const script = `
ctr -n ` + namespace + ` images ls "$@" || exit
ctr -n ` + namespace + ` content ls -q || exit
echo ` + markListed + `
read -r word && [ "$word" = import ] || exit 0
snapshotter=$(sed -n 's/^[[:space:]]*snapshotter *= *"\(.*\)".*/\1/p' /etc/containerd/config.toml | head -n 1)
nice -n 19 ctr -n ` + namespace + ` images import --local --snapshotter "${snapshotter:-overlayfs}" - 2>&1
status=$?
echo ` + markImported + `
[ $status = 0 ] || exit 0
ctr -n ` + namespace + ` images check "$@"
echo ` + markChecked + `
`

const (
	markListed   = "zr:listed"
	markImported = "zr:imported"
	markChecked  = "zr:checked"
)

// transferLimit bounds the wait for a node's list, so that a command which
// died without a word is noticed even where Run cannot tell.
const transferLimit = time.Minute

// transfer runs the script once and sends what is missing.
func (l Loader) transfer(ctx context.Context, node Node, all *bundle, full bool) (Stats, error) {
	// A pipe of the system, not of the process: its read end goes to the
	// command itself, so that a command that ends early is not waited for.
	r, w, err := os.Pipe()
	if err != nil {
		return Stats{}, err
	}
	replies := newReplies()
	sent := make(chan sending, 1)
	ended := make(chan struct{})
	go func() { sent <- l.feed(ctx, node, all, full, replies, w, ended) }()

	_, filters, err := filtersOf(all.names())
	if err == nil {
		err = node.Run(ctx, r, replies, append([]string{"sh", "-c", script, "zr"}, filters...)...)
	}
	r.Close()
	close(ended)
	s := <-sent
	switch {
	case ctx.Err() != nil:
		return s.Stats, context.Cause(ctx)
	case s.err != nil:
		return s.Stats, errors.Join(s.err, err)
	case err != nil:
		return s.Stats, err
	case s.rest == nil:
		return s.Stats, fmt.Errorf("the node did not list what it holds: %s", replies.tail())
	case len(s.rest.images) == 0:
		return s.Stats, nil
	}
	return s.Stats, replies.verify(s.rest)
}

// sending is what feed did: rest is nil where it never learned what to send.
type sending struct {
	Stats
	rest *bundle
	err  error
}

// feed waits for the node's list and sends what is not on it.
func (l Loader) feed(ctx context.Context, node Node, all *bundle, full bool, replies *replies, w io.WriteCloser, ended <-chan struct{}) sending {
	defer w.Close()
	limit := time.NewTimer(transferLimit)
	defer limit.Stop()
	select {
	case <-replies.listed:
	case <-ended:
		return sending{}
	case <-ctx.Done():
		return sending{err: context.Cause(ctx)}
	case <-limit.C:
		return sending{err: fmt.Errorf("no answer within %s", transferLimit)}
	}
	names, content := replies.holdings()
	if full {
		content = nil
	}
	rest := all.lacking(names, content)
	if len(rest.images) == 0 {
		return sending{rest: rest}
	}
	out := &meter{w: w, total: rest.size(), progress: stepProgress(l.Sink, l.Step, node.Name())}
	if _, err := io.WriteString(w, "import\n"); err != nil {
		return sending{rest: rest} // the command ended: its own words say why
	}
	err := rest.write(out)
	if errors.Is(err, os.ErrClosed) || isBrokenPipe(err) {
		err = nil // likewise
	}
	return sending{Stats: Stats{Images: len(rest.images), Layers: rest.layers(), Bytes: out.done}, rest: rest, err: err}
}

func (c *bundle) names() []string {
	names := make([]string, len(c.images))
	for i, desc := range c.images {
		names[i] = desc.Annotations[annotationName]
	}
	return names
}

// verify reads from the node's answer whether all of rest is complete now.
func (t *replies) verify(rest *bundle) error {
	checked, complete := t.outcome()
	if !checked {
		return fmt.Errorf("%w: importing: %s", errIncomplete, t.tail())
	}
	var missing []string
	for _, name := range rest.names() {
		if !complete[name] {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return fmt.Errorf("%w of %s: %s", errIncomplete, strings.Join(missing, ", "), t.tail())
	}
	return nil
}
