package dev_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/dev"
	"zr/internal/api/store/storetest"
	"zr/pkg/apiclient"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
)

// comesAs names a variable: with it, the test's program is a run of zr that is attached
// to the api of that address until it is killed.
const comesAs = "ZR_TEST_ATTACH_TO"

func TestMain(m *testing.M) {
	if base := os.Getenv(comesAs); base != "" {
		l := attachment.New(devattach.Hello{Run: "of-a-process", Verb: devattach.Dev, Machine: "far", Process: os.Getpid(), Since: time.Now()})
		l.Found(apiclient.Address{Base: base, Key: apitest.LoginKey}, "")
		select {}
	}
	os.Exit(storetest.Main(m))
}

// newAttachment returns the attachment of a run, which is not attached yet.
func newAttachment(t *testing.T, run string, actions map[devattach.Action]attachment.Do) *attachment.Attachment {
	t.Helper()
	t.Setenv("USER", "ada")
	l := attachment.New(devattach.Hello{Run: run, Verb: devattach.Dev, Machine: "laptop", Folder: "/home/ada/shop", Process: 7, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	l.Serve(actions)
	t.Cleanup(l.Close)
	return l
}

func address(a *apitest.App) apiclient.Address {
	return apiclient.Address{Base: a.URL(), Key: apitest.LoginKey}
}

// api is a running api, and a page of it whose user is logged in.
type api struct {
	*apitest.App
	t    *testing.T
	page []string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return runAPI(t, apitest.WithServers(t))
}

// runAPI returns one with these settings, which hears other replicas.
func runAPI(t *testing.T, settings map[string]string) *api {
	t.Helper()
	running := apitest.Run(t, settings)
	a := &api{running, t, running.LogIn("operator")}
	a.attached(func(r dev.AttachedRuns) bool { return r.Complete })
	return a
}

// attached waits until the runs that are attached are as wanted.
func (a *api) attached(wanted func(dev.AttachedRuns) bool) dev.AttachedRuns {
	a.t.Helper()
	var last dev.AttachedRuns
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		last = dev.AttachedRuns{}
		a.Request("GET", "/api/v1/dev", a.page...).Decode(a.t, &last)
		if wanted(last) {
			return last
		}
	}
	a.t.Fatalf("attached stay %+v", last)
	return last
}

func runs(n int) func(dev.AttachedRuns) bool {
	return func(r dev.AttachedRuns) bool { return len(r.Attached) == n }
}

// nothing is an action that is never asked for.
func nothing(context.Context, json.RawMessage) (any, error) { return nil, nil }
