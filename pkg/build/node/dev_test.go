package node

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/config"
)

// TestDevCommand is what the agent runs: never the watch mode of node, which
// misses saves.
func TestDevCommand(t *testing.T) {
	for _, test := range []struct {
		start, configured, want string
		standIn                 bool
	}{
		{start: "node -r ./env.js server.js --port 3000", want: "node -r ./env.js server.js --port 3000"},
		{start: "node --watch server.js --watch", want: "node server.js --watch"},
		{start: "node --watch-path ./src --watch-preserve-output --inspect server.js", want: "node --inspect server.js"},
		{start: "node --require ./env.js --watch server.js", want: "node --require ./env.js server.js"},
		{start: "tsx src/main.ts", want: "tsx src/main.ts"},
		{configured: "node --watch --enable-source-maps app.js", want: "node --enable-source-maps app.js", standIn: true},
		{configured: "nodemon app.js", want: "nodemon app.js", standIn: true},
	} {
		p := &project{manifest: manifest{Scripts: map[string]string{"start": test.start}}}
		got, standIn := p.devCommand(strings.Fields(test.configured))
		if !slices.Equal(got, strings.Fields(test.want)) || standIn != test.standIn {
			t.Errorf("%q, %q: %q (stands in: %v)", test.start, test.configured, got, standIn)
		}
	}
}

// TestHowASaveReachesTheProcess: the process is started anew, unless it is one
// that looks at its files by itself.
func TestHowASaveReachesTheProcess(t *testing.T) {
	const plain, next = `{}`, `{"dependencies": {"next": "16"}}`
	for _, test := range []struct {
		manifest string
		dev      config.Dev
		want     build.Reload
	}{
		{plain, config.Dev{}, build.Restart},
		{next, config.Dev{}, build.Sync},
		{`{"scripts": {"build": "tsc"}}`, config.Dev{}, build.Compile},
		{`{"scripts": {"build": "tsc"}}`, config.Dev{Command: []string{"tsx", "x.ts"}}, build.Restart},
		{plain, config.Dev{Command: []string{"node", "--watch", "x.js"}}, build.Restart},
		{plain, config.Dev{Command: []string{"tsx", "x.ts"}}, build.Restart},
		{plain, config.Dev{Command: []string{"tsx", "watch", "x.ts"}}, build.Sync},
		{plain, config.Dev{Command: []string{"bun", "--hot", "x.ts"}}, build.Sync},
		{plain, config.Dev{Command: []string{"/app/node_modules/.bin/nodemon", "x.js"}}, build.Sync},
		{plain, config.Dev{Command: []string{"npm", "run", "dev"}}, build.Sync},
		{plain, config.Dev{Command: []string{"npm", "run", "dev"}, Reload: config.ReloadRestart}, build.Restart},
		{plain, config.Dev{Command: []string{"node", "dev-server.js"}, Reload: config.ReloadSelf}, build.Sync},
		{next, config.Dev{Reload: config.ReloadRestart}, build.Restart},
	} {
		root := t.TempDir()
		testkit.WriteFile(t, filepath.Join(root, "package.json"), test.manifest)
		testkit.WriteFile(t, filepath.Join(root, "package-lock.json"), `{}`)
		mode, err := New(build.Deps{}).DevMode(build.Request{Root: root, Spec: config.Build{NodeKeys: config.NodeKeys{Node: "."}, Dev: test.dev}})
		if err != nil || mode.Reload != test.want {
			t.Errorf("%s with %+v: %s, %v; want %s", test.manifest, test.dev, mode.Reload, err, test.want)
		}
	}
}
