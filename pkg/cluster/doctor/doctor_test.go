package doctor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/pkg/event"
	"zr/pkg/fault"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMemory(t *testing.T) {
	for text, want := range map[string]Status{
		"MemTotal: 24000000 kB\nMemAvailable:   23000000 kB\n": OK,
		"MemAvailable:    2000000 kB\n":                        Warn,
		"MemAvailable:     500000 kB\n":                        Fail,
	} {
		checks := checkMemory(write(t, filepath.Join(t.TempDir(), "meminfo"), text), true)
		if len(checks) != 1 || checks[0].Status != want {
			t.Errorf("%q: %+v, want %s", text, checks, want)
		}
	}
	if checks := checkMemory("/proc/meminfo", false); checks != nil {
		t.Errorf("checked without need: %+v", checks)
	}
}

func TestInotify(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "max_user_instances"), "128\n")
	write(t, filepath.Join(dir, "max_user_watches"), "192536\n")
	checks := checkInotify(dir, true, true)
	if len(checks) != 2 || checks[0].Status != Warn || checks[1].Status != OK {
		t.Fatalf("checks: %+v", checks)
	}
	if checks[0].Hint != "sysctl -w fs.inotify.max_user_instances=512" {
		t.Errorf("fix: %s", checks[0].Hint)
	}
	if checks := checkInotify(dir, false, true); len(checks) != 1 {
		t.Errorf("a watcher without a cluster: %+v", checks)
	}
}

func TestPorts(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := int32(l.Addr().(*net.TCPAddr).Port)
	checks := checkPorts([]Port{{"web", port}})
	if len(checks) != 1 || checks[0].Status != Fail || !strings.Contains(checks[0].Hint, "cluster.ports.web") {
		t.Errorf("checks: %+v", checks)
	}
}

func TestTools(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	write(t, filepath.Join(dir, "go"), "#!/bin/sh\n[ \"$1 $2\" = 'env GOVERSION' ] && echo go1.26.8\n")
	write(t, filepath.Join(dir, "node"), "#!/bin/sh\necho v18.19.0\n")
	write(t, filepath.Join(dir, "npm"), "#!/bin/sh\necho broken >&2; exit 1\n")
	for _, tt := range []struct {
		tool   Tool
		want   Status
		detail string
	}{
		{Tool{Name: "go", Min: "1.26"}, OK, "1.26.8"},
		{Tool{Name: "go", Min: "1.27"}, Fail, "older than 1.27"},
		{Tool{Name: "node", Min: "20"}, Fail, "18.19.0"},
		{Tool{Name: "node"}, OK, "18.19.0"},
		{Tool{Name: "npm"}, Fail, "broken"},
		{Tool{Name: "pnpm", Min: "9"}, Fail, "not on PATH"},
		{Tool{Name: "npm", Unknown: true}, OK, dir},
		{Tool{Name: "cargo", Unknown: true}, Fail, "not on PATH"},
	} {
		c := checkTools(context.Background(), []Tool{tt.tool})[0]
		if c.Status != tt.want || !strings.Contains(c.Detail, tt.detail) || (c.Status == Fail) != (c.Hint != "") {
			t.Errorf("%v: %+v", tt.tool, c)
		}
	}
}

func TestClock(t *testing.T) {
	past := write(t, filepath.Join(t.TempDir(), "a"), "")
	future := write(t, filepath.Join(t.TempDir(), "b"), "")
	tomorrow := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(future, tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	if c := checkClock(Needs{Sources: []string{past, "/does/not/exist"}})[0]; c.Status != OK {
		t.Errorf("with files of the past: %+v", c)
	}
	if c := checkClock(Needs{Sources: []string{past, future}})[0]; c.Status != Fail || !strings.Contains(c.Detail, future) {
		t.Errorf("with a file of the future: %+v", c)
	}
}

func TestDisk(t *testing.T) {
	c := disk("disk", filepath.Join(t.TempDir(), "not", "yet", "made"))
	if !strings.Contains(c.Detail, "free") {
		t.Errorf("a folder that is yet to be made: %+v", c)
	}
}

func TestErr(t *testing.T) {
	fix := func(context.Context, event.Sink) error { return nil }
	for name, tt := range map[string]struct {
		checks []Check
		err    string
		hint   string
	}{
		"nothing":   {checks: []Check{{Status: OK}, {Name: "x", Status: Warn, Hint: "y"}}},
		"one":       {checks: []Check{{Name: "port 3000", Status: Fail, Detail: "in use", Hint: "stop it"}}, err: "port 3000: in use", hint: "stop it"},
		"several":   {checks: []Check{{Name: "a", Status: Fail, Hint: "x"}, {Name: "b", Status: Fail, Hint: "y"}}, err: "a: \nb: ", hint: "zr doctor says what fixes each"},
		"fixed too": {checks: []Check{{Name: "a", Status: Fail, Hint: "x", Fix: fix}}, err: "a: ", hint: "zr doctor --fix fixes what it can"},
	} {
		err := Err(tt.checks)
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err || fault.HintOf(err) != tt.hint {
			t.Errorf("%s: %q, hint %q", name, err, fault.HintOf(err))
		}
	}
}

func TestFixRunsWhatCanBeFixed(t *testing.T) {
	var fixed []string
	fix := func(name string) func(context.Context, event.Sink) error {
		return func(context.Context, event.Sink) error { fixed = append(fixed, name); return nil }
	}
	checks, err := Fix(context.Background(), Needs{}, []Check{
		{Name: "fine", Status: OK, Fix: fix("fine")},
		{Name: "bad", Status: Fail, Fix: fix("bad")},
		{Name: "hopeless", Status: Fail},
	}, event.Discard)
	if err != nil || strings.Join(fixed, " ") != "bad" {
		t.Errorf("fixed %v, %v", fixed, err)
	}
	if len(checks) == 0 {
		t.Error("nothing was checked afterwards")
	}
}
