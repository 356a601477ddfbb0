package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"zr/internal/api/apitest"
)

func TestStoppingIsExitCode0(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	if code := a.Stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, a.Log)
	}
}

// Who has a stream open when the api stops is told to come back, and from where to go on.
func TestStoppingTellsStreams(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	page := a.LogIn("operator")
	header := http.Header{}
	for i := 0; i < len(page); i += 2 {
		header.Set(page[i], page[i+1])
	}
	streams := map[string]*websocket.Conn{}
	told := map[string]string{"/api/v1/live/services": "come back for the whole", "/api/v1/logs/live": "go on after the last id", "/api/v1/dev/live": "go on after the last id", "/api/v1/dev/attach": "come back"}
	for path := range told {
		conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(a.URL(), "http")+path, &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			t.Fatal(path, err)
		}
		defer func() { _ = conn.CloseNow() }()
		streams[path] = conn
	}
	type end struct {
		path string
		err  error
	}
	ends := make(chan end, len(streams))
	for path, conn := range streams {
		go func() {
			for {
				if _, _, err := conn.Read(t.Context()); err != nil {
					ends <- end{path, err}
					return
				}
			}
		}()
	}
	if code := a.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for range streams {
		got := <-ends
		said, ended := errors.AsType[websocket.CloseError](got.err)
		if !ended || said.Code != websocket.StatusGoingAway || said.Reason != told[got.path] {
			t.Errorf("%s: %v", got.path, got.err)
		}
	}
	if strings.Contains(a.Log.String(), "still in flight") {
		t.Errorf("%s", a.Log)
	}
}
