package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"zr/internal/testkit"
)

// asZR lets a child of this test be zr itself.
const asZR = "ZR_TEST_AS_ZR"

func TestMain(m *testing.M) {
	if os.Getenv(asZR) != "" {
		os.Exit(Main(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// zr runs a command line in a new folder that holds files, given as path →
// text.
func zr(t *testing.T, files map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // where locks are
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out, errOut bytes.Buffer
	code = run(t.Context(), append([]string{"zr"}, args...), &out, &errOut)
	return code, out.String(), errOut.String()
}

const tiny = "project: tiny\nservices: {a: {}}\n"

func TestLookingMakesNoSecrets(t *testing.T) {
	for _, args := range []string{"config validate", "config show", "config show --target kind"} {
		files := map[string]string{"config/dev.yaml": tiny, "config/secrets/dev.env.example": "A=mock-a\n"}
		code, stdout, stderr := zr(t, files, strings.Fields(args)...)
		if code != 0 || strings.Contains(stdout, "mock-a") {
			t.Errorf("%s: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		if _, err := os.Stat("config/secrets/dev.env"); err == nil {
			t.Errorf("%s made secrets", args)
		}
	}
}

func TestNamesThatTheOverlayLacks(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	tests := []struct{ config, args, want string }{
		{"project: tiny\ncluster: {ports: {wbe: 80}}\nservices:\n  webb: {}\n  db: {}\n", "up", `
zr: config/dev.yaml:2:19: kustomize/overlays/dev has no Service "wbe" (did you mean "web"?)
    config/dev.yaml:4:3: kustomize/overlays/dev has no workload "webb" (did you mean "web"?)
    config/dev.yaml:5:3: kustomize/overlays/dev has no workload "db" (it has web)
`},
		{"project: tiny\nservices:\n  web:\n    build: {node: .}\n", "config validate", `
zr: config/dev.yaml:4:5: no container in kustomize/overlays/dev has the image "web" that this builds (zr replaces the image that is named like the service: write ` + "`image: web`" + ` in place of "example/web", or drop the build)
`},
		{"project: tiny\ncluster: {ports: {web: 81}}\nservices: {web: {}}\n", "up", `
zr: config/dev.yaml:2:19: api and web both want port 81 of this machine
`},
		{"project: tiny\nservices: {web: {}}\n", "logs wbe", `
zr: there is no service "wbe"
  hint: did you mean "web"?
`},
	}
	for _, tt := range tests {
		code, _, stderr := zr(t, testkit.Project(tt.config), strings.Fields(tt.args)...)
		if code != 2 || !strings.HasPrefix(stderr, strings.TrimPrefix(tt.want, "\n")) {
			t.Errorf("%s: exit code %d\n%s\nwant:%s", tt.args, code, stderr, tt.want)
		}
	}
}

func TestFlagsInEveryPosition(t *testing.T) {
	files := map[string]string{"config/dev.yaml": tiny, "config/staging.yaml": "project: other\nservices: {a: {}}\n"}
	for _, args := range []string{
		"-e staging config show", "config -e staging show", "config show -e staging", "config show --env=staging", "-e dev config show -e staging",
	} {
		t.Run(args, func(t *testing.T) {
			t.Setenv("ZR_ENV", "dev") // whatever is typed wins
			if code, stdout, stderr := zr(t, files, strings.Fields(args)...); code != 0 || !strings.HasPrefix(stdout, "project: other\n") {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
	t.Setenv("ZR_ENV", "staging")
	if _, stdout, stderr := zr(t, files, "config", "show"); !strings.HasPrefix(stdout, "project: other\n") {
		t.Errorf("ZR_ENV: %s%s", stdout, stderr)
	}
}

func TestArranged(t *testing.T) {
	for typed, read := range map[string]string{
		"zr":                                  "zr",
		"zr help":                             "zr --help",
		"zr --version":                        "zr version",
		"zr -o json --version":                "zr -o json version",
		"zr images --version":                 "zr images --version",
		"zr help images ls":                   "zr images ls --help",
		"zr logs api -f web --tail 3 -o json": "zr logs -f --tail 3 -o json api web",
		"zr -e x logs api --tail=3 -f":        "zr -e x logs --tail=3 -f api",
		"zr logs api -f -- -x -o":             "zr logs -f -- api -x -o",
		"zr nothing --fast":                   "zr nothing --fast",
		"zr images nothing --fast":            "zr images nothing --fast",
		"zr logs --tail":                      "zr logs --tail",
		"zr logs api --f " + completing:       "zr logs api --f " + completing,
	} {
		if got := strings.Join(arranged(newApp(nil, nil), strings.Fields(typed)), " "); got != read {
			t.Errorf("%s is read as %s, want %s", typed, got, read)
		}
	}
}

func TestBadUsage(t *testing.T) {
	for args, want := range map[string]string{
		"nothing":                  "commands here: init, up, dev,",
		"stat":                     `did you mean "status"?`,
		"images lss":               `did you mean "ls"?`,
		"up --outptu json":         `did you mean "--output"?`,
		"config show --nothing":    "see `zr config show --help`",
		"config schema x":          "schema takes no arguments",
		"version x":                "version takes no arguments",
		"-o yaml version":          `"yaml" is not a format`,
		"-o yaml config schema":    `"yaml" is not a format`,
		"-o yaml completion bash":  `"yaml" is not a format`,
		"completion bash x":        `no completion for the shell "bash x"`,
		"logs --tail -1":           "less than nothing",
		"logs a --since -1m":       "less than nothing",
		"config validate -e nope":  `no environment "nope"`,
		"-C nope down --purge -y":  "nope is not a folder",
		"dev --explain= --nothing": "see `zr dev --help`",
	} {
		code, stdout, stderr := zr(t, map[string]string{"config/dev.yaml": tiny}, strings.Fields(args)...)
		if code != 2 || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%s: exit code %d\n%s%s\nwant: %s", args, code, stdout, stderr, want)
		}
	}
}

func TestEveryVerbHasHelpWithExamples(t *testing.T) {
	var walk func(commands []*cli.Command, path ...string)
	walk = func(commands []*cli.Command, path ...string) {
		for _, c := range commands {
			if c.Hidden {
				continue
			}
			args := append(slices.Clone(path), c.Name)
			code, stdout, stderr := zr(t, nil, append(args, "--help")...)
			if code != 0 || !strings.Contains(stdout, "EXAMPLE") || stderr != "" {
				t.Errorf("%s --help: exit code %d\n%s%s", args, code, stdout, stderr)
			}
			walk(c.Subcommands, args...)
		}
	}
	walk(newApp(nil, nil).Commands)
}

func TestWhatACtrlCEndsIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	// A child that was killed says "signal: killed", not that it was cancelled.
	if code := run(ctx, []string{"zr", "nothing"}, &out, &errOut); code != 130 || !strings.HasSuffix(errOut.String(), "zr: interrupted\n") {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
}

func TestAReportThatIsCutShortIsNoSuccess(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	zr(t, map[string]string{"config/dev.yaml": tiny}) // a project to stand in
	for _, args := range []string{"version", "--version", "version -o json", "--help", "up --help", "config schema", "config show", "config show -o json",
		"config validate", "config validate -o json", "completion bash", "completion fish"} {
		var errOut bytes.Buffer
		if code := run(t.Context(), append([]string{"zr"}, strings.Fields(args)...), full, &errOut); code != 1 || strings.Count(errOut.String(), "no space left") != 1 {
			t.Errorf("%s: exit code %d\n%s", args, code, errOut.String())
		}
	}
}

func TestBashCompletes(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	project := t.TempDir()
	testkit.WriteFile(t, filepath.Join(project, "config/dev.yaml"), "project: shop\nservices: {web: {}, api: {}}\n")
	testkit.WriteFile(t, filepath.Join(project, "config/staging.yaml"), "project: shop\nservices: {worker: {}}\n")
	for typed, want := range map[string]string{
		"zr -C " + project + " logs ": "api web", "zr -C " + project + " logs w": "web", "zr -C " + project + " -e staging logs ": "worker",
		"zr -C " + project + " up -e ": "dev staging", "zr -C " + project + " --env s": "staging",
		"zr d": "dev down diff doctor", "zr images ": "ls build push prune", "zr up --ou": "--output", "zr up --": "--change-secrets",
		"zr logs api --f": "--follow", "zr completion ": "bash zsh fish", "zr up ": "",
	} {
		script := bashCompletion + `
zr() { ` + asZR + `=1 "$0" "$@"; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _zr; echo ${COMPREPLY[@]}`
		out, err := exec.Command("bash", append([]string{"-c", script, os.Args[0]}, strings.Split(typed, " ")...)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %s, %v; want %s", typed, got, err, want)
		}
	}
}

func TestAMachineWithoutAHome(t *testing.T) {
	for _, cache := range []string{"", "relative", "/dev/null/x"} {
		t.Setenv("HOME", "")
		t.Setenv("XDG_CACHE_HOME", cache)
		if code, _, stderr := zr(t, nil, "images", "ls"); code != 1 || !strings.Contains(stderr, "hint: ") || !strings.Contains(stderr, "XDG_CACHE_HOME") {
			t.Errorf("cache %q: exit code %d\n%s", cache, code, stderr)
		}
		if code, _, stderr := zr(t, map[string]string{"config/dev.yaml": tiny}, "config", "show"); code != 0 {
			t.Errorf("cache %q: exit code %d\n%s", cache, code, stderr)
		}
	}
}

func TestCtrlCEndsAQuestion(t *testing.T) {
	for typed, want := range map[string]bool{"yes\n": true, "no\n": false, "": false} {
		if yes, err := saysYes(t.Context(), strings.NewReader(typed)); yes != want || err != nil {
			t.Errorf("%q: %v, %v", typed, yes, err)
		}
	}
	nobody, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := saysYes(ctx, nobody); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
