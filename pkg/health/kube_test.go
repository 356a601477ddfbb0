package health

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLastLinesAreFitForATerminal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "2026-01-02T03:04:05.000000001Z \x1b[1;31mError\x1b[0m: it\tbroke\r\n"+
			"2026-01-02T03:04:06Z \x1b]0;title\x07\x1b[2Jand went\n"+
			"unable to retrieve container logs for x\n")
	}))
	defer server.Close()
	k := &kube{clientOf(t, server.URL)}
	lines, err := k.tail(t.Context(), "ns", "pod", "api", false, shownLines)
	at := time.Date(2026, 1, 2, 3, 4, 5, 1, time.UTC)
	if want := []logLine{{at, "Error: it\tbroke"}, {at.Add(time.Second - 1), "]0;titleand went"}}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("the lines are %v, %v", lines, err)
	}
}

// TestALongLineHidesNoOther has a line of a megabyte before the one that says
// why.
func TestALongLineHidesNoOther(t *testing.T) {
	const stamp = "2026-01-02T03:04:05Z "
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := stamp + strings.Repeat("ä", 1<<19) + "\n" + stamp + "fatal: no disk"
		if limit, err := strconv.Atoi(r.URL.Query().Get("limitBytes")); err == nil {
			text = text[:limit] // as the kubelet does
		}
		fmt.Fprint(w, text)
	}))
	defer server.Close()
	k := &kube{clientOf(t, server.URL)}
	lines, err := k.tail(t.Context(), "ns", "pod", "api", false, shownLines)
	if err != nil || len(lines) != 2 || lines[1].text != "fatal: no disk" || len(lines[0].text) > lineLimit || !strings.HasSuffix(lines[0].text, "ä…") {
		t.Errorf("the lines are %.100v, %v", lines, err)
	}
}

// TestReadLine has lines around the size of the buffer.
func TestReadLine(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                       nil,
		"a\r\nb":                                 {"a", "b"},
		strings.Repeat("a", 16):                  {strings.Repeat("a", 16)},
		strings.Repeat("a", 32):                  {strings.Repeat("a", 32)},
		strings.Repeat("a", 17):                  {strings.Repeat("a", 17)},
		strings.Repeat("a", 16) + "\nb":          {strings.Repeat("a", 16), "b"},
		strings.Repeat("a", lineLimit+1) + "\nb": {strings.Repeat("a", lineLimit) + "…", "b"},
	} {
		in := bufio.NewReaderSize(strings.NewReader(text), 16)
		var got []string
		for {
			line, err := readLine(in)
			if err != nil {
				break
			}
			got = append(got, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %.40q the lines are %.40q", text, got)
		}
	}
}
