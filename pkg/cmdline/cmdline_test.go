package cmdline_test

import (
	"os/exec"
	"testing"

	"zr/pkg/cmdline"
)

func TestLines(t *testing.T) {
	here := cmdline.Run{Flags: []string{"-e", "staging"}, Kubeconfig: "/home/a b/zr", Context: "kind-x"}
	for got, want := range map[string]string{
		here.Zr("logs", "web"): "zr logs -e staging web",
		here.Anew():            "zr down -e staging --purge && zr up -e staging",
		here.Kubectl("-n", "x", "delete", "job", "a"):       "kubectl --kubeconfig '/home/a b/zr' --context kind-x -n x delete job a",
		cmdline.Run{}.Kubectl("get", "ns"):                  "kubectl get ns",
		cmdline.Run{Context: "prod"}.Kubectl("get", "ns"):   "kubectl --context prod get ns",
		cmdline.Run{Flags: []string{"-C", "~x"}}.Zr("up"):   "zr up -C '~x'",
		cmdline.Run{Flags: []string{"-C", "it's"}}.Zr("up"): `zr up -C 'it'\''s'`,
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestAShellReadsItBack has names that mean something to a shell.
func TestAShellReadsItBack(t *testing.T) {
	for _, name := range []string{"web", "a b", "$HOME", "it's", "~", "*", "a;b", "", "`x`", "a\nb"} {
		line := cmdline.Run{Flags: []string{name}}.Zr("up")
		out, err := exec.Command("sh", "-c", "zr() { printf '%s' \"$2\"; }; "+line).Output()
		if err != nil || string(out) != name {
			t.Errorf("%s: a shell reads %q (%v), want %q", line, out, err, name)
		}
	}
}
