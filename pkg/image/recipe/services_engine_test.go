package recipe

import (
	"strings"
	"testing"
)

func TestRedis(t *testing.T) {
	e := newEngine(t)
	ref := e.image("redis:7")
	dir := t.TempDir()
	write(t, dir, "redis.conf", "requirepass conf\nappendonly yes\n", 0o644)
	write(t, dir, "protected.conf", "protected-mode yes\n", 0o644)

	// From another address, which the container's own is for Redis.
	ping := `redis-cli -h "$(hostname -i | cut -d" " -f1)" --no-auth-warning `
	tests := map[string]struct {
		run  []string
		ping string
		want string
	}{
		"as it is":             {[]string{ref}, "ping", "PONG"},
		"options":              {[]string{ref, "--requirepass", "x"}, "-a x ping", "PONG"},
		"the program":          {[]string{ref, "redis-server", "--requirepass", "x"}, "ping", "NOAUTH Authentication required."},
		"a configuration":      {[]string{"-v", dir + ":/conf:ro", ref, "/conf/redis.conf", "--maxmemory", "1mb"}, "-a conf config get maxmemory", "maxmemory\n1048576"},
		"protected mode":       {[]string{"-v", dir + ":/conf:ro", ref, "redis-server", "/conf/protected.conf"}, "ping", "DENIED"},
		"restricted":           {[]string{"--read-only", "--read-only-tmpfs=false", "--user=999:999", "--cap-drop=ALL", ref, "--save", ""}, "ping", "PONG"},
		"protected by options": {[]string{ref, "--protected-mode", "yes"}, "ping", "DENIED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			c := e.container(test.run...)
			e.eventually(c, "sh", "-c", "redis-cli ping || true; redis-cli -a x ping")
			out := e.eventually(c, "sh", "-c", ping+test.ping+" 2>&1 || true")
			if !strings.HasPrefix(out, test.want) && !strings.Contains(out, test.want) {
				t.Errorf("answer = %q, want %q", out, test.want)
			}
			if who := e.must("exec", c, "sh", "-c", `grep -E "^Uid|^Name" /proc/1/status`); !strings.Contains(who, "redis-server") || !strings.Contains(who, "999") {
				t.Errorf("process 1 is %s", who)
			}
		})
	}

	volume := e.volume()
	c := e.container("-v", volume+":/data", ref)
	e.eventually(c, "redis-cli", "set", "kept", "yes")
	e.must("stop", c) // SIGTERM saves
	c = e.container("-v", volume+":/data", ref)
	if got := e.eventually(c, "redis-cli", "get", "kept"); got != "yes" {
		t.Errorf("after a restart kept = %q", got)
	}
	if out := e.must("run", "--rm", ref, "sh", "-c", "id -u; pwd"); out != "0\n/data" {
		t.Errorf("another command: %q", out)
	}
}

func TestNode(t *testing.T) {
	e := newEngine(t)
	ref := e.image("node:24")
	script := `const {createHash} = require("crypto"); console.log(process.version.split(".")[0], createHash("sha256").update("x").digest("hex").length, new Intl.NumberFormat("de").format(1234.5))`
	restricted := []string{"run", "--rm", "--read-only", "--read-only-tmpfs=false", "--user=1000:1000", "--cap-drop=ALL"}
	tests := map[string]struct {
		args []string
		want string
	}{
		"a script":        {append(restricted, ref, "node", "-e", script), "v24 64 1.234,5"},
		"node's options":  {append(restricted, ref, "-p", "os.userInfo().username"), "node"},
		"a file":          {append(restricted, ref, "/no/such/file.js"), "Cannot find module"},
		"another command": {append(restricted, ref, "sh", "-c", "echo $HOME"), "/home/node"},
		"certificates":    {append(restricted, ref, "-p", `require("fs").statSync("/etc/ssl/certs/ca-certificates.crt").size > 1e5`), "true"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, _ := e.try(test.args...)
			if !strings.Contains(out, test.want) {
				t.Errorf("output = %q, want %q", out, test.want)
			}
		})
	}
}

// Everything that a container runs must find its libraries: what a layer
// leaves out must not be something that is linked.
func TestLibrariesAreComplete(t *testing.T) {
	e := newEngine(t)
	for ref, programs := range map[string]string{
		"postgres:15": "/usr/lib/postgresql/15/bin/* /usr/lib/postgresql/15/lib/*.so",
		"redis:7":     "/usr/bin/redis-*",
		"node:24":     "/usr/local/bin/node",
	} {
		e.t = t
		out := e.must("run", "--rm", e.image(ref), "sh", "-c",
			"for f in "+programs+" /usr/bin/* /usr/sbin/*; do ldd $f 2>/dev/null | sed -n \"s|.*not found|$f: &|p\"; done")
		if out != "" {
			t.Errorf("%s lacks libraries:\n%s", ref, out)
		}
	}
}
