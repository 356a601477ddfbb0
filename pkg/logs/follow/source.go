package follow

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// source reads the log of one container, run after run.
type source struct {
	follower  *follower
	of        *follow
	service   string
	pod       string
	container string

	started bool
	seam    *seam
	reading int // the newest run that was opened; -1 means none
	ended   int // how many runs need no more reading
}

const (
	retryFirst = 200 * time.Millisecond
	retryMost  = 5 * time.Second
	// statusLag is how long after the end of a log the API may still say that
	// the container runs: the kubelet looks at its containers every second.
	statusLag = 2 * time.Second
)

// run follows the container until its pod is gone or ctx ends.
func (s *source) run(ctx context.Context) error {
	wait := retryFirst
	for {
		status, deleted, changed := s.of.look(s.container)
		run := runOf(status)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case deleted:
			return nil // with the pod went its log; another pod may have its name
		case run < s.ended: // read to its end already, or never started
			sleep(ctx, changed, 0)
			continue
		}
		lines, err := s.readRun(ctx, status)
		if lean.Refused(err) {
			return err
		}
		if lines > 0 {
			wait = retryFirst
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && over(status):
			s.ended = run + 1
		case err == nil:
			// Either the container ended, which the API will say soon, or
			// somebody on the way closed a connection that was open long.
			sleep(ctx, changed, statusLag)
		default:
			sleep(ctx, changed, wait)
			wait = min(2*wait, retryMost)
		}
	}
}

// sleep waits for a change or the end of ctx, and at most for a time where
// that is not 0.
func sleep(ctx context.Context, changed <-chan struct{}, most time.Duration) {
	var timeout <-chan time.Time
	if most > 0 {
		timeout = time.After(most)
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timeout:
	}
}

// readRun reads the newest run of the container, after what is left of the
// one before, and returns how many lines it passed on.
func (s *source) readRun(ctx context.Context, status object.ContainerStatus) (int, error) {
	run, n := runOf(status), 0
	if run > max(s.reading, 0) && s.ended < run && (status.State.Running != nil || status.State.Terminated != nil) {
		// While a container backs off, the run that just ended is not the
		// previous one but the one that is read without asking for it.
		rest, err := s.read(ctx, run-1, lean.LogOptions{Previous: true, Since: s.seam.since()})
		if err != nil && !lean.HasCode(err, http.StatusBadRequest) { // 400: it is removed already
			return rest, err
		}
		n = rest
	}
	s.reading = run
	s.ended = max(s.ended, run) // the runs before are done with
	rest, err := s.read(ctx, run, lean.LogOptions{Follow: !over(status), Since: s.seam.since()})
	return n + rest, err
}

// read passes on what the log of a run has that is new. Where the connection to the
// kubelet breaks, the API server ends its answer as if that were all. What is followed is
// asked for again in any case; of what has ended, reading goes on until nothing new comes.
func (s *source) read(ctx context.Context, run int, o lean.LogOptions) (n int, err error) {
	var before tail
	for {
		more, last, err := s.readOnce(ctx, run, o)
		n += more
		if err != nil || o.Follow {
			return n, err
		}
		if more == 0 && last == before {
			if last != (tail{}) && s.pass(last.at, last.text, run) {
				n++
			}
			return n, nil
		}
		before, o.Since = last, s.seam.since()
	}
}

// tail is what comes after the last line that has an end: the beginning of a line, or a
// line that a container wrote without one.
type tail struct {
	at   time.Time
	text string
}

// readOnce reads one answer. It does not pass on the tail, which it returns.
func (s *source) readOnce(ctx context.Context, run int, o lean.LogOptions) (n int, last tail, err error) {
	body, err := s.follower.client.Log(ctx, s.follower.options.Namespace, s.pod, s.container, o)
	if err != nil {
		return 0, tail{}, err
	}
	defer body.Close()
	lines := newScanner(body, !o.Follow)
	for {
		at, text, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return n, last, nil
		case err != nil:
			return n, tail{}, err
		case lines.cut:
			last = tail{at, text}
		case s.pass(at, text, run):
			n++
		}
	}
}

// pass passes a line on, if it is new.
func (s *source) pass(at time.Time, text string, run int) bool {
	sum, isNew := s.seam.pass(at, text)
	if isNew {
		s.follower.emit(Line{Time: at, Service: s.service, Pod: s.pod, PodUID: s.of.uid, Container: s.container, Run: run, Text: text, sum: sum})
	}
	return isNew
}

// maxLine is how much of a line is kept, in bytes. The kubelet has no limit.
const maxLine = 64 << 10

// scanner reads lines that have their time in front.
type scanner struct {
	r *bufio.Reader
	// open lets the last line have no end. In a log that is followed it may
	// be cut, and is read again.
	open bool
	cut  bool // the line that was read last has no end
}

func newScanner(r io.Reader, open bool) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, maxLine), open: open}
}

// next returns the next line, without its end and cut to maxLine.
func (s *scanner) next() (time.Time, string, error) {
	for {
		raw, err := s.r.ReadSlice('\n')
		line := string(raw)
		if errors.Is(err, bufio.ErrBufferFull) {
			line += "…"
			err = s.discardLine()
		}
		if err != nil && (!errors.Is(err, io.EOF) || !s.open || line == "") {
			return time.Time{}, "", err
		}
		s.cut = err != nil
		stamp, text, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			continue // the kubelet's own words, for a log file that is gone
		}
		return at, text, nil
	}
}

// discardLine skips to the end of a line that was too long.
func (s *scanner) discardLine() error {
	for {
		if _, err := s.r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}
