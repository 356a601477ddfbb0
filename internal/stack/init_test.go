package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/stack/proposal"
	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/fault"
)

const (
	goModule   = "module m\n\ngo 1.26\n"
	listening  = "package main\n\nimport \"net/http\"\n\nfunc main() { _ = http.ListenAndServe(\":8080\", nil) }\n"
	nodeServer = `require("http").createServer((q, s) => s.end("ok")).listen(3456)`
	startable  = `{"scripts": {"start": "node server.js"}}`

	noLock = "cannot be built as it is: finding the lock file: "
)

// files of a folder of Go that imports more than net/http.
func goMain(imports, rest string) map[string]string {
	return map[string]string{"go.mod": goModule, "main.go": fmt.Sprintf("package main\n\nimport (\n\t\"net/http\"\n%s)\n\n%s\n", imports, rest)}
}

// shapes are projects as strangers have them: what zr init makes of each, which is then
// valid, and what it says of the rest.
var shapes = []struct {
	name   string
	folder string // the project's, where its name matters; otherwise "shop"
	files  map[string]string
	want   []string // a line of each service: name, build, port, what says the port
	passed []string // the beginnings of what is said of the folders that are passed over
	refuse string   // the error, with its hint behind
}{
	{name: "a program at the root", files: map[string]string{"go.mod": goModule, "main.go": listening},
		want: []string{"shop {go: .} 8080 the address that it listens at"}},
	{name: "a go.mod with a toolchain", files: map[string]string{"go.mod": "module m\n\ngo 1.26\n\ntoolchain go1.26.0\n", "main.go": listening},
		want: []string{"shop {go: .} 8080 the address that it listens at"}},
	{name: "a port in a constant", files: goMain("\t\"fmt\"\n", "const port = 9123\n\nfunc main() { _ = http.ListenAndServe(fmt.Sprintf(\":%d\", port), nil) }"),
		want: []string{"shop {go: .} 9123 what it calls its port"}},
	{name: "a port in a flag", files: goMain("\t\"flag\"\n", `func main() { a := flag.String("addr", "0.0.0.0:7070", ""); flag.Parse(); _ = http.ListenAndServe(*a, nil) }`),
		want: []string{"shop {go: .} 7070 the default of a flag"}},
	{name: "a number in a flag", files: goMain("\t\"flag\"\n\t\"fmt\"\n", `func main() { p := flag.Int("port", 7071, ""); flag.Parse(); _ = http.ListenAndServe(fmt.Sprint(":", *p), nil) }`),
		want: []string{"shop {go: .} 7071 the default of a flag"}},
	{name: "a port of the environment", files: goMain("\t\"cmp\"\n\t\"os\"\n", `func main() { _ = http.ListenAndServe(":"+cmp.Or(os.Getenv("PORT"), "6060"), nil) }`),
		want: []string{"shop {go: .} 6060 what it takes where PORT is not set"}},
	{name: "addresses of others, and two of its own", files: goMain("", "var redis, db = \"redis:6379\", \"localhost:5432\"\n\nfunc main() { go http.ListenAndServe(\":9090\", nil); _ = http.ListenAndServe(\":4000\", nil) }"),
		want: []string{"shop {go: .} 9090 the address that it listens at, where 4000 is, too"}},
	{name: "an address that nobody reaches", files: goMain("", `func main() { _ = http.ListenAndServe("localhost:4000", nil) }`),
		want: []string{"shop {go: .} 4000 the address that it listens at, which only its own pod reaches"}},
	{name: "an address of nowhere", files: goMain("\t\"os\"\n", "func main() { _ = http.ListenAndServe(os.Args[1], nil) }"),
		want: []string{"shop {go: .} 8080 "}},
	{name: "cgo alone", files: map[string]string{"go.mod": goModule, "main.go": "package main\n\n// int one(void) { return 1; }\nimport \"C\"\n\nfunc main() { _ = C.one() }\n"},
		refuse: "no folder here looks like a service: name the folder of one"},
	{name: "files that are embedded", files: map[string]string{"go.mod": goModule, "web/index.html": "hi",
		"main.go": "package main\n\nimport (\n\t\"embed\"\n\t\"net/http\"\n)\n\n//go:embed web\nvar f embed.FS\n\nfunc main() { _ = http.ListenAndServe(\":8080\", http.FileServerFS(f)) }\n"},
		want: []string{"shop {go: .} 8080 the address that it listens at"}},
	{name: "no module", files: map[string]string{"main.go": listening},
		refuse: "no folder here looks like a service: the project's own folder cannot be built as it is: no go.mod is there or above (`go mod init NAME`"},
	{name: "modules of a go.work", files: map[string]string{"go.work": "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": "module a\n", "a/main.go": listening, "b/go.mod": "module b\n", "b/main.go": listening},
		want: []string{"a {go: ./a} 8080 the address that it listens at", "b {go: ./b} 8080 the address that it listens at"}},
	{name: "programs that import what listens", files: map[string]string{"go.mod": goModule,
		"cmd/a/main.go": "package main\n\nimport \"m/internal/server\"\n\nfunc main() { server.Run() }\n", "cmd/tool/main.go": "package main\n\nfunc main() {}\n",
		"internal/server/run.go": "package server\n\nimport \"net/http\"\n\nfunc Run() { _ = http.ListenAndServe(\":8181\", nil) }\n"},
		want: []string{"a {go: ./cmd/a} 8181 the address that it listens at"}, passed: []string{"cmd/tool "}},
	{name: "a client beside the server that it imports", files: map[string]string{"go.mod": goModule, "cmd/served/main.go": "package main\n\nimport \"m/web\"\n\nfunc main() { _ = web.ListenAndServe() }\n",
		"cmd/client/main.go": "package main\n\nimport \"m/web\"\n\nfunc main() { web.Get() }\n", "web/web.go": "package web\n\nimport \"net/http\"\n\nfunc Get() {}\n\nfunc ListenAndServe() error { return http.ListenAndServe(\":8282\", nil) }\n"},
		want: []string{"served {go: ./cmd/served} 8282 the address that it listens at"}, passed: []string{"cmd/client "}},
	{name: "two folders of one name", files: map[string]string{"go.mod": goModule, "one/server/main.go": listening, "two/server/main.go": listening},
		want: []string{"server {go: ./one/server} 8080 the address that it listens at", "two-server {go: ./two/server} 8080 the address that it listens at"}},
	{name: "a program that the Dockerfile builds", files: map[string]string{"go.mod": goModule, "cmd/shop/main.go": goMain("\t\"os\"\n", "func main() { _ = http.ListenAndServe(os.Args[1], nil) }")["main.go"],
		"Dockerfile": "FROM golang:1.26 AS build\nEXPOSE 1111\nRUN go build -o /shop ./cmd/shop\nFROM scratch\nEXPOSE 9898\n"},
		want: []string{"shop {go: ./cmd/shop} 9898 EXPOSE in its Dockerfile"}, passed: []string{"the project's own folder has a Dockerfile that builds cmd/shop"}},
	{name: "vendored packages", files: map[string]string{"go.mod": goModule, "main.go": listening, "vendor/x/main.go": listening, "vendor/modules.txt": ""},
		want: []string{"shop {go: .} 8080 the address that it listens at"}},
	{name: "a name with all that a name may not have", folder: "My Shop v1.2_Beta", files: map[string]string{"go.mod": goModule, "main.go": listening},
		want: []string{"my-shop-v1-2-beta {go: .} 8080 the address that it listens at"}},
	{name: "a name that YAML reads as something else", folder: "ünï", files: map[string]string{"go.mod": goModule, "main.go": listening, "on/main.go": listening},
		want: []string{"n {go: .} 8080 the address that it listens at", "on {go: ./on} 8080 the address that it listens at"}},
	{name: "names of digits, of one another and of files", folder: "2026", files: map[string]string{"go.mod": goModule, "1st/main.go": listening, "a.b/main.go": listening, "a_b/main.go": listening, "namespace/main.go": listening},
		want: []string{"app-1st {go: ./1st} 8080 the address that it listens at", "a-b {go: ./a.b} 8080 the address that it listens at", "a-b-2 {go: ./a_b} 8080 the address that it listens at", "namespace-2 {go: ./namespace} 8080 the address that it listens at"}},
	{name: "a name longer than any", folder: strings.Repeat("x", 70), files: map[string]string{"go.mod": goModule, "main.go": listening, "with space/main.go": listening},
		want: []string{strings.Repeat("x", 50) + " {go: .} 8080 the address that it listens at", `with-space {go: "./with space"} 8080 the address that it listens at`}},
	{name: "no letter in a name", folder: "商店", files: map[string]string{"go.mod": goModule, "main.go": listening},
		refuse: `naming the project: "商店" has no letter or digit: give the folder another name`},

	{name: "a start script", files: map[string]string{"package.json": startable, "server.js": nodeServer},
		want: []string{"shop {node: .} 3456 the port that it listens at"}},
	{name: "an ES module", files: map[string]string{"package.json": `{"type": "module", "scripts": {"start": "node index.mjs"}}`, "index.mjs": "import http from \"node:http\";\nconst port = Number(process.env.PORT ?? 4567);\nhttp.createServer().listen({port});\n"},
		want: []string{"shop {node: .} 4567 what it takes where PORT is not set"}},
	{name: "a main file and no start script", files: map[string]string{"package.json": `{"main": "server.js"}`, "server.js": nodeServer},
		want: []string{"shop {node: .} 3456 the port that it listens at"}},
	{name: "a library", files: map[string]string{"package.json": `{"main": "index.js"}`, "index.js": "module.exports = 1"},
		refuse: "no folder here looks like a service: nothing shows that these listen on a port; name those that do: zr init "},
	{name: "a package.json with comments", files: map[string]string{"package.json": "{\n// why\n\"scripts\": {\"start\": \"node server.js\"},}", "server.js": nodeServer},
		refuse: "no folder here looks like a service: the project's own folder cannot be built as it is: reading package.json: invalid character"},
	{name: "TypeScript that nothing compiles", files: map[string]string{"package.json": `{"scripts": {"start": "node dist/x.js"}}`, "src/x.ts": nodeServer},
		refuse: "no folder here looks like a service: the project's own folder cannot be built as it is: dist/x.js is not there"},
	{name: "Express without a lock file", files: map[string]string{"package.json": `{"scripts": {"start": "node server.js"}, "dependencies": {"express": "^4"}}`, "server.js": nodeServer},
		refuse: "no folder here looks like a service: the project's own folder " + noLock + "package.json has dependencies and no package-lock.json beside it"},
	{name: "Express with pnpm, beside a program", files: map[string]string{"go.mod": goModule, "api/main.go": listening,
		"web/package.json": `{"scripts": {"start": "node server.js"}, "dependencies": {"express": "^4"}}`, "web/server.js": nodeServer, "web/pnpm-lock.yaml": "lockfileVersion: 9\n"},
		want: []string{"api {go: ./api} 8080 the address that it listens at"}, passed: []string{"web " + noLock}},
	{name: "Next.js", files: map[string]string{"package.json": `{"dependencies": {"next": "16.0.0"}}`, "package-lock.json": `{"packages": {"": {"dependencies": {"next": "16.0.0"}}}}`},
		want: []string{"shop {node: .} 3000 the default of Next.js"}},
	{name: "Next.js at a port", files: map[string]string{"package.json": `{"scripts": {"start": "next start -p 4004"}, "dependencies": {"next": "16.0.0"}}`, "package-lock.json": `{"packages": {"": {"dependencies": {"next": "16.0.0"}}}}`},
		want: []string{"shop {node: .} 4004 a flag of what starts it"}},
	{name: "workspaces of turborepo", files: map[string]string{"package.json": `{"workspaces": ["apps/*"], "scripts": {"start": "turbo start"}}`, "apps/web/package.json": startable, "apps/web/server.js": nodeServer},
		want: []string{"web {node: apps/web} 3456 the port that it listens at"}, passed: []string{"the project's own folder " + noLock}},
	{name: "a page that vite makes, in an image", files: map[string]string{"package.json": `{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}`, "Dockerfile": "FROM node:22 AS build\nCOPY package.json .\nRUN npm i\nFROM nginx\nEXPOSE 80\n"},
		want: []string{"shop {dockerfile: Dockerfile} 80 EXPOSE in its Dockerfile"}},

	{name: "FastAPI", files: map[string]string{"Dockerfile": "FROM python:3.12\nCOPY app.py .\nCMD [\"uvicorn\", \"app:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]\n", "app.py": ""},
		want: []string{"shop {dockerfile: Dockerfile} 8000 a flag of what starts it"}},
	{name: "Flask of a compose project", files: map[string]string{"docker-compose.yml": "services: {web: {build: ., ports: ['8000:5000']}, db: {image: postgres}}\n", "Dockerfile": "FROM python\nCOPY . .\nCMD python app.py\n", "app.py": "app.run(host='0.0.0.0', port=5000)\n"},
		want: []string{"shop {dockerfile: Dockerfile} 5000 the port that it listens at"}},
	{name: "a port in a variable of the Dockerfile", files: map[string]string{"Dockerfile": "FROM x\nENV PORT=8123\nEXPOSE ${PORT}/tcp\n"},
		want: []string{"shop {dockerfile: Dockerfile} 8123 EXPOSE in its Dockerfile"}},
	{name: "lines of Windows, and a port of datagrams", files: map[string]string{"Dockerfile": "from alpine\r\nexpose 53/udp 8088\r\n"},
		want: []string{"shop {dockerfile: Dockerfile} 8088 EXPOSE in its Dockerfile"}},
	{name: "a worker", files: map[string]string{"Dockerfile": "FROM alpine\n# EXPOSE 99\nCMD [\"sleep\", \"1\"]\n"},
		want: []string{"shop {dockerfile: Dockerfile} 8080 "}},
	{name: "a Dockerfile that copies from the project", files: map[string]string{"backend/Dockerfile": "FROM x\nCOPY --chown=1 shared/a.txt \\\n  backend/b.txt /\nEXPOSE 8000\n", "shared/a.txt": "", "backend/b.txt": ""},
		want: []string{"backend {dockerfile: backend/Dockerfile, context: .} 8000 EXPOSE in its Dockerfile"}},
	{name: "Spring Boot, whose jar is not made yet", files: map[string]string{"pom.xml": "<project/>", "Dockerfile": "FROM eclipse-temurin\nCOPY target/*.jar app.jar\nEXPOSE 8080\n"},
		refuse: "no folder here looks like a service: the project's own folder cannot be built as it is: its Dockerfile copies target/*.jar, which is not there"},
	{name: "Rails", files: map[string]string{"Gemfile": "gem \"rails\"\n", "Dockerfile": "FROM ruby\nCOPY . .\nEXPOSE 3000\n", "package.json": `{"dependencies": {"@hotwired/turbo": "8"}}`},
		want: []string{"shop {dockerfile: Dockerfile} 3000 EXPOSE in its Dockerfile"}},
	{name: "axum", files: map[string]string{"Cargo.toml": "[package]\n", "src/main.rs": "fn main() {}\n"},
		refuse: "no folder here looks like a service: name the folder of one: zr init "},
	{name: "PHP and pages", files: map[string]string{"index.php": "<?php", "public/index.html": ""},
		refuse: "no folder here looks like a service: name the folder of one: zr init "},
	{name: "a base that the overlay does not have", files: map[string]string{"go.mod": goModule, "web/main.go": listening, "kustomize/base/kustomization.yaml": "resources: [web.yaml]\n",
		"kustomize/base/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"},
		want: []string{"web {go: ./web} 8080 the address that it listens at"}},
	{name: "a service in a service", files: map[string]string{"go.mod": goModule, "web/main.go": listening, "web/demo/main.go": listening, "web/src/Dockerfile": "FROM x\n"},
		want: []string{"web {go: ./web} 8080 the address that it listens at"}},
	{name: "sources that say nothing of their name", files: map[string]string{"cart/src/Dockerfile": "FROM x\nEXPOSE 7070\n"},
		want: []string{"cart {dockerfile: cart/src/Dockerfile} 7070 EXPOSE in its Dockerfile"}},
}

