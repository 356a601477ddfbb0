package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/fault"
)

// project writes files, given as path → text, into a new folder that holds what
// good builds.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "web"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const good = `project: shop
services:
  web:
    build: {node: web}
    dependsOn: [db]
  db: {probe: postgres, timeout: 90s}
settings:
  LOG_LEVEL: debug
  RETRIES: 3
`

func TestLoadFillsInDefaults(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good})
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Project: "shop",
		Cluster: Cluster{Provider: "kind", Name: "shop-dev", Nodes: 1},
		Overlay: "kustomize/overlays/dev",
		Services: map[string]Service{
			"web": {Build: &Build{NodeKeys: NodeKeys{Node: "web"}}, DependsOn: []string{"db"}},
			"db":  {Probe: "postgres", Timeout: Duration(90 * time.Second)},
		},
		Settings: map[string]string{"LOG_LEVEL": "debug", "RETRIES": "3"},
		Env:      "dev", Root: root, File: filepath.Join(root, "config/dev.yaml"), SecretsMissing: true,
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"empty", "", "c.yaml:1:1: the file is empty (it needs at least `project:` and `services:`)"},
		{"not yaml", "project: [", "c.yaml:1:1: not valid YAML: did not find expected node content"},
		{"nothing but a document", "---\n", "c.yaml:1:1: the file is empty (it needs at least `project:` and `services:`)"},
		{"two documents", "project: a\nservices: {a: {}}\n---\nsetings: {}\n", "c.yaml:4:1: a second document, of which nothing would be read (one file is one environment)"},
		{"not yaml on line 1", "project: a: b\n", "c.yaml:1:1: not valid YAML: mapping values are not allowed in this context"},
		{"not yaml further down", "project: a\nservices:\n  a: {b: {} c: {}}\n", "c.yaml:3:3: not valid YAML: did not find expected ',' or '}'"},
		{"a tab", "project: a\nservices:\n  \ta: {}\n", "c.yaml:3:3: not valid YAML: found character that cannot start any token (indent with spaces, not with tabs)"},
		{"no such anchor", "project: a\nservices: {a: *b}\n", "c.yaml:2:15: not valid YAML: unknown anchor 'b' referenced"},
		{"not UTF-8", "project: a\nservices: {\xff: {}}\n", "c.yaml:2:12: not valid YAML: invalid leading UTF-8 octet"},
		{"a control character", "project: \"\x01\"\n", "c.yaml:1:11: not valid YAML: control characters are not allowed"},
		{"a tag that does not hold", "project: a\nservices: {a: {build: {go: ., dev: {command: [!!binary x]}}}}\n",
			"c.yaml:1:1: yaml: !!binary value contains invalid base64 data"},
		{"a list", "- a", "c.yaml:1:1: the file: expected keys with values, found a list"},
		{"nothing named", "settings: {}", `
c.yaml:1:1: key "project" is missing (the name of the project, for example ` + "`project: shop`" + `)
c.yaml:1:1: key "services" is missing (name at least one workload of the overlay)`},
		{"unknown keys at every level", `
projet: shop
services:
  web: {biuld: {go: ./web}, depends_on: [db]}
`, `
c.yaml:2:1: unknown key "projet" (did you mean "project"?)
c.yaml:2:1: key "project" is missing (the name of the project, for example ` + "`project: shop`" + `)
c.yaml:4:9: unknown key "biuld" in services.web (did you mean "build"?)
c.yaml:4:29: unknown key "depends_on" in services.web (did you mean "dependsOn"?)`},
		{"a key cut short", "proj: a\nproject: a\nservices: {a: {}}\n", `c.yaml:1:1: unknown key "proj" (did you mean "project"?)`},
		{"wrong types", `
project: shop
cluster: {nodes: many, ports: [1]}
services:
  web: {dependsOn: db, timeout: 5}
  db: postgres
