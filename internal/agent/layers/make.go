package layers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"zr/pkg/agentspec/wire"
)

// Make has a registry hold a layer of which conn tells what is another than in the
// layer that the registry has.
func Make(ctx context.Context, client *http.Client, l wire.Layer, conn *wire.Conn) error {
	if l.From.Size <= 0 || l.To.Size <= 0 || l.From.Size > wire.MaxLayer || l.To.Size > wire.MaxLayer {
		return fmt.Errorf("a layer of %d bytes of one of %d: at most %d", l.To.Size, l.From.Size, wire.MaxLayer)
	}
	at, err := url.Parse(l.Blobs)
	if err != nil {
		return err
	}
	r := registry{client, at, l.Authorization}
	old, err := r.content(ctx, l.From)
	if err != nil {
		return fmt.Errorf("reading layer %s: %w", l.From.Digest, err)
	}
	content, err := receive(conn, l.To.Size, old)
	if err != nil {
		return fmt.Errorf("making layer %s: %w", l.To.Digest, err)
	}
	packed, err := pack(content)
	if err != nil {
		return fmt.Errorf("compressing layer %s: %w", l.To.Digest, err)
	}
	if sum := sha256.Sum256(packed); "sha256:"+hex.EncodeToString(sum[:]) != l.To.Digest {
		return fmt.Errorf("making layer %s: it became sha256:%x", l.To.Digest, sum)
	}
	if err := r.upload(ctx, l.To.Digest, packed); err != nil {
		return fmt.Errorf("pushing layer %s: %w", l.To.Digest, err)
	}
	return nil
}

// receive puts the content of a layer together.
func receive(conn *wire.Conn, size int64, old []byte) ([]byte, error) {
	content := make([]byte, size)
	base := bytes.NewReader(old)
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(wire.MaxChunk))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	var frame, body []byte
	for got := int64(0); got < size; {
		t, payload, err := conn.Read(frame)
		if err != nil {
			return nil, err
		}
		frame = payload
		if t != wire.TypeChunk {
			return nil, fmt.Errorf("a frame of type %d makes no sense", t)
		}
		c, err := wire.ParseChunk(payload)
		if err != nil {
			return nil, err
		}
		if c.Offset+c.Size > size {
			return nil, fmt.Errorf("a chunk of %d bytes at %d of %d", c.Size, c.Offset, size)
		}
		if body, err = fill(content[c.Offset:c.Offset+c.Size], c, base, decoder, body); err != nil {
			return nil, err
		}
		got += c.Size
	}
	return content, nil
}

// fill writes a chunk. It returns buf, or a larger one, for the next.
func fill(dst []byte, c wire.Chunk, base *bytes.Reader, decoder *zstd.Decoder, buf []byte) ([]byte, error) {
	if c.Op == wire.OpSame {
		n, err := base.ReadAt(dst, c.Offset)
		if n < len(dst) {
			return buf, fmt.Errorf("the older layer ends before %d: %w", c.Offset+c.Size, err)
		}
		return buf, nil
	}
	body, err := c.Body, error(nil)
	switch c.Op.Packing() {
	case wire.OpZstd:
		if buf, err = decoder.DecodeAll(c.Body, buf[:0]); err != nil {
			return buf, err
		}
		body = buf
	case wire.OpS2:
		n, err := s2.DecodedLen(c.Body)
		if err != nil || n > wire.MaxChunk {
			return buf, errors.Join(fmt.Errorf("a chunk of %d bytes", n), err)
		}
		if buf, err = s2.Decode(buf[:0], c.Body); err != nil {
			return buf, err
		}
		body = buf
	}
	if c.Op.Patch() {
		return buf, wire.ApplyPatch(dst, body, base, c.Offset)
	}
	if copy(dst, body) != len(dst) || len(body) != len(dst) {
		return buf, fmt.Errorf("a chunk of %d bytes has %d", len(dst), len(body))
	}
	return buf, nil
}

// pack compresses content as package image does: the result is the same byte for byte.
func pack(content []byte) ([]byte, error) {
	var out bytes.Buffer
	encoder, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(encoder, bytes.NewReader(content))
	err = errors.Join(err, encoder.Close())
	return out.Bytes(), err
}

// registry is where a repository's blobs are, and how to sign in there.
type registry struct {
	client        *http.Client
	blobs         *url.URL
	authorization string
}

// content reads a layer.
func (r registry) content(ctx context.Context, l wire.LayerOnDisk) ([]byte, error) {
	resp, err := r.do(ctx, http.MethodGet, r.blobs.JoinPath(l.Digest), nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	decoder, err := zstd.NewReader(resp.Body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(wire.MaxLayer))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	content := make([]byte, l.Size)
	_, err = io.ReadFull(decoder, content)
	return content, err
}

// upload pushes a blob, in the way that all registries know.
func (r registry) upload(ctx context.Context, digest string, blob []byte) error {
	at, err := r.step(ctx, http.MethodPost, r.blobs.JoinPath("uploads/"), nil, http.StatusAccepted)
	if err != nil {
		return err
	}
	if at, err = r.step(ctx, http.MethodPatch, at, blob, http.StatusAccepted); err != nil {
		return err
	}
	query := at.Query()
	query.Set("digest", digest)
	at.RawQuery = query.Encode()
	_, err = r.step(ctx, http.MethodPut, at, nil, http.StatusCreated)
	return err
}

// step asks for one step of an upload, and returns where the next one goes.
func (r registry) step(ctx context.Context, method string, at *url.URL, body []byte, want int) (*url.URL, error) {
	resp, err := r.do(ctx, method, at, body, want)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	return resp.Request.URL.Parse(resp.Header.Get("Location"))
}

// do sends a request; who is somebody at the registry is nobody anywhere else.
func (r registry) do(ctx context.Context, method string, at *url.URL, body []byte, want int) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.authorization != "" && at.Scheme == r.blobs.Scheme && at.Host == r.blobs.Host {
		req.Header.Set("Authorization", r.authorization)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == want {
		return resp, nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	resp.Body.Close()
	return nil, fmt.Errorf("%s %s: %s: %s", method, at.Redacted(), resp.Status, strings.TrimSpace(string(said)))
}
