package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/internal/lab"
)

// TestDev edits a project that has nothing to do with this repository's own
// stack while `zr dev` keeps it live.
func TestDev(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-dev", map[string]int{"greeter": 18090, "web": 18091})
	dev := p.Start("dev")
	ready := func(mark int) { dev.Wait(mark, "the stack to be ready", ofType("ready")) }
	ready(0)
	const greeter, web = "http://localhost:18090", "http://localhost:18091"

	t.Run("a Go file", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("greeter/words/words.go", `"!\n"`, `"! How do you do?\n"`)
		trace := dev.Wait(mark, "the greeter to be live", reloaded("greeter"))
		if trace.Text("error") != "" || trace.Text("action") != "restart" {
			t.Errorf("trace: %v", trace)
		}
		if got := lab.Get(t, greeter+"/greet"); got != "Hello, world! How do you do?\n" {
			t.Errorf("the greeter says %q", got)
		}
		if got, want := build(t, greeter), trace.Text("build"); got != want || got != builtHash(t, p, "greeter") {
			t.Errorf("/health reports build %s, the trace %s, the sources are %s", got, want, builtHash(t, p, "greeter"))
		}
	})
	t.Run("a JavaScript file", func(t *testing.T) {
		p.Replace("web/page.js", "up for", "running for")
		lab.Eventually(t, "the page", func() string {
			if got := page(web); !strings.Contains(got, "running for") {
				return got
			}
			return ""
		})
	})
	t.Run("what does not compile never replaces what runs", func(t *testing.T) {
		mark := dev.Mark()
		good := p.Read("greeter/main.go")
		p.Replace("greeter/main.go", "slog.New(", "slog.Now(")
		problem := dev.Wait(mark, "the compiler's words", ofType("problem"))
		if text := problem.Text("text"); !strings.Contains(text, "greeter/main.go:") || !strings.Contains(text, "undefined: slog.Now") {
			t.Errorf("problem: %s", text)
		}
		lab.Get(t, greeter+"/greet")
		mark = dev.Mark()
		p.Write("greeter/main.go", good)
		dev.Wait(mark, "the problem to be cleared", func(e lab.Event) bool { return e.Text("type") == "problem" && e["cleared"] == true })
		dev.Wait(mark, "the good version", reloaded("greeter")) // so that the next part does not take it for its own
	})
	t.Run("what crashes is rolled back", func(t *testing.T) {
		good, mark, before := p.Read("greeter/main.go"), dev.Mark(), build(t, greeter)
		p.Replace("greeter/main.go", `log.Info("listening"`, "panic(\"out of words\")\n\tlog.Info(\"listening\"")
		trace := dev.Wait(mark, "the rollback", reloaded("greeter"))
		if trace["rolledBack"] != true || !strings.Contains(trace.Text("error"), "out of words") {
			t.Errorf("trace: %v", trace)
		}
		if got := build(t, greeter); got != before {
			t.Errorf("after the rollback build %s answers, before it was %s", got, before)
		}
		mark = dev.Mark()
		p.Write("greeter/main.go", good)
		dev.Wait(mark, "the good version", reloaded("greeter"))
	})
	t.Run("fifty saves in two seconds", func(t *testing.T) {
		mark := dev.Mark()
		for i := range 50 {
			p.Write("greeter/words/count.go", fmt.Sprintf("package words\n\n// Count is how often this file was saved.\nconst Count = %d\n", i))
			time.Sleep(40 * time.Millisecond) // the pace of the saves is what is tested
		}
		want := builtHash(t, p, "greeter")
		dev.Wait(mark, "the last save", func(e lab.Event) bool { return reloaded("greeter")(e) && e.Text("build") == want })
		if got := build(t, greeter); got != want {
			t.Errorf("build %s runs, the last save is %s", got, want)
		}
		if n := dev.Count(mark, func(e lab.Event) bool {
			return e.Text("type") == "service.state" && e.Text("service") == "greeter" && e.Text("state") == "building"
		}); n > 3 {
			t.Errorf("%d builds", n)
		}
	})
	t.Run("random bursts end with what is on disk", func(t *testing.T) { testBursts(t, p, greeter) })
	t.Run("settings", func(t *testing.T) {
		p.Replace("config/dev.yaml", "GREETING: Hello", "GREETING: Good day")
		lab.Eventually(t, "the greeting", func() string {
			if got := page(greeter + "/greet"); !strings.HasPrefix(got, "Good day") {
				return got
			}
			return ""
		})
	})
	t.Run("a broken configuration keeps the last good one", func(t *testing.T) {
		good, mark := p.Read("config/dev.yaml"), dev.Mark()
		p.Write("config/dev.yaml", strings.Replace(good, "services:", "servces:", 1))
		problem := dev.Wait(mark, "the problem", ofType("problem"))
		if !strings.Contains(problem.Text("text"), `did you mean "services"?`) {
			t.Errorf("problem: %v", problem)
		}
		lab.Get(t, greeter+"/greet")
		mark = dev.Mark()
		p.Write("config/dev.yaml", good)
		dev.Wait(mark, "the problem to be cleared", func(e lab.Event) bool { return e.Text("type") == "problem" && e["cleared"] == true })
	})
	t.Run("a second zr dev refuses", func(t *testing.T) {
		p.Fails(1, []string{"`zr dev` runs already", "process"}, "dev")
	})
	t.Run("a container that restarted gets the difference", func(t *testing.T) {
		want := builtHash(t, p, "greeter")
		lab.Output(t, "", lab.EngineName(), "exec", "zrtest-dev-dev-control-plane", "pkill", "-KILL", "-f", "^/zr/zr-agent")
		lab.Eventually(t, "the build after the restart", func() string {
			if got := health(greeter); got != want {
				return fmt.Sprintf("%s answers, want %s", got, want)
			}
			return ""
		})
	})
	t.Run("a cluster that is deleted is made again", func(t *testing.T) {
		mark := dev.Mark()
		lab.Output(t, "", lab.EngineName(), "rm", "-f", "-v", "zrtest-dev-dev-control-plane")
		dev.Wait(mark, "the loss to be told", func(e lab.Event) bool { return e.Text("type") == "problem" && e.Text("source") == "cluster" })
		ready(mark)
		mark = dev.Mark()
		p.Replace("greeter/words/words.go", "How do you do?", "Nice to see you.")
		dev.Wait(mark, "a reload on the new cluster", reloaded("greeter"))
		if got := lab.Get(t, greeter+"/greet"); !strings.Contains(got, "Nice to see you.") {
			t.Errorf("the greeter says %q", got)
		}
	})
	t.Run("Ctrl-C leaves the stack, and up returns to release images", func(t *testing.T) {
		want := builtHash(t, p, "greeter")
		if code := dev.Interrupt(); code != 130 {
			t.Errorf("exit code %d", code)
		}
		if got := build(t, greeter); got != want {
			t.Errorf("after Ctrl-C build %s answers, want %s", got, want)
		}
		p.Must("up")
		lab.Eventually(t, "the dev pods to end", func() string {
			return strings.TrimSpace(p.Kubectl("get", "pods", "-n", "hello", "-l", "zr.dev/dev", "-o", "name"))
		})
		if got := build(t, greeter); got != want {
			t.Errorf("the release is build %s, want %s", got, want)
		}
	})
	t.Run("explain", func(t *testing.T) {
		for path, want := range map[string]string{
			"greeter/words/words.go":             "restart greeter",
			"web/page.js":                        "restart web",
			"web/package.json":                   "build web",
			"kustomize/overlays/dev/web.yaml":    "apply manifests",
			"config/dev.yaml":                    "apply manifests",
			"README.md":                          "ignore",
			"greeter/words/words_test.go":        "ignore",
			"web/node_modules/ms/index.js":       "ignore",
			"kustomize/overlays/dev/nothing.txt": "apply manifests",
		} {
			if got := p.Must("dev", "--explain", p.Path(path)).Stdout; !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	})
}

