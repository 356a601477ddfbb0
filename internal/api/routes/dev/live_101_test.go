package dev_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"zr/internal/api/routes/dev"
	"zr/pkg/event"
)

// watch opens a live view, and returns what reads its next frame.
func (a *api) watch(query string) func() dev.Frame {
	a.t.Helper()
	header := http.Header{}
	for i := 0; i < len(a.page); i += 2 {
		header.Set(a.page[i], a.page[i+1])
	}
	conn, _, err := websocket.Dial(a.t.Context(), a.URL()+"/api/v1/dev/live"+query, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.CloseNow() })
	return func() (f dev.Frame) {
		a.t.Helper()
		_, text, err := conn.Read(a.t.Context())
		if err == nil {
			err = json.Unmarshal(text, &f)
		}
		if err != nil {
			a.t.Fatal(err)
		}
		return f
	}
}

// Who watches is told who comes and goes, and each event once; also who comes later and
// names the last one that he has seen.
func TestLive101(t *testing.T) {
	a := newAPI(t)
	next := a.watch("")
	if first := next(); first.Attached == nil || len(*first.Attached) != 0 || len(first.Events) != 0 {
		t.Fatalf("at first: %+v", first)
	}
	l := newAttachment(t, "one", nil)
	l.Found(address(a.App), "")
	if f := next(); f.Attached == nil || len(*f.Attached) != 1 {
		t.Fatalf("when one has come: %+v", f)
	}
	texts := []string{"a", "b", "c"}
	var last int64
	for _, text := range texts {
		l.Emit(event.Notice{Text: text})
		f := next()
		if len(f.Events) != 1 || !strings.Contains(string(f.Events[0].Data), `"`+text+`"`) || f.Events[0].ID <= last || f.Attached != nil {
			t.Fatalf("%s: %+v", text, f)
		}
		last = f.Events[0].ID
	}
	later := a.watch("?after=" + strconv.FormatInt(last-1, 10))
	if f := later(); len(f.Events) != 1 || f.Events[0].ID != last || f.Attached == nil {
		t.Errorf("who comes back: %+v", f)
	}
	l.Close()
	if f := next(); f.Attached == nil || len(*f.Attached) != 0 {
		t.Errorf("when he has gone: %+v", f)
	}
}
