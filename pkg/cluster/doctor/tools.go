package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// toolTimeout is how long a tool may take to say its version.
const toolTimeout = 10 * time.Second

// versionArgs are how each tool is asked for its version. `go version` would
// do too, but may fetch another toolchain that a go.mod of the folder asks for.
var versionArgs = map[string][]string{"go": {"env", "GOVERSION"}}

func checkTools(ctx context.Context, tools []Tool) []Check {
	checks := make([]Check, len(tools))
	var asked sync.WaitGroup
	for i, tool := range tools {
		asked.Go(func() { checks[i] = checkTool(ctx, tool) })
	}
	asked.Wait()
	return checks
}

var versionPattern = regexp.MustCompile(`\d+(\.\d+)*`)

func checkTool(ctx context.Context, tool Tool) Check {
	c := Check{Name: tool.Name, Status: OK}
	fix := "install " + tool.Name
	if tool.Min != "" {
		fix += " " + tool.Min + " or newer"
	}
	path, err := exec.LookPath(tool.Name)
	if err != nil {
		c.Status, c.Detail, c.Hint = Fail, "not on PATH", fix
		return c
	}
	if tool.Unknown {
		c.Detail = path
		return c
	}
	args, ok := versionArgs[tool.Name]
	if !ok {
		args = []string{"--version"}
	}
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	version := versionPattern.FindString(string(out))
	if err != nil || version == "" {
		c.Status, c.Hint = Fail, fix
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		c.Detail = fmt.Sprintf("%s does not say its version: %s", path, said)
		return c
	}
	c.Detail = version + " at " + path
	if less(version, tool.Min) {
		c.Status, c.Hint = Fail, fix
		c.Detail += ", older than " + tool.Min
	}
	return c
}

// less compares versions number by number. What one does not say is zero.
func less(a, b string) bool {
	number := func(parts []string, i int) int {
		if i >= len(parts) {
			return 0
		}
		n, _ := strconv.Atoi(parts[i])
		return n
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if m, n := number(x, i), number(y, i); m != n {
			return m < n
		}
	}
	return false
}