func TestInitOfStrangers(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "shop")
			if shape.folder != "" {
				root = filepath.Join(filepath.Dir(root), shape.folder)
			}
			for name, text := range shape.files {
				testkit.WriteFile(t, filepath.Join(root, name), text)
			}
			plan, err := Init(root, "dev", nil)
			if err != nil {
				if got := err.Error() + ": " + fault.HintOf(err); shape.refuse == "" || !strings.HasPrefix(got, shape.refuse) || fault.Code(err) != fault.Usage {
					t.Errorf("got %q, want %q", got, shape.refuse)
				}
				return
			}
			var got []string
			for _, s := range plan.Services {
				_, build, _ := strings.Cut(strings.TrimSpace(s.Edits[0].Text), "build: ")
				got = append(got, fmt.Sprintf("%s %s %d %s", s.Service, build, s.Port, s.Listens))
				if guess := strings.Contains(s.Edits[1].Text, "# a guess"); guess != (s.Listens == "") || s.Because == "" {
					t.Errorf("%s: it is built since %q, and that its port is a guess: %t", s.Service, s.Because, guess)
				}
			}
			if !slices.Equal(got, shape.want) {
				t.Errorf("got %q, want %q", got, shape.want)
			}
			if !slices.EqualFunc(plan.PassedOver, shape.passed, func(p proposal.PassedOver, want string) bool { return strings.HasPrefix(p.String(), want) }) {
				t.Errorf("passed over are %q, want %q", plan.PassedOver, shape.passed)
			}
			if left := present(t, root); !maps.Equal(left, shape.files) {
				t.Fatalf("a plan has written: %q", left)
			}
			files, err := WriteInit(t.Context(), root, "dev", plan)
			if err != nil {
				t.Fatal(err)
			}
			after := present(t, root)
			for name, text := range shape.files {
				if after[name] != text {
					t.Errorf("%s is not what it was: %q", name, after[name])
				}
			}
			if len(after) != len(shape.files)+len(files) {
				t.Errorf("it says that it wrote %q, and there are %q", files, slices.Sorted(maps.Keys(after)))
			}
			cfg, err := config.Load(root, "dev")
			if err != nil || len(cfg.Services) != len(shape.want) {
				t.Errorf("%v: %+v", err, cfg)
			}
			if plan, err := Init(root, "dev", nil); err == nil || err.Error() != "no other folder here looks like a service" {
				t.Errorf("a second time: %+v, %v", plan.Services, err)
			}
		})
	}
}

// present are the files below a folder.
func present(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(relative(root, path))] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
