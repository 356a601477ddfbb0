// Package law holds the rule by which imports run one way:
//
//	apiclient, bounded, cmdline, config, ctxcall, devattach, diagnose, event, executable, fault, gitignore, logline, podconfig, sealed, ticket, images, kustomize ← the stages ← internal/devloop ←
//	internal/stack ← internal/cli ← cmd
//
// and internal/ui, which knows leaves only, ← internal/cli.
//
// Other rules are beside it: how long files and functions are, where command lines are
// written, and which tests need a cluster. It has no code of its own; its tests read the
// sources.
package law

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// leaves are what anybody may import.
var leaves = []string{"zr/pkg/agentspec", "zr/pkg/apiclient", "zr/pkg/bounded", "zr/pkg/cmdline", "zr/pkg/config", "zr/pkg/ctxcall", "zr/pkg/devattach", "zr/pkg/diagnose", "zr/pkg/event", "zr/pkg/executable", "zr/pkg/fault", "zr/pkg/gitignore", "zr/pkg/logline", "zr/pkg/podconfig", "zr/pkg/probe", "zr/pkg/sealed", "zr/pkg/ticket",
	"zr/pkg/kube/lean", "zr/pkg/kube/object", "zr/images", "zr/kustomize"}

// stages turn one thing into another and know nothing of each other.
var stages = []string{"cluster", "build", "image", "deploy", "watch", "livesync", "health", "logs"}

// dialers are the stages that speak to the cluster of a kubeconfig, all by
// zr/pkg/kube. The api has zr/pkg/kube/lean, which links nothing of client-go.
var dialers = []string{"zr/pkg/kube", "zr/pkg/cluster", "zr/pkg/deploy", "zr/pkg/livesync", "zr/pkg/health", "zr/pkg/logs"}

// helpers are what tests use to get real parts. Only tests import them, and the
// programs that are tests themselves.
var helpers = []string{"zr/internal/lab", "zr/internal/testkit", "zr/internal/agent/agenttest", "zr/internal/api/apitest", "zr/internal/api/processtest", "zr/internal/api/store/storetest", "zr/pkg/build/internal/buildtest",
	"zr/pkg/cluster/aks/akstest",
	"zr/pkg/deploy/kubetest", "zr/pkg/deploy/render/rendertest", "zr/pkg/health/testcluster", "zr/pkg/kube/forwardtest"}

// bans say who alone may import a library (a path and all below it), and why. Of
// several that a library is in, the one with the longest path counts.
var bans = []struct {
	library string
	only    []string
	reason  string
}{
	{"filippo.io/age", []string{"zr/pkg/sealed"}, "one place has secrets in clear that were sealed, and the keys of a user"},
	{"k8s.io", []string{"zr/pkg/kube", "zr/pkg/deploy"}, "what is read of a cluster is decoded into zr/pkg/kube/object; only who applies manifests needs all of their fields"},
	{"k8s.io/client-go", []string{"zr/pkg/kube"}, "one client of Kubernetes: credentials, connections, requests and port-forwards are made in one place"},
	{"k8s.io/streaming", []string{"zr/pkg/kube"}, "ports are forwarded in one place"},
	{"k8s.io/client-go/tools/clientcmd", []string{"zr/pkg/kube", "zr/pkg/cluster"}, "a kubeconfig is read where a client is made of it, and written where its cluster is"},
	{"k8s.io/client-go/util/csaupgrade", []string{"zr/pkg/deploy"}, "it changes who owns the fields of an object, which is the applier's to say"},
	{"sigs.k8s.io/kind", []string{"zr/pkg/cluster/kind"}, "one place knows how a local cluster is made"},
	{"github.com/Azure", []string{"zr/pkg/cluster/aks"}, "one place knows Azure's SDK; its registry needs a token and no more"},
	{"github.com/google/go-containerregistry", []string{"zr/pkg/build", "zr/pkg/image"}, "the rest of zr speaks of references and digests only"},
	{"sigs.k8s.io/kustomize", []string{"zr/pkg/deploy"}, "manifests are rendered in one place"},
	{"github.com/fsnotify/fsnotify", []string{"zr/pkg/watch"}, "raw events need coalescing before anybody may act on them"},
	{"github.com/jackc/pgx", []string{"zr/internal/api/store", "zr/pkg/health"}, "SQL stays behind the store; the gate only asks whether the server answers"},
	{"github.com/redis/go-redis", []string{"zr/internal/api/store", "zr/pkg/health"}, "redis stays behind the store; the gate only asks whether the server answers"},
	{"github.com/go-sql-driver", []string{"zr/pkg/health"}, "the gate asks whether the server answers"},
	{"github.com/VictoriaMetrics", []string{"zr/internal/api/metrics"}, "what is counted goes by one name each, which one place writes"},
	{"go.opentelemetry.io/otel", []string{"zr/internal/api/traces"}, "one place says what is traced, and to whom"},
	{"github.com/urfave/cli", []string{"zr/internal/cli"}, "engines take options and contexts, never flags"},
	{"github.com/charmbracelet", []string{"zr/internal/ui"}, "engines emit events; only the printers know a terminal"},
	{"github.com/charmbracelet/bubbletea", nil, "its init asks the terminal for its background, in every run of a program that it is linked into"},
}

