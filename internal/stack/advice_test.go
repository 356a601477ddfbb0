package stack

import (
	"path/filepath"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/cmdline"
	"zr/pkg/config"
)

// TestAdvice: a program that cannot read a file of its folder is told the line that
// puts it into the image.
func TestAdvice(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "svc/products.json"), "[]")
	s := &project{Stack: &Stack{cfg: &config.Config{Root: root, File: filepath.Join(root, "config/dev.yaml")}}}
	r := build.Request{Service: "shop", Root: root, Spec: config.Build{GoKeys: config.GoKeys{Go: "./svc", Files: []string{"templates"}}}}
	s.builds = []build.Request{r, {Service: "web", Root: root, Spec: config.Build{NodeKeys: config.NodeKeys{Node: "web"}}}}
	const said = "container \"shop\" crashed with exit code 2\n    panic: open products.json: no such file or directory"
	want := "svc/products.json is not in the image: add `files: [templates, products.json]` to services.shop.build in config/dev.yaml"
	if got := s.adviceOf("shop", cmdline.Run{})(said); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := s.adviceOf("shop", cmdline.Run{})("panic: open nothing.json: no such file or directory"); got != "" {
		t.Errorf("said %q of a file that is nowhere", got)
	}
	if got := s.adviceOf("web", cmdline.Run{})(said); got != "" || s.adviceOf("redis", cmdline.Run{}) != nil {
		t.Errorf("said %q of what is no Go program", got)
	}
}