settings: {A: [1]}
`, `
c.yaml:3:18: cluster.nodes: expected a whole number, found "many"
c.yaml:3:31: cluster.ports: expected keys with values, found a list
c.yaml:5:20: services.web.dependsOn: expected a list, found "db" (write it as [a, b])
c.yaml:5:33: services.web.timeout: "5" is not a duration (write it like "90s" or "3m")
c.yaml:6:7: services.db: expected keys with values, found "postgres"
c.yaml:7:15: settings.A: expected text, found a list`},
		{"a key twice", "project: a\nproject: b\nservices: {a: {}}\n", `c.yaml:2:1: key "project" is there already, on line 1`},
		{"a key twice hides nothing", "project: a\nproject: b\ncluster: {provider: context, context: x}\nservices:\n  web: {dependsOn: [db], probe: http, probe: tcp}\n", `
c.yaml:2:1: key "project" is there already, on line 1
c.yaml:5:21: services.web.dependsOn: there is no service "db" (services here: web)
c.yaml:5:39: key "probe" in services.web is there already, on line 5`},
		{"keys that are no text", "project: a\nservices:\n  b: {~: 1}\n? [x]\n: y\n", `
c.yaml:3:7: a key in services.b must be plain text
c.yaml:4:3: a key must be plain text`},
		{"merged keys", "project: a\nservices:\n  a: &a {timeout: 5, probe: tcp}\n  b: {<<: *a, timeout: 1m, prob: x}\n  c: {<<: [*a, {probe: http, dependsOn: [d]}]}\n  d: {<<: [x]}\n", `
c.yaml:3:19: services.a.timeout: "5" is not a duration (write it like "90s" or "3m")
c.yaml:3:19: services.c.timeout: "5" is not a duration (write it like "90s" or "3m")
c.yaml:4:28: unknown key "prob" in services.b (did you mean "probe"?)
c.yaml:6:7: ` + "`<<` takes the keys of a mapping, found \"x\" (write `<<: *name`, or `<<: [*a, *b]`)"},
		{"an anchor", "project: a\ncluster: {nodes: &n 99, ports: {a: *n, b: *n}}\nservices: {a: {}}\n", `
c.yaml:2:18: cluster.nodes: 99 is not between 1 and 16
c.yaml:2:18: cluster.ports.b: port 99 is taken by a already`},
		{"nothing said", "project: \"\"\nservices: {a: {build: }}\n", `
c.yaml:1:10: project: "" cannot name a cluster (lower case letters, digits and dashes, at most 32)
c.yaml:2:23: services.a.build: needs one of go, node, command and dockerfile`},
		{"a service of the wrong type is there", "project: a\nservices:\n  web: {dependsOn: [db]}\n  db: postgres\n",
			`c.yaml:4:7: services.db: expected keys with values, found "postgres"`},
		{"dangling dependency", "project: a\nservices:\n  web: {dependsOn: [posgres]}\n  postgres: {}\n",
			`c.yaml:3:21: services.web.dependsOn: there is no service "posgres" (did you mean "postgres"?)`},
		{"cycle", "project: a\nservices:\n  a: {dependsOn: [b]}\n  b: {dependsOn: [c]}\n  c: {dependsOn: [a]}\n",
			"c.yaml:5:19: services.c.dependsOn: a cycle: a → b → c → a"},
		{"waits for itself", "project: a\nservices: {a: {dependsOn: [a]}}\n",
			"c.yaml:2:28: services.a.dependsOn: a service cannot wait for itself"},
		{"port clash", "project: a\ncluster: {ports: {a: 80, b: 80, c: 70000}}\nservices: {a: {}}\n", `
c.yaml:2:29: cluster.ports.b: port 80 is taken by a already
c.yaml:2:36: cluster.ports.c: 70000 is not a port (1 to 65535)`},
		{"names", "project: My Shop\nservices: {We_b: {}}\n", `
c.yaml:1:10: project: "My Shop" cannot name a cluster (lower case letters, digits and dashes, at most 32)
c.yaml:2:12: services: "We_b" cannot name a workload (lower case letters, digits and dashes)`},
		{"a cluster's name", "project: a\ncluster: {name: " + strings.Repeat("x", 50) + "}\nservices: {a: {}}\n", `
