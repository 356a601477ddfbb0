package follow

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"zr/pkg/kube/object"
)

// TestSeam cuts a log at every place and reads it again from the second that
// the seam asks for, as the API would.
func TestSeam(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type line struct {
		at   time.Time
		text string
	}
	var log []line
	for i := range 300 {
		at := began.Add(time.Duration(i) * 10 * time.Millisecond)
		if i%7 == 0 {
			at = at.Add(-15 * time.Millisecond) // the other stream was late
		}
		log = append(log, line{at, fmt.Sprint(i)})
	}
	for cut := range log {
		s := newSeam()
		var got []string
		read := func(lines []line) {
			since := s.since()
			for _, l := range lines {
				if l.at.Before(since) {
					continue
				}
				if _, isNew := s.pass(l.at, l.text); isNew {
					got = append(got, l.text)
				}
			}
		}
		read(log[:cut])
		read(log)
		if len(got) != len(log) {
			t.Fatalf("cut at %d: %d lines", cut, len(got))
		}
		for i, text := range got {
			if text != log[i].text {
				t.Fatalf("cut at %d: line %d is %s", cut, i, text)
			}
		}
		if n := len(s.known); n > 130 {
			t.Fatalf("cut at %d: remembers %d lines", cut, n)
		}
	}
}

// TestCursor cuts a log at every place, keeps the cursor as bytes, and goes on
// from them in a process that knows nothing else.
func TestCursor(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var log []Line
	for i := range 300 {
		at := began.Add(time.Duration(i) * 10 * time.Millisecond)
		if i%7 == 0 {
			at = at.Add(-15 * time.Millisecond) // the other stream was late
		}
		log = append(log, Line{Time: at, Text: fmt.Sprint(i), Run: i / 100})
	}
	for cut := range log {
		var got []string
		var c Cursor
		read := func(s *seam, lines []Line) {
			since := s.since()
			for _, l := range lines {
				if l.Time.Before(since) {
					continue
				}
				if sum, isNew := s.pass(l.Time, l.Text); isNew {
					got = append(got, l.Text)
					l.sum = sum
					c.Add(l)
				}
			}
		}
		read(newSeam(), log[:cut])
		again, err := ParseCursor(c.Bytes())
		if err != nil || cut > 0 && again.Run != (cut-1)/100 {
			t.Fatalf("cut at %d: %v, run %d", cut, err, again.Run)
		}
		if cut > 0 {
			read(again.seam(), log)
		} else {
			read(newSeam(), log)
		}
		if len(got) != len(log) {
			t.Fatalf("cut at %d: %d lines", cut, len(got))
		}
		for i, text := range got {
			if text != fmt.Sprint(i) {
				t.Fatalf("cut at %d: line %d is %s", cut, i, text)
			}
		}
		if n := len(c.near); n > 12 {
			t.Fatalf("cut at %d: the cursor has %d lines", cut, n)
		}
	}
	for _, bad := range [][]byte{nil, make([]byte, headBytes+1)} {
		if _, err := ParseCursor(bad); err == nil {
			t.Errorf("%d bytes are a cursor", len(bad))
		}
	}
}

func TestSeamFloor(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 500e6, time.UTC)
	s := newSeam()
	s.floor = at
	_, before := s.pass(at, "a")
	if _, after := s.pass(at.Add(1), "b"); before || !after {
		t.Error("the floor is not kept")
	}
	if want := at.Truncate(time.Second); !s.since().Equal(want) {
		t.Errorf("asks since %v, want %v", s.since(), want)
	}
}

func TestScanner(t *testing.T) {
	long := strings.Repeat("x", maxLine+100)
	in := "2026-01-02T03:04:05.5Z one\nunable to retrieve container logs for x\n2026-01-02T03:04:06Z " + long +
		"\n2026-01-02T03:04:07Z \n2026-01-02T03:04:08Z cut"
	for _, open := range []bool{true, false} {
		s := newScanner(strings.NewReader(in), open)
		var got []string
		for {
			_, text, err := s.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, text)
		}
		want := 3
		if open {
			want = 4
		}
		if len(got) != want || got[0] != "one" || !strings.HasSuffix(got[1], "x…") || len(got[1]) > maxLine || got[2] != "" {
			t.Errorf("open %v: got %d lines", open, len(got))
		}
	}
}

func TestServiceOfPod(t *testing.T) {
	p := &object.Pod{Meta: object.Meta{Name: "api-5d4f-x"}}
	if got := serviceOf(p); got != "api-5d4f-x" {
		t.Errorf("got %q", got)
	}
	p.Labels = map[string]string{"app.kubernetes.io/name": "api", "pod-template-hash": "5d4f"}
	if got := serviceOf(p); got != "api" {
		t.Errorf("got %q", got)
	}
	p.OwnerReferences = []object.OwnerReference{{Kind: "ReplicaSet", Name: "my-api-5d4f", Controller: true}}
	if got := serviceOf(p); got != "my-api" {
		t.Errorf("got %q", got)
	}
}
