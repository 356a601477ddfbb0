package logs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"zr/internal/testkit"
	"zr/pkg/event"
	"zr/pkg/kube"
)

const (
	backlogPods  = 40
	backlogLines = 12
)

// backlog is an API server with a namespace whose containers wrote lines of a
// megabyte each while nobody looked: 480 MB in all.
func backlog(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/log") {
		var items []any
		for i := range backlogPods {
			items = append(items, map[string]any{
				"metadata": map[string]any{"name": fmt.Sprintf("pod-%d", i), "uid": fmt.Sprint(i)},
				"status":   map[string]any{"containerStatuses": []any{map[string]any{"name": "main", "state": map[string]any{"running": map[string]any{}}}}},
			})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
		return
	}
	long := strings.Repeat("x", 1<<20)
	for i := range backlogLines {
		at := time.Unix(1_700_000_000+int64(i), 0).UTC().Format(time.RFC3339Nano)
		if _, err := io.WriteString(w, fmt.Sprintf("%s %d %s\n", at, i, long)); err != nil {
			return
		}
	}
}

// TestABacklogTakesLittleMemory reads it in a child. All logs are open at once,
// in the order of time, so that most of them wait for the one that is read.
func TestABacklogTakesLittleMemory(t *testing.T) {
	const child = "ZR_TEST_BACKLOG"
	if url := os.Getenv(child); url != "" {
		client, err := kube.New(&kube.Config{Host: url, TLSClientConfig: rest.TLSClientConfig{Insecure: true}})
		if err != nil {
			t.Fatal(err)
		}
		reader := New(client)
		n := 0
		err = reader.Follow(t.Context(), Options{Namespace: "x"}, func(event.LogLine) { n++ })
		if err != nil || n != backlogPods*backlogLines {
			t.Errorf("%d lines, %v", n, err)
		}
		return
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(backlog))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), child+"="+server.URL)
	testkit.ForgetPeak()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := testkit.PeakMemory(t, c); got > testkit.MaxMemory {
		t.Errorf("it took %d MB", got/1e6)
	} else {
		t.Logf("it took %d MB", got/1e6)
	}
}
