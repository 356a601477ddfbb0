package dev_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"zr/internal/api/routes/dev"
	"zr/pkg/apiclient"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
)

// Who is attached is listed with who he is, and what he does; and is not when he has
// gone.
func TestAttached200(t *testing.T) {
	a := newAPI(t)
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: nothing})
	l.Emit(event.StepStarted{Step: "apply", Title: "apply it"})
	l.Emit(event.ServiceState{Service: "api", State: event.Building})
	l.Found(address(a.App), "")
	got := a.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && len(r.Attached[0].Now) == 2 }).Attached[0]
	if got.Run != "one" || got.Verb != "dev" || got.User != "ada" || got.Machine != "laptop" || got.Folder != "/home/ada/shop" || got.Process != 7 || got.Since.Year() != 2026 || len(got.Actions) != 1 {
		t.Errorf("got %+v", got)
	}
	if got.Now[0].What != "api" || got.Now[0].State != "building" || got.Now[1].What != "apply" || got.Now[1].State != "running" {
		t.Errorf("he does %+v", got.Now)
	}
	l.Emit(event.StepDone{Step: "apply"})
	l.Emit(event.ServiceState{Service: "api", State: event.Healthy})
	a.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && len(r.Attached[0].Now) == 0 })
	l.Close()
	a.attached(runs(0))
}

// A run that is killed is not attached any more.
func TestKilled200(t *testing.T) {
	a := newAPI(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), comesAs+"="+a.URL())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	a.attached(runs(1))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	a.attached(runs(0))
}

// One that does not answer any more, on a connection that stays, is not attached either.
func TestSilent200(t *testing.T) {
	a := newAPI(t)
	a.hello(devattach.Hello{Run: "silent", Verb: devattach.Dev})
	a.attached(runs(1))
	a.attached(runs(0)) // who does not read answers no ping
}

// One that says of itself what cannot be stored is sent away.
func TestMisspoken101(t *testing.T) {
	a := newAPI(t)
	for _, h := range []devattach.Hello{{Run: "one", Verb: "down"}, {Run: "one", Verb: devattach.Dev, Folder: "/home\x00/ada"}} {
		if _, _, err := a.hello(h).Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// hello opens a connection of a run, and says who comes.
func (a *api) hello(h devattach.Hello) *websocket.Conn {
	a.t.Helper()
	session, err := apiclient.LogIn(a.t.Context(), address(a.App))
	if err != nil {
		a.t.Fatal(err)
	}
	conn, _, err := websocket.Dial(a.t.Context(), session.URL(devattach.Path, nil), &websocket.DialOptions{HTTPHeader: session.Header()})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.CloseNow() })
	text, err := json.Marshal(devattach.Frame{Hello: &h})
	if err == nil {
		err = conn.Write(a.t.Context(), websocket.MessageText, text)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return conn
}

// A run that comes back on another connection is one run.
func TestBack200(t *testing.T) {
	a := newAPI(t)
	first, second := newAttachment(t, "same", nil), newAttachment(t, "same", nil)
	first.Found(address(a.App), "")
	a.attached(runs(1))
	second.Found(address(a.App), "")
	for strings.Count(a.Log.String(), "zr is attached") < 2 {
		time.Sleep(time.Millisecond)
	}
	a.attached(runs(1))
	first.Close()
	a.attached(runs(1))
}

// An action is done by the zr that is attached, and answered with what that says.
func TestActions200(t *testing.T) {
	a := newAPI(t)
	var asked string
	do := func(action devattach.Action) attachment.Do {
		return func(_ context.Context, argument json.RawMessage) (any, error) {
			asked = string(action) + string(argument)
			return event.Reload{Service: "api", Action: event.Restart, Healthy: time.Second}, nil
		}
	}
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: do(devattach.Restart), devattach.Rebuild: do(devattach.Rebuild), devattach.Apply: do(devattach.Apply)})
	l.Found(address(a.App), "")
	a.attached(runs(1))
	for action, body := range map[string]string{"restart": `{"service":"api"}`, "rebuild": `{"service":"api"}`, "apply": ""} {
		got := a.Send(http.MethodPost, "/api/v1/dev/"+action, body, a.page...)
		var trace event.Reload
		got.Decode(t, &trace)
		if got.Status != 200 || trace.Service != "api" || trace.Healthy != time.Second || !strings.HasPrefix(asked, action+`{"service":"`) {
			t.Errorf("%s: %d %s, asked %s", action, got.Status, got.Body, asked)
		}
	}
	if log := a.Request("GET", "/api/v1/activity?action=devRestart", a.page...); !strings.Contains(log.Body, `"done"`) || !strings.Contains(log.Body, `"target":"api"`) {
		t.Errorf("the audit log has %s", log.Body)
	}
}
