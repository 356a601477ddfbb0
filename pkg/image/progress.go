package image

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/event"
)

// progressInterval is how often progress is reported: a screen needs no more.
const progressInterval = 100 * time.Millisecond

// stepProgress reports bytes as progress of a step, a few times per second.
// It is safe for concurrent use, and nil where nobody listens.
func stepProgress(sink event.Sink, step, detail string) func(done, total int64) {
	if sink == nil {
		return nil
	}
	var mu sync.Mutex
	var last time.Time
	return func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= progressInterval || done == total {
			last = now
			sink.Emit(event.StepProgress{Step: step, Done: done, Total: total, Unit: "bytes", Detail: detail})
		}
	}
}

// meter counts what passes a writer and reports it.
type meter struct {
	w        io.Writer
	done     int64
	total    int64
	progress func(done, total int64)
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.done += int64(n)
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
	return n, err
}

// counted wraps an image so that reading its layers is reported.
func counted(img v1.Image, progress func(done, total int64)) (v1.Image, error) {
	if progress == nil {
		return img, nil
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	c := &countedImage{Image: img, progress: progress}
	for _, layer := range manifest.Layers {
		c.total += layer.Size
	}
	return c, nil
}

type countedImage struct {
	v1.Image
	done     atomic.Int64
	total    int64
	progress func(done, total int64)
}

func (c *countedImage) Layers() ([]v1.Layer, error) {
	layers, err := c.Image.Layers()
	for i, layer := range layers {
		layers[i] = &countedLayer{layer, c}
	}
	return layers, err
}

type countedLayer struct {
	v1.Layer
	image *countedImage
}

func (l *countedLayer) Compressed() (io.ReadCloser, error) {
	rc, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return &countedReader{rc, func(n int) { l.image.progress(l.image.done.Add(int64(n)), l.image.total) }}, nil
}

type countedReader struct {
	io.ReadCloser
	count func(n int)
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.count(n)
	return n, err
}