c.yaml:2:17: cluster.name: "` + strings.Repeat("x", 50) + `" cannot name a cluster (lower case letters, digits and dashes, at most 49)`},
		{"two builds", "project: a\nservices: {a: {build: {go: ., node: .}}, b: {build: {context: .}}}\n", `
c.yaml:2:23: services.a.build: has go and node, but only one can make the image
c.yaml:2:53: services.b.build: needs one of go, node, command and dockerfile
c.yaml:2:54: services.b.build.context is only for a dockerfile`},
		{"a command", `project: a
services:
  a: {build: {command: [make], out: ../dist}}
  b: {build: {command: [""], dir: web, out: .}}
  c: {build: {node: web, run: [./x]}}
  d: {build: {command: [make, dist], dir: web, out: dist, run: [./x]}}
`, `
c.yaml:3:14: services.a.build: a command needs "dir" (the folder with the sources, such as ` + "`dir: ./api`" + `)
c.yaml:3:37: services.a.build.out: "../dist" is not below the folder of the sources (a folder that only the command writes to, such as dist)
c.yaml:4:25: services.b.build.command: its first word names no program
c.yaml:4:45: services.b.build.out: "." is not below the folder of the sources (a folder that only the command writes to, such as dist)
c.yaml:5:26: services.c.build.run is only for a command`},
		{"files of a program", `project: a
services:
  a: {build: {go: ., files: [../x, /etc, "[", .], restart: maybe}}
  b: {build: {node: web, files: [x], restart: true}}
  c: {build: {go: example.com/cmd/x, files: [x]}}
`, `
c.yaml:3:30: services.a.build.files: "../x" is not below . (name what lies in the folder of the package)
c.yaml:3:36: services.a.build.files: "/etc" is not below . (name what lies in the folder of the package)
c.yaml:3:42: services.a.build.files: "[" is not a pattern: syntax error in pattern
c.yaml:3:47: services.a.build.files: "." is not below . (name what lies in the folder of the package)
c.yaml:3:60: services.a.build.restart: expected true or false, found "maybe" (true or false)
c.yaml:4:26: services.b.build.files is only for a Go program
c.yaml:4:38: services.b.build.restart is only for a Go program
c.yaml:5:46: services.c.build.files: the package is named by its import path, so that they have no folder (name the package by its folder, such as ./cmd/api)`},
		{"paths", `project: a
serices: {}
services:
  a: {build: {go: ./cmd/apy}}
  b: {build: {node: nothing/at/all}}
  c: {build: {dockerfile: wed/Dockerfile, context: web/Dockerfile}}
  d: {build: {node: web/Dockerfile}}
  e: {build: {dockerfile: web}}
  f: {build: {go: example.com/tool}}
  g: {build: {go: ./cmd/api, context: ./nowhere}}
