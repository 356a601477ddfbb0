package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"

	"zr/pkg/diagnose"
	kubeclient "zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// kube is what a gate asks of a cluster.
type kube struct{ *kubeclient.Client }

// logLine is a line that a container wrote, without what a terminal would obey.
type logLine struct {
	at   time.Time // by the clock of the node
	text string
}

// tail returns the last lines that a container wrote; with previous, the instance
// before the running one. There are none where the log is gone.
func (k *kube) tail(ctx context.Context, ns, pod, container string, previous bool, n int) ([]logLine, error) {
	// A limit of the server's would count from the first of the lines, so that a
	// long one would push out those that say why.
	log, err := k.Log(ctx, ns, pod, container, lean.LogOptions{Previous: previous, Tail: n})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var lines []logLine
	in := bufio.NewReaderSize(io.LimitReader(log, logLimit), 64<<10)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the log of container %q in pod %q: %w", container, pod, err)
		}
		// What has no time is not from the container: the kubelet says in a
		// line of its own, with status 200, that the file is gone.
		stamp, text, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			lines = append(lines, logLine{at, printable(text)})
		}
	}
}

// shownLines is how many log lines prove a crash: a Go panic with its first
// goroutine, or a Node stack trace, fits.
const shownLines = 12

// withProof adds the last log lines to a reason that points at a log.
func (k *kube) withProof(ctx context.Context, ns string, r *diagnose.Reason) *diagnose.Reason {
	if r == nil || !r.Logged || len(r.Proof) > 0 {
		return r
	}
	lines, err := k.tail(ctx, ns, r.Pod, r.Container, r.Previous, shownLines)
	if len(lines) == 0 {
		// Which instance is the previous one changes at any moment: while a
		// container backs off, its last one is the current one.
		if other, otherErr := k.tail(ctx, ns, r.Pod, r.Container, !r.Previous, shownLines); len(other) > 0 {
			lines, err = other, otherErr
		}
	}
	proven := *r
	switch {
	case err != nil:
		proven.Proof = []string{err.Error()}
	case len(lines) == 0:
		proven.Proof = []string{diagnose.WroteNothing}
	default:
		var texts []string
		for _, l := range lines {
			texts = append(texts, l.text)
		}
		proven.Prove(texts)
	}
	return &proven
}

const (
	// logLimit is how much of a log is read for the sake of its last lines.
	logLimit = 16 << 20
	// lineLimit is how much of a line is kept: a reason is to be read by eye.
	lineLimit = 4 << 10
)

// readLine returns the next line, cut, or io.EOF after the last one.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	long := false
	for {
		part, more, err := in.ReadLine()
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			return "", err
		}
		kept := part[:min(len(part), lineLimit-len(line))]
		line, long = append(line, kept...), long || len(kept) < len(part)
		switch {
		case more:
		case long:
			return strings.ToValidUTF8(string(line), "") + "…", nil
		default:
			return string(line), nil
		}
	}
}

// colour is a terminal's control sequence.
var colour = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")

func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return -1
		}
		return r
	}, colour.ReplaceAllString(line, ""))
}
