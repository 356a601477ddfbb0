package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"zr/internal/lab"
)

const benchDashboardPage = "http://localhost:14030"

// benchDashboard measures how soon a browser paints what the stack in a cluster says.
func benchDashboard(b *bench) {
	p := lab.NewProject(b, ".", "zrtest-bench-dashboard", map[string]int{"frontend": 14030, "api": 14031})
	p.Must("up")
	write := strings.Join([]string{lab.EngineName(), "exec", p.Name + "-dev-control-plane", "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf",
		"exec", "--namespace", "zr-dev", "deployment/frontend", "--", "node", "-e", `"` + writer + `"`}, " ")
	painting := exec.Command("node", "e2e/stack-bench.mjs")
	painting.Dir = filepath.Join(lab.Repository(b), "frontend")
	painting.Env = append(append(os.Environ(), p.Commands()...), "BASE_URL="+benchDashboardPage,
		"LOGIN_LINK="+strings.TrimSpace(p.Must("dashboard").Stdout), "WRITE_COMMAND="+write)
	painting.Stderr = os.Stderr
	text, err := painting.Output()
	b.must(err)
	var report struct{ Overview, Changes, Lines []float64 } // in milliseconds
	b.must(json.Unmarshal(text, &report))
	row("the overview is asked for → its largest part is painted", milliseconds(report.Overview))
	row("the API server tells that a Deployment is scaled → painted", milliseconds(report.Changes))
	row("stdout of a pod, 100 lines/s → painted in the log window", milliseconds(report.Lines))
}

// writer writes 100 lines a second, for 20 seconds, to the stdout of the container that it
// runs in, which is that of the first process. A shell gets it between double quotes.
const writer = `const { appendFileSync } = require('node:fs');
let left = 2000;
const timer = setInterval(() => {
  appendFileSync('/proc/1/fd/1', 'sent at ' + Date.now() + '\n');
  if (--left === 0) clearInterval(timer);
}, 10);`

func milliseconds(all []float64) (s sample) {
	for _, ms := range all {
		s.add(time.Duration(ms * float64(time.Millisecond)))
	}
	return s
}