`, `
c.yaml:2:1: unknown key "serices" (did you mean "services"?)
c.yaml:4:19: services.a.build.go: "./cmd/apy" does not exist (did you mean "./cmd/api"?)
c.yaml:5:21: services.b.build.node: "nothing/at/all" does not exist (paths are relative to the project's folder)
c.yaml:6:27: services.c.build.dockerfile: "wed/Dockerfile" does not exist (did you mean "web/Dockerfile"?)
c.yaml:6:52: services.c.build.context: "web/Dockerfile" is not a folder
c.yaml:7:21: services.d.build.node: "web/Dockerfile" is not a folder
c.yaml:8:27: services.e.build.dockerfile: "web" is not a file
c.yaml:10:30: services.g.build.context is only for a dockerfile
c.yaml:10:39: services.g.build.context: "./nowhere" does not exist (paths are relative to the project's folder)`},
		{"provider", "project: a\ncluster: {provider: knid, context: x}\nservices: {a: {probe: htp}}\n", `
c.yaml:2:21: cluster.provider: "knid" is not known (did you mean "kind"?)
c.yaml:2:27: cluster.context is only for provider "context" (add ` + "`provider: context`" + `)
c.yaml:3:23: services.a.probe: "htp" is not known (did you mean "http"?)`},
		{"a dashboard on a cluster of others", "project: a\ndashboard: true\ncluster: {provider: context, context: x}\nservices: {a: {}}\n", `c.yaml:2:1: dashboard is only for provider "kind"`},
		{"context without a registry", "project: a\ncluster: {provider: context, context: x}\nservices: {a: {build: {go: .}}}\n",
			`c.yaml:2:10: cluster: provider "context" needs a registry, where the nodes find what is built (such as registry.example/team)`},
		{"aks", "project: a\ncluster: {provider: aks, name: x, context: y, aks: {subscription: s, cluster: \"a b\"}}\nservices: {a: {build: {go: .}}}\n", `
c.yaml:2:10: cluster: provider "aks" needs a registry, where the nodes find what is built (such as registry.example/team)
c.yaml:2:26: cluster.name is only for provider "kind"
c.yaml:2:35: cluster.context is only for provider "context" (add ` + "`provider: context`" + `)
c.yaml:2:52: cluster.aks: key "resourceGroup" is missing (its resource group)
c.yaml:2:79: cluster.aks.cluster: "a b" is no name in Azure`},
		{"registry of kind", "project: a\ncluster: {registry: x, aks: {}}\nservices: {a: {}}\n", `
c.yaml:2:11: cluster.registry is only for provider "context" or "aks" (add ` + "`provider: context`" + `)
c.yaml:2:24: cluster.aks is only for provider "aks" (add ` + "`provider: aks`" + `)`},
		{"context without one", "project: a\ncluster: {provider: context, nodes: 2}\nservices: {a: {}}\n", `
c.yaml:2:10: cluster: provider "context" needs a context (the one kubeconfig context that zr may touch)
c.yaml:2:30: cluster.nodes is only for provider "kind"`},
	}
	root := project(t, map[string]string{"web/Dockerfile": "", "cmd/api/main.go": ""})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := parse([]byte(tt.yaml), "c.yaml", root, "dev")
			if len(problems) == 0 {
				t.Fatal("no error")
			}
			err := problems.asFault()
			if code := fault.Code(err); code != fault.Usage {
				t.Errorf("exit code %d, want %d", code, fault.Usage)
			}
			if diff := cmp.Diff(strings.TrimSpace(tt.want), err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProblemsOfAllFilesAreToldTogether(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": "projekt: a\nproject: a\nservices: {a: {}}\n", "config/secrets/dev.env": "A\n"})
	if err := os.Chmod(filepath.Join(root, "config/secrets/dev.env"), 0o640); err != nil {
		t.Fatal(err)
	}
	want := `config/dev.yaml:1:1: unknown key "projekt" (did you mean "project"?)
config/secrets/dev.env: others may read the secrets: mode 0640 (chmod 600 config/secrets/dev.env)
config/secrets/dev.env:1:1: not a KEY=value line`
	if _, err := Load(root, "dev"); err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestTheNodeOfAClusterIsAHost(t *testing.T) {
	project, env := strings.Repeat("p", 32), strings.Repeat("e", 17)
	for text, want := range map[string]string{
		"cluster: {}": `c.yaml:1:10: the cluster would be called "` + project + "-" + env + "\", which is longer than the 49 characters that fit (name it by `cluster: {name: …}`)",
		"cluster: {name: " + strings.Repeat("n", 49) + "}":            "",
		"cluster: {name: short}":                                      "",
		"cluster: {provider: context, context: x, registry: y.local}": "",
	} {
		_, problems := parse([]byte("project: "+project+"\nservices: {a: {}}\n"+text+"\n"), "c.yaml", t.TempDir(), env)
		if problems.Error() != want {
			t.Errorf("%s: got %s", text, problems)
		}
	}
}

func TestLoadTouchesNothing(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env.example": example})
	c, err := Load(root, "dev")
	if err != nil || c.Secrets["DB_PASSWORD"] != "mock-password" || !c.SecretsMissing {
		t.Errorf("%v, %v", c, err)
	}
	if files, err := os.ReadDir(filepath.Join(root, "config/secrets")); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestWhatCannotBeLoadedIsBadUsage(t *testing.T) {
	root := project(t, map[string]string{"config/folder.yaml/x": "", "config/my_env.yaml": good, "outside.yaml": good})
	for _, env := range []string{"folder", "my_env", "../outside", "none"} {
		if _, err := Load(root, env); fault.Code(err) != fault.Usage {
			t.Errorf("%s: %v", env, err)
		}
	}
}

func TestLoadNamesTheNearestEnvironment(t *testing.T) {
	root := project(t, map[string]string{"config/staging.yaml": good})
	_, err := Load(root, "stagin")
	if got, want := fault.HintOf(err), `did you mean "staging"?`; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}

func TestFindLooksUpwards(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "a/b/c.txt": ""})
	got, err := Find(filepath.Join(root, "a", "b"))
	if err != nil || got != root {
		t.Errorf("Find = %q, %v; want %q", got, err, root)
	}
	for _, none := range []string{"b", "a/b/c.txt"} { // a typing error is not the project above
		if got, err := Find(filepath.Join(root, none)); fault.Code(err) != fault.Usage {
			t.Errorf("Find of %s = %q, %v", none, got, err)
		}
	}
	if _, err := Find(t.TempDir()); fault.Code(err) != fault.Usage {
		t.Errorf("outside a project: %v", err)
	}
}

func TestEnvsInAFolderOfAnyName(t *testing.T) {
	root := project(t, map[string]string{"a[b]/config/dev.yaml": good, "a[b]/config/.#dev.yaml": "", "a[b]/config/schema.json": ""})
	if diff := cmp.Diff([]string{"dev"}, Envs(filepath.Join(root, "a[b]"))); diff != "" {
		t.Error(diff)
	}
}

func TestProjectBehindALink(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "a/b.txt": ""})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(filepath.Join(link, "a")); err != nil || got != root {
		t.Errorf("Find = %q, %v; want %q", got, err, root)
	}
	t.Chdir(t.TempDir())
	for name, want := range map[string]string{
		filepath.Join(link, "a", "b.txt"): filepath.Join(root, "a", "b.txt"),
		filepath.Join(root, "gone", "x"):  filepath.Join(root, "gone", "x"),
		"b.txt":                           filepath.Join(root, "a", "b.txt"),
		link:                              root,
		"/etc/passwd":                     "/etc/passwd",
	} {
		got, err := Locate(root, name, ".", filepath.Join(link, "a"))
		if err != nil || got != want {
			t.Errorf("Locate(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSecretsProblemsShowNoValue(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good,
		"config/secrets/dev.env": "A=topsecret\nA=topsecret2\nno equals\nB C=topsecret3\nD=x${AA}topsecret4${AA}\n"})
	_, err := Load(root, "dev")
	want := `config/secrets/dev.env:2:1: key "A" is there already
config/secrets/dev.env:3:1: not a KEY=value line
config/secrets/dev.env:4:1: "B C" cannot be a key (letters, digits and '_', no spaces around '=')
config/secrets/dev.env:5:4: ${AA} is not set above this line (did you mean "A"?)
config/secrets/dev.env:5:19: ${AA} is not set above this line (did you mean "A"?)`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 5 {
		t.Errorf("%d problems", len(ps))
	}
	if hint := fault.HintOf(err); strings.Contains(hint, "schema") {
		t.Errorf("the schema has nothing about secrets: %s", hint)
	}
}

func TestSecretsThatOthersMayReadAreRefused(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env": "A=b\n"})
	if err := os.Chmod(filepath.Join(root, "config/secrets/dev.env"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root, "dev"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}
