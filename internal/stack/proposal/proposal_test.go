package proposal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
)

const goService = "package main\n\nimport \"net/http\"\n\nfunc main() { _ = http.ListenAndServe(\":8080\", nil) }\n"

// project is one without a config, with these files.
func project(t *testing.T, files map[string]string) *Project {
	t.Helper()
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "go.mod"), "module shop\n\ngo 1.26\n")
	for path, text := range files {
		testkit.WriteFile(t, filepath.Join(root, path), text)
	}
	return &Project{Root: root, Config: "config/dev.yaml", Overlay: "kustomize/overlays/dev", Has: func(string) bool { return false }, Local: true}
}

func names(plan Plan) (names []string) {
	for _, s := range plan.Services {
		names = append(names, s.Service)
	}
	return names
}

func TestWhatLooksLikeAService(t *testing.T) {
	p := project(t, map[string]string{
		"cmd/api/main.go":              goService,
		"cmd/tool/main.go":             "package main\n\nfunc main() {}\n",
		"words/words.go":               "package words\n",
		"web/package.json":             `{"scripts":{"start":"node server.js"}}`,
		"web/server.js":                "",
		"web/node_modules/x/main.go":   goService,
		"lint/package.json":            `{"scripts":{"lint":"x"}}`,
		"legacy/Dockerfile":            "FROM scratch\n",
		".hidden/Dockerfile":           "FROM scratch\n",
		"a/b/c/d/Dockerfile":           "FROM scratch\n",
		"done/Dockerfile":              "FROM scratch\n",
		"testdata/Dockerfile":          "FROM scratch\n",
		"cmd/api/internal/sub/main.go": goService,
	})
	p.Sources = map[string]string{"done": "done"}
	plan, err := p.Services(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(plan), []string{"api", "legacy", "web"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"cmd/tool"}; !slices.Equal(Unproven(plan.PassedOver), want) || len(plan.PassedOver) != 2 {
		t.Errorf("passed over are %q, want %q", plan.PassedOver, want)
	}
	p = project(t, map[string]string{"cmd/tool/main.go": "package main\n\nfunc main() {}\n"})
	_, err = p.Services(nil)
	if none, is := errors.AsType[*NotServices](err); !is || !slices.Equal(Unproven(none.PassedOver), []string{"cmd/tool"}) {
		t.Errorf("got %v", err)
	}
}

// The project's own folder can be a service, and two of a port get different ones here.
func TestAProjectThatIsAService(t *testing.T) {
	p := project(t, map[string]string{"main.go": goService, "second/main.go": goService, "third/Dockerfile": "FROM scratch\nUSER 1000\nEXPOSE 9000\n"})
	plan, err := p.Start("shop", []string{".", "second", "third"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan.Edits[0].Text, "build: {go: .}\n") {
		t.Errorf("got %s", plan.Edits[0].Text)
	}
	all := ""
	for _, e := range plan.Edits {
		all += e.Text
	}
	for _, want := range []string{"port: 8080,", "port: 8081,", "port: 9000,"} {
		if strings.Count(all, want) != 1 {
			t.Errorf("%q is there %d times, in:\n%s", want, strings.Count(all, want), all)
		}
	}
	if strings.Count(all, "runAsNonRoot") != 3 {
		t.Errorf("a Dockerfile with a USER is no root: %s", all)
	}
}

// A folder with the name of a service that is no build is passed over, and others are not
// for its sake.
func TestANameThatIsTaken(t *testing.T) {
	p := project(t, map[string]string{"api/main.go": goService, "web/main.go": goService})
	p.Has = func(name string) bool { return name == "web" }
	plan, err := p.Services(nil)
	if got := names(plan); err != nil || !slices.Equal(got, []string{"api"}) {
		t.Fatalf("got %q, %v", got, err)
	}
	if want := `web cannot be one by its name: config/dev.yaml has a service "web" already`; len(plan.PassedOver) != 1 || plan.PassedOver[0].String() != want {
		t.Errorf("passed over are %q", plan.PassedOver)
	}
	if _, err := p.Services([]string{"api", "web"}); err == nil {
		t.Error("one that was named is passed over")
	}
	p.Has = func(string) bool { return true }
	_, err = p.Services(nil)
	if none, is := errors.AsType[*NotServices](err); !is || len(none.PassedOver) != 2 {
		t.Errorf("got %+v", none)
	}
}

func TestAFolderThatIsNamedTwice(t *testing.T) {
	p := project(t, map[string]string{"api/main.go": goService})
	if err := os.Symlink("api", filepath.Join(p.Root, "alias")); err != nil {
		t.Fatal(err)
	}
	plan, err := p.Services([]string{"alias", "api", "./api", "alias/"})
	if got := names(plan); err != nil || !slices.Equal(got, []string{"api"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A Deployment that somebody wrote is left alone, and so is his overlay.
func TestManifestsThatAreThere(t *testing.T) {
	p := project(t, map[string]string{
		"api/main.go": goService, "web/main.go": goService,
		"kustomize/base/kustomization.yaml":        "resources: [api.yaml]\n",
		"kustomize/base/api.yaml":                  "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {type: NodePort, ports: [{port: 8080}]}\n",
		"kustomize/overlays/dev/kustomization.yml": "# ours\nnamespace: ours\nresources:\n- ../../base # all\n",
	})
	plan, err := p.Start("shop", nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := Write(p.Root, plan.Edits, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"config/dev.yaml", "kustomize/overlays/dev/kustomization.yml", "kustomize/overlays/dev/web.yaml"}; !slices.Equal(files, want) {
		t.Errorf("got %q, want %q", files, want)
	}
	got := read(t, filepath.Join(p.Root, "kustomize/overlays/dev/kustomization.yml"))
	if want := "# ours\nnamespace: ours\nresources:\n- ../../base # all\n- web.yaml\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if web := read(t, filepath.Join(p.Root, "kustomize/overlays/dev/web.yaml")); !strings.Contains(web, "port: 8081,") {
		t.Errorf("8080 is api's on this machine: %s", web)
	}
}

// All is written or nothing, whatever stops it.
func TestAllOrNothing(t *testing.T) {
	outside := t.TempDir()
	for name, broken := range map[string]func(root string) error{
		"a file that is there": func(root string) error {
			return errors.Join(os.MkdirAll(filepath.Join(root, "kustomize/overlays/dev"), 0o755), os.WriteFile(filepath.Join(root, "kustomize/overlays/dev/api.yaml"), []byte("mine: true\n"), 0o644))
		},
		"a link that leads out": func(root string) error { return os.Symlink(outside, filepath.Join(root, "kustomize")) },
		"a file for a folder":   func(root string) error { return os.WriteFile(filepath.Join(root, "kustomize"), nil, 0o644) },
	} {
		p := project(t, map[string]string{"api/main.go": goService})
		plan, err := p.Start("shop", nil)
		if err := errors.Join(err, broken(p.Root)); err != nil {
			t.Fatal(err)
		}
		before := tree(t, p.Root)
		if files, err := Write(p.Root, plan.Edits, func() error { return nil }); err == nil {
			t.Errorf("%s: wrote %q", name, files)
		}
		if after := tree(t, p.Root); after != before {
			t.Errorf("%s: %s, before: %s", name, after, before)
		}
	}
	p := project(t, map[string]string{"api/main.go": goService, "config/dev.yaml": "project: shop # mine\nservices: {}\n"})
	plan, err := p.Services([]string{"api"})
	if err != nil {
		t.Fatal(err)
	}
	plan.Edits[2].New, plan.Edits[2].Under = true, ""
	before, wrong := tree(t, p.Root), errors.New("no project")
	if _, err := Write(p.Root, plan.Edits, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if after := tree(t, p.Root); after != before {
		t.Errorf("what is no project was left: %s, before: %s", after, before)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside: %v, %v", entries, err)
	}
}

// tree is what is below a folder with what is in them.
func tree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		content, _ := os.ReadFile(path) // of a link or a folder: nothing
		b.WriteString(path + ": " + string(content) + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
