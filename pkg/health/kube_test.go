package health

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"k8s.io/client-go/rest"
)

func TestLastLinesAreFitForATerminal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "2026-01-02T03:04:05.000000001Z \x1b[1;31mError\x1b[0m: it\tbroke\r\n"+
			"2026-01-02T03:04:06Z \x1b]0;title\x07\x1b[2Jand went\n"+
			"unable to retrieve container logs for x\n")
	}))
	defer server.Close()
	k, err := newKube(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := k.lastLines(t.Context(), "ns", "pod", "api", false, shownLines)
	if want := []string{"Error: it\tbroke", "]0;titleand went"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("the lines are %q, %v", lines, err)
	}
}
