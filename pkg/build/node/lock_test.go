package node

import (
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// TestLockFilesThatNpmDoesNotRead: who has another package manager, or a workspace of
// a larger project, is told what works there and not what npm then refuses.
func TestLockFilesThatNpmDoesNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		files        map[string]string // besides app/web/package.json
		words, hints string
	}{
		"none":              {nil, "no package-lock.json beside it", "run `npm install` in app/web"},
		"pnpm":              {map[string]string{"app/web/pnpm-lock.yaml": ""}, "app/web/pnpm-lock.yaml of another package manager", "build: {command: …}"},
		"yarn, above":       {map[string]string{"yarn.lock": "", "package.json": `{"workspaces": ["app/*"]}`}, "but yarn.lock of another package manager", "build: {dockerfile: …}"},
		"workspace":         {map[string]string{"app/package.json": `{"workspaces": ["*"]}`, "app/package-lock.json": "{}"}, "a workspace of app", "`build: {node: app}`"},
		"workspace, deeper": {map[string]string{"package.json": `{"workspaces": ["app/*"]}`}, "a workspace of .", "[node, app/web/index.js]"},
		"no workspace":      {map[string]string{"package.json": `{"name": "other"}`}, "no package-lock.json beside it", "run `npm install` in app/web"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			testkit.WriteFile(t, filepath.Join(root, "app/web/package.json"), `{"dependencies": {"lib": "*"}}`)
			for file, content := range c.files {
				testkit.WriteFile(t, filepath.Join(root, file), content)
			}
			_, err := readProject(build.Request{Root: root, Spec: config.Build{NodeKeys: config.NodeKeys{Node: "./app/web"}}})
			if err == nil || !strings.Contains(err.Error(), c.words) || !strings.Contains(fault.HintOf(err), c.hints) {
				t.Errorf("%v, hint %q; want %q, %q", err, fault.HintOf(err), c.words, c.hints)
			}
		})
	}
}
