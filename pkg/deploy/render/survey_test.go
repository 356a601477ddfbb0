package render_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/fault"
)

// bomb is YAML that has 10^9 values when its aliases are expanded.
func bomb(first string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "a0: &a0 [%s]\n", first)
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

// TestFilesThatHurtAreRefused has overlays that take a tool which believes them
// gigabytes of memory, or for ever. Where one is believed, the test does not end.
func TestFilesThatHurtAreRefused(t *testing.T) {
	manifest := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	link := func(p *rendertest.Project, target, name string) {
		p.T.Helper()
		_ = os.Remove(filepath.Join(p.Dir, name))
		if err := os.Symlink(target, filepath.Join(p.Dir, name)); err != nil {
			p.T.Fatal(err)
		}
	}
	pipe := func(p *rendertest.Project, name string) {
		p.T.Helper()
		_ = os.Remove(filepath.Join(p.Dir, name))
		if err := syscall.Mkfifo(filepath.Join(p.Dir, name), 0o600); err != nil {
			p.T.Fatal(err)
		}
	}
	sparse := func(p *rendertest.Project, name string) {
		p.T.Helper()
		p.Write(name, "")
		if err := os.Truncate(filepath.Join(p.Dir, name), 2<<30); err != nil {
			p.T.Fatal(err)
		}
	}
	add := func(p *rendertest.Project, text string) {
		p.Edit("kustomization.yaml", "resources:", text+"\nresources:")
	}
	for _, test := range []struct {
		name string
		do   func(p *rendertest.Project)
		want string
	}{
		{"aliases in a manifest", func(p *rendertest.Project) { p.Write("web.yaml", manifest+"data:\n"+indent(bomb("x, x"))) }, "/web.yaml:10:"},
		{"aliases in a kustomization", func(p *rendertest.Project) { p.Write("kustomization.yaml", bomb("x, x")) }, "/kustomization.yaml:6:"},
		{"aliases in a patch", func(p *rendertest.Project) {
			p.Write("patch.yaml", bomb("x, x"))
			add(p, "patches: [{path: patch.yaml}]")
		}, "/patch.yaml:6:"},
		{"aliases in a patch in a kustomization", func(p *rendertest.Project) { add(p, "patches:\n- patch: |\n"+indent(bomb("x, x"))) }, "aliases expanded"},
		{"aliases in a transformer", func(p *rendertest.Project) {
			p.Write("t.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npatch: |\n"+indent(bomb("x, x")))
			add(p, "transformers: [t.yaml]")
		}, "aliases expanded"},
		{"a deep manifest", func(p *rendertest.Project) {
			p.Write("web.yaml", manifest+"data: "+strings.Repeat("[", 9999)+strings.Repeat("]", 9999))
		}, "200 levels"},
		{"a large manifest", func(p *rendertest.Project) { sparse(p, "web.yaml") }, "more than 16 MiB"},
		{"a manifest that is a device", func(p *rendertest.Project) { link(p, "/dev/zero", "web.yaml") }, "not a regular file"},
		{"a manifest that is a pipe", func(p *rendertest.Project) { pipe(p, "web.yaml") }, "not a regular file"},
		{"a kustomization that is a pipe", func(p *rendertest.Project) { pipe(p, "kustomization.yaml") }, "not a regular file"},
		{"a patch that is a pipe", func(p *rendertest.Project) {
			pipe(p, "patch.yaml")
			add(p, "patches: [{path: patch.yaml}]")
		}, "not a regular file"},
		{"a large file in a ConfigMap", func(p *rendertest.Project) {
			sparse(p, "data")
			add(p, "configMapGenerator: [{name: x, files: [a=data]}]")
		}, `"data" has more than 1 MiB`},
		{"a device in a Secret", func(p *rendertest.Project) {
			link(p, "/dev/zero", "data")
			add(p, "secretGenerator: [{name: x, envs: [data]}]")
		}, `/kustomization.yaml:5:36: "data" is not a regular file`},
		{"bases that are included twice by each other", func(p *rendertest.Project) {
			p.Folder("b0", "namePrefix: x-\nresources: [../web.yaml]\n")
			for i := 1; i < 25; i++ {
				for _, side := range []string{"l", "r"} {
					p.Folder(fmt.Sprintf("%s%d", side, i), fmt.Sprintf("namePrefix: %s-\nresources: [../b%d]\n", side, i-1))
				}
				p.Folder(fmt.Sprintf("b%d", i), fmt.Sprintf("resources: [../l%d, ../r%d]\n", i, i))
			}
			p.Edit("kustomization.yaml", "web.yaml", "b24")
		}, "as often as they are included"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := rendertest.New(t)
			test.do(p)
			_, err := render.Render(t.Context(), p.Options)
			testkit.ErrorSays(t, err, test.want)
		})
	}
}

