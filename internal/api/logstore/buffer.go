package logstore

import (
	"sync"

	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

const (
	// bufferBytes bounds what waits for the database: at 1,000 lines a second
	// two minutes.
	bufferBytes = 32 << 20
	// lineBytes is what a line takes beside its text.
	lineBytes = 400
	// batchLines bounds one transaction: some 0.2 s.
	batchLines = 10_000
)

// buffer holds lines on their way to the database. When it is full, further
// ones are counted instead, in a line of their own for each container. It is
// safe for concurrent use.
type buffer struct {
	ready chan struct{} // holds a value where something waits

	mu      sync.Mutex
	waiting []entry
	bytes   int
	gaps    map[Container]*entry // the counts that still grow
}

// entry is a line and where its container goes on after it.
type entry struct {
	line      *logline.Line
	container Container
	cursor    follow.Cursor
}

func newBuffer() *buffer {
	return &buffer{ready: make(chan struct{}, 1), gaps: map[Container]*entry{}}
}

func (e entry) size() int {
	n := lineBytes + len(e.line.Message)
	for _, f := range e.line.Fields {
		n += len(f.Key) + len(f.Value)
	}
	return n
}

func (b *buffer) add(l *logline.Line, container Container, cursor follow.Cursor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch gap := b.gaps[container]; {
	case gap != nil:
		gap.line.Skipped++
		gap.cursor = cursor
	case b.bytes >= bufferBytes:
		b.gaps[container] = &entry{&logline.Line{ID: l.ID, Time: l.Time, Service: l.Service, Pod: l.Pod, Container: l.Container, Skipped: 1}, container, cursor}
	default:
		e := entry{l, container, cursor}
		b.waiting = append(b.waiting, e)
		b.bytes += e.size()
	}
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// held are the lines that wait, and the bytes that they take.
func (b *buffer) held() (lines, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting), b.bytes
}

// next returns the oldest lines, which stay until done. Where all that waited
// was taken, the counts of what was skipped come last.
func (b *buffer) next() []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		for container, gap := range b.gaps {
			b.waiting = append(b.waiting, *gap)
			delete(b.gaps, container)
		}
	}
	n := min(len(b.waiting), batchLines)
	return b.waiting[:n:n]
}

// done forgets the first n.
func (b *buffer) done(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.waiting[:n] {
		b.bytes -= e.size()
	}
	clear(b.waiting[:n]) // the array may stay for long
	b.waiting = b.waiting[n:]
	if len(b.waiting) == 0 {
		b.waiting = nil
		b.bytes = 0
	}
}
