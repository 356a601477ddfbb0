// Package logs follows what the containers of a namespace write, without gaps
// and without repeats, and finds the level of each line.
package logs

import (
	"context"
	"strings"

	"zr/pkg/event"
	"zr/pkg/kube"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// Options says which lines to read.
type Options = follow.Options

// None is the Tail of a reader that wants only new lines.
const None = follow.None

// Reader reads the logs of one cluster. It is safe for concurrent use.
type Reader struct{ lines *follow.Reader }

// New returns a Reader for the cluster of a client.
func New(client *kube.Client) *Reader { return &Reader{follow.New(client.Client)} }

// Follow passes every line that the options ask for to emit, as one line of
// text. What follow.Reader.Follow says holds for it too.
func (r *Reader) Follow(ctx context.Context, o Options, emit func(event.LogLine)) error {
	return r.lines.Follow(ctx, o, func(l follow.Line) {
		record := logline.Parse(l.Text)
		emit(event.LogLine{Time: l.Time, Service: l.Service, Pod: l.Pod, Container: l.Container, Level: record.Level,
			Text: strings.ReplaceAll(record.Text(), "\n", " ")})
	})
}
