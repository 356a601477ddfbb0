package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/event"
	"zr/pkg/fault"
)

func TestPlain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		script [][]stamped
		want   string
	}{
		{"up", upScript(), `
… Configuration
✓ Configuration · config/dev.yaml (3 ms)
! The disk is nearly full.
  hint: zr images prune
… Loading images
… Building api
… Loading images: 60 MiB of 100 MiB · about 10 s left · base
… Building api: 230 packages · net/http
✓ Loading images · unchanged (20.0 s)
✓ Building api · 12 MiB (20.0 s)
○ api pending: waits for db
… Waiting for db (at most 3m00s)
● db starting: 0 of 1 pods are ready
● db starting: container "db" crashed with exit code 1
✗ Waiting for db: container "db" crashed with exit code 1 … (19.0 s)

Ready (41.0 s)
  api  http://localhost:3001
  web  http://localhost:3000

Next: zr dev
`},
		{"dev", devScript(), `
● api healthy · build 01234567
● web healthy
api      I listening addr=:3001
api/b    E no    database
web        GET /
… 1200 lines of web left out
● api building: main.go
✗ api: main.go:12:4: undefined: x
  main.go:14:4: undefined: y
✗ api was not made live · main.go
✓ api is fixed
● api reloading
✓ api live in 1.4 s · noticed 14 ms · built 1.3 s · sent 22 ms (121 KiB) · swapped 31 ms · healthy 44 ms · main.go and 2 more
● api healthy · build ffff4567
✗ api was put back to the version before · main.go
✓ web sent in 5 ms · noticed 2 ms · sent 3 ms · page.html
`},
	} {
		var out bytes.Buffer
		p := newPlain(&out)
		for _, batch := range tc.script {
			p.show(batch)
		}
		if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
			t.Errorf("%s: a control character at %d", tc.name, i)
		}
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	p := &jsonPrinter{w: &out}
	p.show(at(1500*time.Millisecond,
		event.StepDone{Step: "load", Took: 20 * time.Millisecond, Unchanged: true},
		event.LogLine{Time: began, Service: "api", Pod: "p", Container: "c", Level: "info", Text: "a \"b\"\n"},
		event.StepStarted{Step: "x", Title: "X"}))
	want := `{"time":"2026-01-02T03:04:06.5Z","type":"step.done","step":"load","took":20000000,"unchanged":true}
{"time":"2026-01-02T03:04:05Z","type":"log","service":"api","pod":"p","container":"c","level":"info","text":"a \"b\"\n"}
{"time":"2026-01-02T03:04:06.5Z","type":"step.started","step":"x","title":"X"}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Every event of the scripts is one valid object with its type.
	for _, batch := range append(upScript(), devScript()...) {
		for _, e := range batch {
			var got struct{ Time, Type string }
			if err := json.Unmarshal(encode(e.Event, e.at), &got); err != nil || got.Type != e.Event.Type() || got.Time == "" {
				t.Errorf("%T: %v: %+v", e.Event, err, got)
			}
		}
	}
}

func TestPrintError(t *testing.T) {
	a := fault.WithCode(errors.New("service \"a\" is not healthy: crash\n    panic: x"), fault.NotHealthy, "zr logs a")
	b := errors.New("service \"b\" waits for a")
	for _, tc := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("plain"), "zr: plain\n"},
		{fmt.Errorf("starting: %w", fault.Hint(errors.New("port 3000 is taken"), "stop what listens there")), "zr: starting: port 3000 is taken\n  hint: stop what listens there\n"},
		{errors.Join(a, b), "zr: service \"a\" is not healthy: crash\n    panic: x\n  hint: zr logs a\nzr: service \"b\" waits for a\n"},
		{fault.WithCode(errors.Join(errors.New("x"), errors.New("y")), fault.Usage, "zr config validate"), "zr: x\nzr: y\n  hint: zr config validate\n"},
		{fmt.Errorf("%w: %w", errors.New("x"), errors.New("y")), "zr: x: y\n"},
		{errors.New("a\x1b[31mred"), "zr: ared\n"},
	} {
		var out bytes.Buffer
		PrintError(&out, tc.err)
		if diff := cmp.Diff(tc.want, out.String()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tc.err, diff)
		}
	}
}

func TestFormats(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "<1 ms", 340 * time.Millisecond: "340 ms", 999600 * time.Microsecond: "1.0 s", 1234 * time.Millisecond: "1.2 s",
		59960 * time.Millisecond: "1m00s", 125 * time.Second: "2m05s", 62 * time.Minute: "1h02m", 3599600 * time.Millisecond: "1h00m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", int64(d), got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 120 << 20: "120 MiB", 1023*1024 + 1000: "1.0 MiB", 5 << 40: "5.0 TiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Second: "0 s", time.Millisecond: "1 s", 51 * time.Second: "51 s", 60 * time.Second: "1m00s"} {
		if got := left(d); got != want {
			t.Errorf("left(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestDetect(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	_, terminal := openPTY(t, 80, 24)
	for _, tc := range []struct {
		env  func(string) string
		want Mode
	}{
		{env("TERM", "xterm-256color"), TTY},
		{env("TERM", "xterm", "CI", "true"), Plain},
		{env("TERM", "dumb"), Plain},
		{env(), Plain},
	} {
		if got := detect(terminal, tc.env); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
		if got := detect(os.Stdin, tc.env); isTerminal(os.Stdin) == false && got != Plain {
			t.Errorf("without a terminal: got %s", got)
		}
	}
}

// blocked is an output that nobody reads.
type blocked struct{ entered, release chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	b.entered <- struct{}{}
	<-b.release
	return len(p), nil
}

// TestEmitNeverWaits floods a printer whose output is stuck.
func TestEmitNeverWaits(t *testing.T) {
	out := blocked{make(chan struct{}, 2), make(chan struct{})}
	p := New(out, JSON).(*queue)
	p.Emit(event.StepStarted{Step: "kept"})
	<-out.entered
	for range maxPending + 10 {
		p.Emit(event.LogLine{Service: "api", Text: "x"})
	}
	p.Emit(event.StepDone{Step: "kept"})
	p.mu.Lock()
	if p.lines != maxPending || p.skipped["api"] != 10 {
		t.Errorf("holds %d lines, left out %d", p.lines, p.skipped["api"])
	}
	p.mu.Unlock()
	close(out.release)
	p.Close()
	p.Close()
	p.Emit(event.StepDone{})
}

func TestWhatTheEndOfARunStoppedIsNoFailure(t *testing.T) {
	for _, m := range []voice{{p: noColour()}, {p: newPalette()}} {
		line := m.failed("load images", event.StepFailed{Took: 2 * time.Second, Error: "Get: context canceled", Cancelled: true})
		if got := plainText(line); got != "○ load images · stopped (2.0 s)" {
			t.Errorf("got %q", got)
		}
	}
}