// testBursts makes random edits, deletions and renames at full speed, and
// compares the build that answers with what is on disk, again and again.
func testBursts(t *testing.T, p *lab.Project, url string) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	bursts := 200
	if testing.Short() {
		bursts = 20
	}
	file := func(n int) string { return fmt.Sprintf("greeter/words/gen%d.go", n) }
	for burst := range bursts {
		for range 1 + r.IntN(8) {
			n := r.IntN(6)
			path := p.Path(file(n))
			switch r.IntN(4) {
			case 0:
				_ = os.Remove(path)
			case 1: // the constant keeps its name, so that two files may clash, and be fixed by a later edit
				_ = os.Rename(path, p.Path(fmt.Sprintf("greeter/words/gen%d.txt", n)))
			default:
				p.Write(file(n), fmt.Sprintf("package words\n\nconst gen%d = %d\n", n, r.IntN(1000)))
			}
		}
		if burst%5 != 4 {
			time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond) // the next burst comes in the middle
			continue
		}
		want := builtHash(t, p, "greeter")
		lab.Eventually(t, fmt.Sprintf("burst %d", burst), func() string {
			if got := health(url); got != want {
				return fmt.Sprintf("%s answers, on disk is %s", got, want)
			}
			return ""
		})
	}
	leftovers, _ := filepath.Glob(p.Path("greeter/words/gen*"))
	for _, f := range leftovers {
		_ = os.Remove(f)
	}
}

func ofType(kind string) func(lab.Event) bool {
	return func(e lab.Event) bool { return e.Text("type") == kind }
}

func reloaded(service string) func(lab.Event) bool {
	return func(e lab.Event) bool { return e.Text("type") == "reload" && e.Text("service") == service }
}

// build is the hash that a service's /health reports.
func build(t *testing.T, url string) string {
	t.Helper()
	var answer struct{ Build string }
	if err := json.Unmarshal([]byte(lab.Get(t, url+"/health")), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Build
}

// health is build for a service that may be away at the moment.
func health(url string) string {
	var answer struct{ Build string }
	_ = json.Unmarshal([]byte(page(url+"/health")), &answer)
	return answer.Build
}

func page(url string) string {
	client := lab.Client(5 * time.Second)
	answer, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// builtHash is the hash of what a service is made from, as it is on disk.
func builtHash(t *testing.T, p *lab.Project, service string) string {
	t.Helper()
	var all []struct{ Service, Build string }
	if err := json.Unmarshal([]byte(p.Must("images", "build", "-o", "json").Stdout), &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.Service == service {
			return b.Build
		}
	}
	t.Fatalf("%s is not built", service)
	return ""
}
