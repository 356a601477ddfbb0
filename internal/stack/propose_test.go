package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/devattach"
)

// proposing opens a project with these folders in it.
func proposing(t *testing.T, files map[string]string) *Stack {
	t.Helper()
	ownState(t)
	root := t.TempDir()
	project := testkit.Project("project: tiny\nservices:\n  web: {}\n")
	project["kustomize/overlays/dev/kustomization.yaml"] = "namespace: tiny\nresources:\n  - all.yaml\n"
	project["go.mod"] = "module tiny\n\ngo 1.26\n"
	for _, of := range []map[string]string{project, files} {
		for path, text := range of {
			testkit.WriteFile(t, filepath.Join(root, path), text)
		}
	}
	return loaded(t, root)
}

func loaded(t *testing.T, root string) *Stack {
	t.Helper()
	cfg, err := Load(root, "dev", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(cfg, &testkit.Recorder{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// What is proposed for a folder is a service of the project once it is written there.
func TestProposalsAreServices(t *testing.T) {
	s := proposing(t, map[string]string{
		"cmd/Order Desk/main.go":    "package main\n\nimport \"net/http\"\n\nfunc main() {\n\thttp.HandleFunc(\"GET /healthz\", nil)\n\t_ = http.ListenAndServe(\":9100\", nil)\n}\n",
		"shop/package.json":         `{"name":"shop","scripts":{"start":"node server.js"}}`,
		"shop/package-lock.json":    `{"name":"shop","lockfileVersion":3,"packages":{"":{"name":"shop"}}}`,
		"shop/server.js":            `require("http").createServer().listen(process.env.PORT ?? 7070)`,
		"front/package.json":        `{"name":"front","dependencies":{"next":"16.0.0"}}`,
		"front/package-lock.json":   `{"name":"front","lockfileVersion":3,"packages":{"":{"name":"front","dependencies":{"next":"16.0.0"}}}}`,
		"legacy/Dockerfile":         "FROM scratch\nEXPOSE 5000\n",
		"words/words.go":            "package words\n",
		"node_modules/x/index.js":   "",
		"docs/nothing/of/a/service": "",
	})
	for _, c := range []struct {
		folder, service, kind, build, probe string
		port                                int
	}{
		{"cmd/Order Desk", "order-desk", "go", `go: "./cmd/Order Desk"`, "path: /healthz", 9100},
		{"./shop/", "shop", "node", "node: shop", "tcpSocket", 7070},
		{"front", "front", "node", "node: front", "tcpSocket", 3000},
		{"legacy", "legacy", "dockerfile", "dockerfile: legacy/Dockerfile", "tcpSocket", 5000},
	} {
		p, err := s.Propose(c.folder)
		if err != nil {
			t.Fatal(err)
		}
		if p.Service != c.service || p.Kind != c.kind || p.Port != c.port || !strings.Contains(p.Edits[0].Text, c.build) || !strings.Contains(p.Edits[1].Text, c.probe) {
			t.Errorf("%s: got %+v", c.folder, p)
		}
		for _, e := range p.Edits { // each key is the last of its file
			path := filepath.Join(s.cfg.Root, e.File)
			before, err := os.ReadFile(path)
			if e.New != errors.Is(err, os.ErrNotExist) || e.New == (e.Under != "") {
				t.Errorf("%s: %+v, and the file: %v", c.folder, e, err)
			}
			testkit.WriteFile(t, path, string(before)+e.Text)
		}
		s = loaded(t, s.cfg.Root)
		written, err := s.render(t.Context())
		if err != nil {
			t.Fatalf("%s, written: %v", c.folder, err)
		}
		found := false
		for _, w := range written.rendered.Workloads() {
			found = found || w.Name == c.service && w.Own().Readiness.Port == int32(c.port)
		}
		if !found {
			t.Errorf("%s is no workload", c.service)
		}
	}
}

// Nothing outside of the project is looked at, and what is no service is told.
func TestWhatIsNotProposed(t *testing.T) {
	outside := t.TempDir()
	testkit.WriteFile(t, filepath.Join(outside, "secret", "Dockerfile"), "FROM scratch\n")
	s := proposing(t, map[string]string{"words/words.go": "package words\n", "web/Dockerfile": "FROM scratch\n", "file": "", "ok/Dockerfile": "FROM scratch\n"})
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(s.cfg.Root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", filepath.Join(s.cfg.Root, "round")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("ok", filepath.Join(s.cfg.Root, "alias")); err != nil {
		t.Fatal(err)
	}
	for folder, code := range map[string]devattach.Code{
		"": devattach.NotFound, ".": devattach.NotFound, "/": devattach.NotFound, "..": devattach.NotFound, "../" + filepath.Base(outside): devattach.NotFound,
		filepath.Join(outside, "secret"): devattach.NotFound, "link": devattach.NotFound, "round": devattach.NotFound, "ok/../../x": devattach.NotFound,
		"file": devattach.NotFound, "gone": devattach.NotFound, "words": devattach.NotFound, "web": devattach.Conflict,
	} {
		p, err := s.Propose(folder)
		failed, is := errors.AsType[*devattach.Failure](err)
		if !is || failed.Code != code || len(p.Edits) > 0 {
			t.Errorf("%q: got %+v, %v", folder, p, err)
		}
	}
	if p, err := s.Propose("alias"); err != nil || p.Service != "ok" || !strings.Contains(p.Edits[0].Text, "dockerfile: ok/Dockerfile") {
		t.Errorf("a link within the project: %+v, %v", p, err)
	}
}
