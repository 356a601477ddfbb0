package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/testkit"
	"zr/pkg/devattach"
	"zr/pkg/event"
)

// configured asks a `zr dev` for settings, as the api does.
func configured(t *testing.T, d *Dev, commands chan Command, asked devattach.Settings) (devattach.SettingsWritten, *devattach.Failure) {
	t.Helper()
	argument, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	got, err := d.actions(commands)[devattach.Configure](ctx, argument)
	failed, is := errors.AsType[*devattach.Failure](err)
	if err != nil && !is {
		t.Fatal(err)
	}
	written, _ := got.(devattach.SettingsWritten)
	return written, failed
}

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Settings that are not a change of what the file says, or of what it has given the
// cluster, are refused, and nothing is written.
func TestSettingsOfSomethingElseAreRefused(t *testing.T) {
	const config = "project: tiny\nservices: {web: {}}\nsettings:\n  LEVEL: info # why\n"
	d := newDev(stackOf(t, testkit.Project(config)))
	file := filepath.Join(d.cfg.Root, "config/dev.yaml")
	info, debug := map[string]string{"LEVEL": "info"}, map[string]string{"LEVEL": "debug"}
	good := devattach.Settings{Before: info, Source: "config/dev.yaml", Settings: debug}
	other, revision := good, good
	other.Before = map[string]string{"LEVEL": "error"}
	revision.Source = "revision 3 by ada: why"
	if _, failed := configured(t, d, nil, good); failed == nil || failed.Code != devattach.Conflict || !strings.Contains(failed.Text, "brings the environment up") {
		t.Errorf("before anything is up: %v", failed)
	}
	publishAnew(t, d)
	for asked, says := range map[*devattach.Settings]string{&other: "config/dev.yaml has something else for LEVEL", &revision: `from "revision 3 by ada: why"`} {
		if _, failed := configured(t, d, nil, *asked); failed == nil || failed.Code != devattach.Conflict || !strings.Contains(failed.Text, says) || !strings.Contains(failed.Text, "nothing is written") {
			t.Errorf("want %q, got %v", says, failed)
		}
	}
	if got := text(t, file); got != config {
		t.Errorf("the file is now\n%s", got)
	}
	testkit.WriteFile(t, file, "servises: {}\n")
	if _, failed := configured(t, d, nil, good); failed == nil || failed.Code != devattach.Failed || !strings.HasPrefix(failed.Text, "nothing is written: ") || text(t, file) != "servises: {}\n" {
		t.Errorf("a file that is broken: %v", failed)
	}
}

// Settings are written into the file and applied by the save of it; where the cluster
// does not take them, the file has them, and that is what is said.
func TestSettingsAreWrittenAndApplied(t *testing.T) {
	d, said, client := onServer(t)
	file := filepath.Join(d.cfg.Root, "config/dev.yaml")
	testkit.WriteFile(t, file, sharedConfig+"settings:\n  LEVEL: info # why\n")
	settings := client("", "configmaps").Namespace("tiny")
	held := func() string {
		t.Helper()
		found, err := settings.Get(t.Context(), "settings", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(found.Object["data"], found.GetAnnotations()["zr.dev/source"])
	}
	ctx, cancel := context.WithCancel(t.Context())
	commands, ended := make(chan Command), make(chan error, 1)
	go func() { ended <- d.Run(ctx, commands) }()
	isReady := func(e event.Event) bool { _, is := e.(event.Ready); return is }
	for deadline := time.Now().Add(2 * time.Minute); !slices.ContainsFunc(said.Events(), isReady); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is not up: %+v", said.Events())
		}
	}
	level := func(l string) map[string]string { return map[string]string{"LEVEL": l} }
	asked := devattach.Settings{Before: level("info"), Source: "config/dev.yaml", Settings: level("debug"), Revision: 7, Author: "ada", Reason: "to see more"}
	written, failed := configured(t, d, commands, asked)
	if failed != nil || written.Failed != "" || written.File != "config/dev.yaml" || !slices.Equal(written.Keys, []string{"LEVEL"}) {
		t.Errorf("got %+v, %v", written, failed)
	}
	if got := text(t, file); got != sharedConfig+"settings:\n  LEVEL: debug # why\n" {
		t.Errorf("the file is now\n%s", got)
	}
	if got := held(); got != "map[LEVEL:debug]config/dev.yaml" {
		t.Errorf("the cluster has %s", got)
	}
	if !slices.ContainsFunc(said.Events(), func(e event.Event) bool {
		n, is := e.(event.Notice)
		return is && strings.Contains(n.Text, `LEVEL changed by ada through the api, as revision 7: "to see more"`)
	}) {
		t.Errorf("nobody is told: %+v", said.Events())
	}

	asked.Before = level("debug") // what the file says already
	if written, failed = configured(t, d, commands, asked); failed != nil || written.Failed != "" || len(written.Keys) > 0 {
		t.Errorf("the same again: %+v, %v", written, failed)
	}

	patch := `{"metadata":{"annotations":{"zr.dev/source":"revision 8 by bob: why"}},"data":{"LEVEL":"error"}}`
	if _, err := settings.Patch(ctx, "settings", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "other"}); err != nil {
		t.Fatal(err)
	}
	asked.Settings = level("warn")
	if written, failed = configured(t, d, commands, asked); failed != nil || !strings.Contains(written.Failed, "was changed in the cluster") {
		t.Errorf("what the cluster has from somebody else: %+v, %v", written, failed)
	}
	if got := text(t, file); !strings.HasSuffix(got, "  LEVEL: warn # why\n") {
		t.Errorf("the file is now\n%s", got)
	}
	if got := held(); got != "map[LEVEL:error]revision 8 by bob: why" {
		t.Errorf("the cluster has %s", got)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
