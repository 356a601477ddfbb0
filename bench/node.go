package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"zr/internal/lab"
)

// The service in Node.js of examples/hello, in a pod and on this machine.
const (
	nodeInPod  = "http://localhost:14021/health"
	nodeOnHost = "http://localhost:8081/health"
)

// benchPlainNode saves the one source of a plain Node.js service and asks until the
// new code answers: under `zr dev`, and in turns under the watch mode of node on
// this machine, where the file is written in place, as that needs it.
func benchPlainNode(b *bench) {
	p := lab.NewProject(b, "examples/hello", "zrtest-bench-node", map[string]int{"greeter": 14020, "web": 14021})
	dev := p.Start("dev")
	dev.Wait(0, "the project to be ready", func(e lab.Event) bool { return e.Text("type") == "ready" })
	host := filepath.Join(lab.Copy(b, "examples/hello"), "web")
	lab.Output(b, host, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	watched := exec.Command("node", "--watch", "server.js")
	watched.Dir = host
	watched.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.must(watched.Start())
	b.Cleanup(func() {
		_ = syscall.Kill(-watched.Process.Pid, syscall.SIGKILL)
		_ = watched.Wait()
	})
	source := p.Read("web/server.js")
	marked := func(i int) string {
		return strings.Replace(source, `status: "ok"`, fmt.Sprintf(`status: "ok", mark: %d`, i), 1)
	}
	until(b, "node --watch", func() bool { return mark(nodeOnHost) == 0 })
	var ours, bare sample
	for i := 1; i <= 2+runs; i++ {
		start := time.Now()
		b.must(os.WriteFile(filepath.Join(host, "server.js"), []byte(marked(i)), 0o644))
		until(b, "the new code under node --watch", func() bool { return mark(nodeOnHost) == i })
		bareTook := time.Since(start)
		start = time.Now()
		p.Write("web/server.js", marked(i))
		until(b, "the new code in the pod", func() bool { return mark(nodeInPod) == i })
		if i > 2 {
			bare.add(bareTook)
			ours.add(time.Since(start))
		}
		time.Sleep(300 * time.Millisecond) // a save, not a burst
	}
	row("save of a Node.js source, in place → node --watch on the host", bare)
	row("save of it by an editor → the new code in the pod", ours)
	against("zr over node --watch", ours, bare)
}

// mark is what the source that answers was marked with: 0 before the first
// mark, -1 where nobody answers.
func mark(url string) int {
	answer, err := client.Get(url)
	if err != nil {
		return -1
	}
	defer answer.Body.Close()
	var health struct{ Mark int }
	if json.NewDecoder(answer.Body).Decode(&health) != nil {
		return -1
	}
	return health.Mark
}
