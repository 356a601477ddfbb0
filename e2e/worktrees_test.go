package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/lab"
)

// A database that keeps the password of its first start in its volume.
const database = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres}
spec:
  serviceName: postgres
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: postgres
          image: postgres:15
          env:
            - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
          envFrom: [{secretRef: {name: secrets}}]
          ports: [{name: postgres, containerPort: 5432}]
          readinessProbe: {tcpSocket: {port: postgres}, periodSeconds: 1}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: postgres}
spec:
  selector: {app: postgres}
  ports: [{name: postgres, port: 5432, targetPort: postgres}]
`

// The environment "two" shares the cluster of "dev" by its name.
const twoConfig = `project: zrtest-worktrees
cluster:
  name: zrtest-worktrees-dev
services:
  postgres: {probe: postgres}
`

const twoOverlay = `namespace: two
resources: [namespace.yaml, postgres.yaml]
`

// checkouts returns a project with a database and a git worktree of it.
func checkouts(t *testing.T) (first, second *lab.Project) {
	first = lab.NewProject(t, "examples/hello", "zrtest-worktrees", map[string]int{"greeter": 20790})
	first.Replace("config/dev.yaml", "  web:\n    build: {node: web} # the folder of its package.json\n    dependsOn: [greeter] # waited for after it\n", "  postgres: {probe: postgres}\n")
	first.Replace("kustomize/overlays/dev/kustomization.yaml", "web.yaml", "postgres.yaml")
	first.Write("kustomize/overlays/dev/postgres.yaml", database)
	first.Write("config/secrets/dev.env.example", "POSTGRES_USER=hello\nPOSTGRES_PASSWORD=mock-password\nPOSTGRES_DB=hello\n")
	first.Write(".gitignore", "/config/secrets/*.env\n")
	first.Write("config/two.yaml", twoConfig)
	first.Write("config/secrets/two.env.example", first.Read("config/secrets/dev.env.example"))
	first.Write("kustomize/overlays/two/kustomization.yaml", twoOverlay)
	first.Write("kustomize/overlays/two/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n")
	first.Write("kustomize/overlays/two/postgres.yaml", database)
	dir := filepath.Join(t.TempDir(), "second")
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "--all"}, {"-c", "user.name=zr", "-c", "user.email=zr@localhost", "commit", "--quiet", "--message", "all"},
		{"worktree", "add", "--quiet", dir},
	} {
		lab.Output(t, first.Dir, "git", args...)
	}
	second = &lab.Project{T: t, Dir: dir, Name: first.Name}
	return first, second
}

// TestWorktrees has two worktrees of one project with a database on one machine:
// first they share an environment, then each has its own, then two environments
// share a cluster. None loses what it has by what the other does.
func TestWorktrees(t *testing.T) {
	first, second := checkouts(t)
	sql := func(p *lab.Project, namespace, statement string) string {
		return strings.TrimSpace(p.Kubectl("exec", "-n", namespace, "postgres-0", "--", "psql", "-U", "hello", "-At", "-c", statement))
	}
	first.Must("up")
	sql(first, "hello", "create table kept (word text); insert into kept values ('of the first')")
	secrets := first.Read("config/secrets/dev.env")

	t.Run("the second joins, with the secrets of the first", func(t *testing.T) {
		r := second.Must("up", "-o", "json")
		said := notices(r)
		if !strings.Contains(said, "config/secrets/dev.env was missing") || !strings.Contains(said, first.Dir) || !strings.Contains(said, "--as NAME") {
			t.Errorf("said is:\n%s", said)
		}
		if second.Read("config/secrets/dev.env") != secrets {
			t.Error("it has other secrets")
		}
		if got := sql(second, "hello", "select word from kept"); got != "of the first" {
			t.Errorf("the table holds %q", got)
		}
	})
	t.Run("a secrets file that is deleted comes back", func(t *testing.T) {
		if err := os.Remove(first.Path("config/secrets/dev.env")); err != nil {
			t.Fatal(err)
		}
		if said := notices(first.Must("up", "-o", "json")); !strings.Contains(said, second.Dir) {
			t.Errorf("the first is not told of the second:\n%s", said)
		}
		if first.Read("config/secrets/dev.env") != secrets {
			t.Error("it has other values")
		}
		first.Must("down")
		if err := os.Remove(first.Path("config/secrets/dev.env")); err != nil {
			t.Fatal(err)
		}
		first.Must("up") // the gate signs in with the password
	})
	t.Run("a password that locks the volume is refused", func(t *testing.T) {
		defer writeSecrets(t, first, secrets)
		writeSecrets(t, first, strings.Replace(secrets, "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=x", 1))
		first.Fails(2, []string{"POSTGRES_PASSWORD would change", `StatefulSet "postgres"`, "config/secrets/"}, "up")
	})
	t.Run("the second gets its own", func(t *testing.T) { testOwnInstance(t, first, second, sql) })
	t.Run("two environments share a cluster by name", func(t *testing.T) {
		first.Must("up", "-e", "two")
		sql(first, "two", "create table kept (word text); insert into kept values ('of two')")
		if r := first.Must("down", "--purge", "--yes"); !strings.Contains(r.Stdout, "zrtest-worktrees-two is on it") {
			t.Errorf("the other environment is not named:\n%s", r.Stdout)
		}
		if got := sql(first, "two", "select word from kept"); got != "of two" {
			t.Errorf("after the purge of the other its table holds %q", got)
		}
		first.Must("status", "-e", "two")
		first.Must("down", "-e", "two", "--purge", "--yes")
		if left := lab.Output(t, "", lab.EngineName(), "ps", "-aq", "--filter", "name=zrtest-worktrees-dev-control-plane"); left != "" {
			t.Errorf("the cluster outlives the last environment: %s", left)
		}
	})
}

// testOwnInstance brings the second checkout up as an instance beside the first,
// edits both under `zr dev` at the same time, and purges the second.
func testOwnInstance(t *testing.T, first, second *lab.Project, sql func(*lab.Project, string, string) string) {
	second.Node = "zrtest-worktrees-dev-b-control-plane"
	ready := second.Must("up", "--as", "b", "-o", "json").Events
	t.Cleanup(func() { second.ZR("down", "--purge", "--yes", "--as", "b") })
	endpoints, _ := ready[len(ready)-1]["endpoints"].(map[string]any)
	url, _ := endpoints["greeter"].(string)
	if url == "" || strings.HasSuffix(url, ":20790") {
		t.Fatalf("the second is at %q", url)
	}
	sql(second, "hello", "create table kept (word text); insert into kept values ('of the second')")

	here, there := first.Start("dev"), second.Start("dev")
	here.Wait(0, "the first to be ready", ofType("ready"))
	there.Wait(0, "the second to be ready", ofType("ready"))
	marks := []int{here.Mark(), there.Mark()}
	first.Replace("greeter/words/words.go", `"!\n"`, `"! says the first\n"`)
	second.Replace("greeter/words/words.go", `"!\n"`, `"! says the second\n"`)
	here.Wait(marks[0], "the first to be live", reloaded("greeter"))
	there.Wait(marks[1], "the second to be live", reloaded("greeter"))
	says(t, "http://localhost:20790/greet", "says the first")
	says(t, url+"/greet", "says the second")
	here.Interrupt()
	there.Interrupt()
	for p, want := range map[*lab.Project]string{first: "of the first", second: "of the second"} {
		if got := sql(p, "hello", "select word from kept"); got != want {
			t.Errorf("in %s the table holds %q", p.Dir, got)
		}
	}

	second.Fails(2, []string{first.Dir, "down"}, "down", "--purge", "--yes", "--as", "")
	second.Must("down", "--purge", "--yes") // it remembers which is its own
	if left := lab.Output(t, "", lab.EngineName(), "ps", "-aq", "--filter", "name=zrtest-worktrees-dev-b"); left != "" {
		t.Errorf("its cluster is still there: %s", left)
	}
	if got := sql(first, "hello", "select word from kept"); got != "of the first" {
		t.Errorf("after the purge of the second the table of the first holds %q", got)
	}
	says(t, "http://localhost:20790/greet", "says the first")
}

func writeSecrets(t *testing.T, p *lab.Project, text string) {
	t.Helper()
	if err := os.WriteFile(p.Path("config/secrets/dev.env"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// notices are the texts and hints of what a run had to say.
func notices(r lab.Result) string {
	var said []string
	for _, e := range r.Events {
		if e.Text("type") == "notice" {
			said = append(said, e.Text("text"), e.Text("hint"))
		}
	}
	return strings.Join(said, "\n")
}