// TestKeysThatWouldBeDroppedAreRefused: of two equal keys, kustomize takes the
// last without a word, and what the first made is pruned.
func TestKeysThatWouldBeDroppedAreRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(p *rendertest.Project)
		want string
	}{
		{"a list of a kustomization", func(p *rendertest.Project) {
			p.Edit("kustomization.yaml", "resources:", "configMapGenerator: [{name: a, literals: [A=b]}]\nconfigMapGenerator: [{name: b, literals: [A=b]}]\nresources:")
		}, `/kustomization.yaml:6:1: key "configMapGenerator" is there already, on line 5`},
		{"a list of a kustomization, in another case", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "resources:", "Resources: []\nresources:") },
			`/kustomization.yaml:6:1: key "resources" is there already, on line 5`},
		{"an entry of a generator", func(p *rendertest.Project) {
			p.Edit("kustomization.yaml", "resources:", "configMapGenerator: [{name: a, literals: [A=b], literals: [C=d]}]\nresources:")
		}, `/kustomization.yaml:5:49: key "literals" is there already`},
		{"a patch in a kustomization", func(p *rendertest.Project) {
			p.Edit("kustomization.yaml", "resources:", "patches: [{target: {kind: Deployment}, patch: \"{kind: Deployment, metadata: {name: a, name: b}}\"}]\nresources:")
		}, `/kustomization.yaml:5:47: line 1 of this text: key "name" is there already, on line 1`},
		{"a merge of a manifest", func(p *rendertest.Project) {
			p.Edit("db.yaml", "metadata: {name: db}", "metadata: {<<: &a {name: db}, <<: *a}")
		}, "[*a, *b]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := rendertest.New(t)
			test.do(p)
			_, err := render.Render(t.Context(), p.Options)
			if err != nil && strings.HasPrefix(test.want, "[") {
				err = fmt.Errorf("%w %s", err, fault.HintOf(err))
			}
			testkit.ErrorSays(t, err, test.want)
		})
	}
}

