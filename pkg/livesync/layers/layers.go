// Package layers pushes a layer by what has changed of an older one: a pod in the
// cluster, near the registry, makes it whole (zr/internal/agent/layers).
package layers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zr/pkg/agentspec/wire"
	"zr/pkg/image"
	"zr/pkg/livesync"
)

const (
	// worthwhile: what travels is at most this share of the layer, or the pod is not
	// worth waiting for.
	worthwhile = 2
	// listens is how often a connection is tried that the agent does not take yet.
	listens = 100 * time.Millisecond
	// patience is how long a pod may take to push a layer, or to say why not.
	patience = 2 * time.Minute
)

// Mender is an image.Mender, with a pod that is made when it is first needed.
type Mender struct {
	// Pod makes the pod. It is called at most once.
	Pod func(ctx context.Context) (*Pod, error)

	patience time.Duration // 0 is the constant; tests have less of it
	once     sync.Once
	pod      *Pod
	err      error
	silent   atomic.Bool // the pod did not answer once, and is not waited for again
}

var errSilent = errors.New("the pod that pushes it did not answer")

// Mend implements image.Mender. Why there is no pod, or that it did not answer in time, is
// returned again at once.
func (m *Mender) Mend(ctx context.Context, d image.Delta) error {
	if m.silent.Load() {
		return errSilent
	}
	if d.From.Size > wire.MaxLayer || d.To.Size > wire.MaxLayer {
		return nil
	}
	chunks, size, err := chunksOf(d)
	if err != nil || size > d.To.Packed/worthwhile {
		return err
	}
	m.once.Do(func() { m.pod, m.err = m.Pod(ctx) })
	if m.err != nil {
		return m.err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cmp.Or(m.patience, patience), errSilent)
	defer cancel()
	err = m.pod.push(ctx, d, chunks)
	if errors.Is(err, errSilent) {
		m.silent.Store(true)
	}
	return err
}

// Close removes the pod.
func (m *Mender) Close() {
	m.once.Do(func() {})
	if m.pod != nil {
		m.pod.Close()
	}
}

func chunksOf(d image.Delta) (chunks []wire.Chunk, size int64, err error) {
	old, err := os.ReadFile(d.From.File)
	if err != nil {
		return nil, 0, err
	}
	content, err := os.ReadFile(d.To.File)
	if err != nil {
		return nil, 0, err
	}
	chunks = livesync.Chunks(content, old)
	for _, c := range chunks {
		size += int64(len(c.Body))
	}
	return chunks, size, nil
}

// push has the agent make a layer. It returns the cause of a ctx that is done.
func (p *Pod) push(ctx context.Context, d image.Delta, chunks []wire.Chunk) error {
	to, err := p.connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("the pod that pushes it: %w", err)
	}
	defer to.Close()
	defer context.AfterFunc(ctx, func() { to.Close() })()
	conn := wire.NewConn(to)
	answer := make(chan error, 1)
	go func() { answer <- layered(conn) }()
	err = conn.LaterJSON(wire.TypeLayer, wire.Layer{
		Blobs: d.Blobs, Authorization: d.Authorization,
		From: wire.LayerOnDisk{Digest: d.From.Digest, Size: d.From.Size},
		To:   wire.LayerOnDisk{Digest: d.To.Digest, Size: d.To.Size},
	})
	for i, c := range chunks {
		if err != nil {
			break
		}
		send := conn.Later
		if i == len(chunks)-1 {
			send = conn.Write
		}
		err = send(wire.TypeChunk, c.Head(), c.Body)
	}
	if err != nil {
		to.Close()
	}
	if said := <-answer; said != nil || err == nil {
		err = said // it knows why nothing more could be sent
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// layered reads how it went.
func layered(conn *wire.Conn) error {
	t, payload, err := conn.Read(nil)
	if err != nil {
		return fmt.Errorf("the pod that pushes it: %w", err)
	}
	var said wire.Layered
	if t != wire.TypeLayered || json.Unmarshal(payload, &said) != nil {
		return fmt.Errorf("the pod that pushes it sent a frame of type %d", t)
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// connect connects to the agent, which may not listen yet, and shows that it may.
func (p *Pod) connect(ctx context.Context) (io.ReadWriteCloser, error) {
	for {
		to, err := p.Dial(ctx)
		if err != nil {
			return nil, err
		}
		err = greet(ctx, to, p.Token)
		if err == nil {
			return to, nil
		}
		to.Close()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(listens):
		}
	}
}

func greet(ctx context.Context, to io.ReadWriteCloser, token string) error {
	defer context.AfterFunc(ctx, func() { to.Close() })()
	conn := wire.NewConn(to)
	if err := conn.WriteJSON(wire.TypeHello, wire.Hello{Version: wire.Version, Token: token}); err != nil {
		return err
	}
	t, _, err := conn.Read(nil)
	if err == nil && t != wire.TypeWelcome {
		err = fmt.Errorf("it sent a frame of type %d", t)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