// testsAlso are pairs of a package and what its tests alone may import: each is
// the real thing beside the code under test. Libraries are free to tests, which
// make no program larger.
var testsAlso = [][2]string{
	{"zr/internal/cli", "zr/pkg/cluster/statedir"},
	{"zr/pkg/livesync/layers", "zr/internal/agent/layers"},
	{"zr/kustomize", "zr/pkg/deploy"},
	{"zr/kustomize", "zr/pkg/deploy/render"},
	{"zr/kustomize", "zr/pkg/livesync/layers"},
}

type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range load(t) {
		for _, imported := range p.Imports {
			if reason := forbidden(p.ImportPath, imported); reason != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if anyWithin(imported, helpers) || slices.Contains(testsAlso, [2]string{p.ImportPath, imported}) {
				continue
			}
			if reason := wrongWay(p.ImportPath, imported); reason != "" {
				t.Errorf("a test of %s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
	}
}

// TestTheLawForbids shows that the rule can be broken at all.
func TestTheLawForbids(t *testing.T) {
	for _, broken := range [][2]string{
		{"zr/pkg/config", "zr/pkg/build"},
		{"zr/pkg/build", "zr/pkg/deploy"},
		{"zr/pkg/watch", "zr/internal/devloop"},
		{"zr/internal/devloop", "zr/internal/ui"},
		{"zr/internal/devloop", "zr/internal/stack"},
		{"zr/internal/stack", "zr/internal/ui"},
		{"zr/internal/cli", "zr/pkg/build"},
		{"zr/internal/cli", "zr/internal/devloop"},
		{"zr/internal/ui", "zr/pkg/health"},
		{"zr/internal/api", "zr/pkg/cluster/kind"},
		{"zr/internal/api/fleet", "zr/pkg/kube"},
		{"zr/internal/stack", "zr/pkg/kube"},
		{"zr/pkg/health", "k8s.io/client-go/rest"},
		{"zr/pkg/deploy", "k8s.io/client-go/dynamic"},
		{"zr/pkg/cluster/relay", "k8s.io/client-go/rest"},
		{"zr/pkg/livesync/portforward", "k8s.io/streaming/pkg/httpstream"},
		{"zr/pkg/health", "k8s.io/api/core/v1"},
		{"zr/pkg/kube/lean", "k8s.io/client-go/rest"},
		{"zr/pkg/diagnose", "k8s.io/client-go/rest"},
		{"zr/internal/api/logstore", "zr/pkg/logs"},
		{"zr/pkg/logs/follow", "k8s.io/client-go/rest"},
		{"zr/internal/agent", "zr/pkg/livesync"},
		{"zr/pkg/config", "filippo.io/age/armor"},
		{"zr/pkg/livesync", "zr/internal/agent/folder"},
		{"zr/cmd/zr", "zr/pkg/build"},
		{"zr/internal/ui", "k8s.io/client-go/rest"},
		{"zr/internal/ui", "github.com/charmbracelet/bubbletea"},
		{"zr/pkg/build/gobuild", "github.com/fsnotify/fsnotify"},
		{"zr/internal/api", "github.com/jackc/pgx/v5"},
		{"zr/pkg/deploy", "zr/pkg/deploy/kubetest"},
		{"zr/internal/lab", "zr/internal/cli"},
		{"zr/internal/testkit", "zr/pkg/image"},
	} {
		if forbidden(broken[0], broken[1]) == "" {
			t.Errorf("%s may import %s", broken[0], broken[1])
		}
	}
	for _, fine := range [][2]string{
		{"zr/pkg/build/node", "zr/pkg/image"},
		{"zr/pkg/deploy", "zr/pkg/event"},
		{"zr/internal/stack", "zr/pkg/build"},
		{"zr/internal/cli", "zr/internal/stack"},
		{"zr/pkg/health", "zr/pkg/kube"},
		{"zr/pkg/kube", "k8s.io/client-go/transport"},
		{"zr/pkg/cluster/aks", "k8s.io/client-go/tools/clientcmd/api"},
		{"zr/pkg/deploy", "k8s.io/apimachinery/pkg/runtime"},
		{"zr/pkg/deploy/kubetest", "k8s.io/client-go/dynamic"},
		{"zr/internal/api/fleet", "zr/pkg/diagnose"},
		{"zr/pkg/deploy/kubetest", "zr/internal/testkit"},
		{"zr/internal/api/store", "github.com/jackc/pgx/v5/pgxpool"},
	} {
		if reason := forbidden(fine[0], fine[1]); reason != "" {
			t.Errorf("%s may not import %s: %s", fine[0], fine[1], reason)
		}
	}
}

// forbidden returns why importer may not import imported, or "".
func forbidden(importer, imported string) string {
	if within(imported, "k8s.io") && anyWithin(importer, leaves) {
		return "the api links the leaves, and no library of Kubernetes"
	}
	if reason := banned(importer, imported); reason != "" {
		return reason
	}
	if within(importer, "zr/pkg/logs/follow") && within(imported, "k8s.io") {
		return "the api links it, and waits for each of its rebuilds"
	}
	return wrongWay(importer, imported)
}

// banned returns why importer may not import a library, or "". Who is imported by
// tests only makes no program larger, and may use a cluster as anybody may.
func banned(importer, library string) string {
	at := -1
	for i, b := range bans {
		if within(library, b.library) && (at < 0 || len(b.library) > len(bans[at].library)) {
			at = i
		}
	}
	if at < 0 || anyWithin(importer, bans[at].only) || anyWithin(importer, helpers) {
		return ""
	}
	if len(bans[at].only) == 0 {
		return bans[at].reason
	}
	return bans[at].reason + " (allowed in " + strings.Join(bans[at].only, ", ") + ")"
}

// wrongWay returns why importer may not import imported, which is zr's own, or "".
func wrongWay(importer, imported string) string {
	if !within(imported, "zr") || anyWithin(imported, leaves) {
		return ""
	}
	tests := append([]string{"zr/hack", "zr/e2e", "zr/bench"}, helpers...)
	if anyWithin(imported, helpers) && !anyWithin(importer, tests) {
		return "only tests import what was made for tests"
	}
	if within(imported, "zr/internal/testkit") || anyWithin(importer, helpers) && anyWithin(imported, helpers) {
		return ""
	}
	if within(imported, "zr/pkg/kube") {
		if anyWithin(importer, dialers) || anyWithin(importer, tests) {
			return ""
		}
		return "only these dial a cluster: " + strings.Join(dialers, ", ")
	}
	from, to := stageOf(importer), stageOf(imported)
	switch {
	case anyWithin(importer, leaves):
		return "a leaf imports nothing of zr"
	case from != "" && to == from:
		return ""
	case from != "" && to == "image" && (from == "build" || from == "livesync"):
		return ""
	case from != "" && to != "":
		return "stages do not know each other; internal/stack puts them together"
	case from != "", within(importer, "zr/pkg/kube"):
		return "a stage imports leaves only"
	case within(importer, "zr/hack"), within(importer, "zr/e2e"), within(importer, "zr/bench"):
		return ""
	case within(importer, "zr/internal/cli"):
		if within(imported, "zr/internal/ui") {
			return ""
		}
		return only(imported, "zr/internal/stack", "a verb has flags and output; what it does is internal/stack's")
	case within(importer, "zr/internal/stack"):
		if to != "" || within(imported, "zr/internal/devloop") || within(imported, "zr/internal/stack") {
			return ""
		}
		return "the engine puts stages and the loop together, and never prints"
	case within(importer, "zr/cmd/zr"):
		return only(imported, "zr/internal/cli", "main does nothing but call internal/cli")
	case within(importer, "zr/cmd/zr-api"):
		return only(imported, "zr/internal/api", "main does nothing but call internal/api")
	case within(importer, "zr/cmd/zr-agent"):
		return only(imported, "zr/internal/agent", "main does nothing but call internal/agent")
	case within(importer, "zr/internal/devloop"):
		if to != "" {
			return ""
		}
		return only(imported, "zr/internal/devloop", "the loop drives stages and is driven by internal/stack")
	case within(importer, "zr/internal/ui"):
		return only(imported, "zr/internal/ui", "printers read events and nothing else")
	case within(importer, "zr/internal/api") && imported == "zr/pkg/logs/follow":
		return "" // one way to read logs, for terminal and api
	case within(importer, "zr/internal/api"):
		return only(imported, "zr/internal/api", "the backend is a program of its own")
	case within(importer, "zr/internal/testkit"):
		return "every test may use the testkit, so it knows nobody"
	case within(importer, "zr/internal/lab"):
		return "the lab runs zr from the outside"
	case within(importer, "zr/internal/agent"):
		return only(imported, "zr/internal/agent", "the agent runs in foreign images and carries nothing along")
	}
	return "this package has no place in the law yet: give it one in internal/law"
}

func only(imported, tree, reason string) string {
	if within(imported, tree) {
		return ""
	}
	return reason
}

func stageOf(path string) string {
	rest, ok := strings.CutPrefix(path, "zr/pkg/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	for _, s := range stages {
		if s == name {
			return s
		}
	}
	return ""
}

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

func anyWithin(path string, trees []string) bool {
	for _, tree := range trees {
		if within(path, tree) {
			return true
		}
	}
	return false
}

func load(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "zr/...").Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}