// TestNothingIsFetchedUnlessAllowed has each way by which kustomize runs a
// program or asks a server, with programs and a server that notice.
func TestNothingIsFetchedUnlessAllowed(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n")
	}))
	defer server.Close()
	bin := t.TempDir()
	ran := filepath.Join(bin, "ran")
	for _, program := range []string{"git", "ssh", "helm", "go"} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\necho "+program+" >>"+ran+"\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	plugin := func(kind, text string) string {
		return "apiVersion: builtin\nkind: " + kind + "\nmetadata: {name: x}\n" + text
	}
	file := server.URL + "/x.yaml"
	for name, text := range map[string]string{
		"a file":                     "resources: [" + file + "]",
		"a file, in capitals":        "resources: [\"" + strings.Replace(file, "http", "HTTP", 1) + "\"]",
		"another name of resources":  "Bases: [" + server.URL + "/owner/name]",
		"a repository":               "resources: [\"" + server.URL + "/owner/name//folder?ref=v1\"]",
		"a repository by ssh":        "resources: [\"ssh://git@127.0.0.1:1/owner/name\"]",
		"a repository as scp does":   "resources: [\"git@127.0.0.1:owner/name\"]",
		"a repository of this disk":  "resources: [\"file:///tmp/repository\"]",
		"a repository, forced":       "resources: [\"git::" + server.URL + "/owner/name\"]",
		"a repository without a URL": "resources: [\"GitHub.com/owner/name\"]",
		"a component":                "components: [\"" + server.URL + "/owner/name\"]",
		"a schema":                   "openapi: {path: " + file + "}",
		"a patch":                    "patches: [{path: " + file + "}]",
		"an old patch":               "patchesStrategicMerge: [" + file + "]",
		"an older patch":             "patchesJson6902: [{target: {kind: Deployment, name: web, version: v1}, path: " + file + "}]",
		"a replacement":              "replacements: [{path: " + file + "}]",
		"definitions":                "crds: [" + file + "]",
		"a configuration":            "configurations: [" + file + "]",
		"a ConfigMap's file":         "configMapGenerator: [{name: x, files: [a=" + file + "]}]",
		"a ConfigMap's variables":    "configMapGenerator: [{name: x, env: " + file + "}]",
		"a Secret's variables":       "secretGenerator: [{name: x, envs: [" + file + "]}]",
		"a generator":                "generators: [" + file + "]",
		"a transformer":              "transformers: [\"" + server.URL + "/owner/name\"]",
		"a validator":                "validators: [" + file + "]",
		"a generator's file":         "generators:\n- |\n" + indent(plugin("ConfigMapGenerator", "files: [a="+file+"]")),
		"a transformer's file":       "transformers: [t.yaml]",
		"a transformer's base":       "transformers: [plugins]",
		"a chart":                    "helmCharts: [{name: x, repo: \"" + server.URL + "\"}]",
		"an old chart":               "helmChartInflationGenerator: [{chartName: x, chartRepoUrl: \"" + server.URL + "\"}]",
		"a chart by a generator":     "generators:\n- |\n" + indent(plugin("HelmChartInflationGenerator", "name: x\nrepo: "+server.URL)),
	} {
		t.Run(name, func(t *testing.T) {
			p := rendertest.New(t)
			p.Write("t.yaml", plugin("PatchTransformer", "Path: "+file+"\n"))
			p.Folder("plugins", "resources: [p.yaml]\npatches: [{target: {kind: ConfigMap}, patch: \"[{op: replace, path: /apiVersion, value: builtin}, {op: replace, path: /kind, value: PatchTransformer}]\"}]\n")
			p.Write("plugins/p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\npath: "+file+"\n")
			p.Edit("kustomization.yaml", "resources:", text+"\nXresources:")
			p.Edit("kustomization.yaml", "Xresources:", map[bool]string{true: "#", false: "resources:"}[strings.HasPrefix(text, "resources:")])
			asked.Store(0)
			_, err := render.Render(t.Context(), p.Options)
			if err == nil || !strings.Contains(err.Error(), "is fetched from elsewhere") && !strings.Contains(err.Error(), "does not render Helm charts") {
				t.Errorf("got %v", err)
			}
			if programs, err := os.ReadFile(ran); err == nil {
				t.Errorf("it ran %s", programs)
				_ = os.Remove(ran)
			}
			if n := asked.Load(); n > 0 {
				t.Errorf("the server was asked %d times", n)
			}
		})
	}
	p := rendertest.New(t)
	p.Edit("kustomization.yaml", "db.yaml", "db.yaml, "+file)
	var said []string
	p.Options.Fetch = func(what []string) {
		said = what
		if asked.Load() > 0 {
			t.Error("the server was asked before it was said")
		}
	}
	asked.Store(0)
	if _, err := render.Render(t.Context(), p.Options); err != nil || len(said) != 1 || said[0] != file || asked.Load() == 0 {
		t.Errorf("allowed: %v, said %v, asked %d times", err, said, asked.Load())
	}
}
