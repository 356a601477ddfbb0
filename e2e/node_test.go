package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestNode brings up what a compiler makes and what an install patches, as
// release images and under `zr dev`, and asks from outside after each save.
func TestNode(t *testing.T) {
	const ts, patched = "http://localhost:20410", "http://localhost:20411"
	p := lab.NewProject(t, "e2e/testdata/node", "zrtest-nodebuild", map[string]int{"ts": 20410, "patched": 20411})
	fixtures := filepath.Join(lab.Repository(t), "pkg/build/node/testdata")
	for service, fixture := range map[string]string{"ts": "typescript", "patched": "patched"} {
		if err := os.CopyFS(p.Path(service), os.DirFS(filepath.Join(fixtures, fixture))); err != nil {
			t.Fatal(err)
		}
	}
	p.Replace("ts/src/index.ts", "text: text()", `text: text(), extra: require("node:fs").existsSync(__dirname + "/extra.js")`)
	p.Replace("ts/src/index.ts", "declare const process", "declare const __dirname: string;\ndeclare const process")

	p.Must("up")
	check := func(t *testing.T, url, want string) {
		t.Helper()
		if got := said(t, url).Text; got != want {
			t.Errorf("%s says %q, want %q", url, got, want)
		}
	}
	check(t, ts, "one")
	check(t, patched, "1PATCHED")

	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	check(t, ts, "one")
	check(t, patched, "1PATCHED")

	text := func(code string) string { return "export function text(): string {\n  return " + code + ";\n}\n" }
	// live saves a file and returns what the service says as soon as it is called live.
	live := func(t *testing.T, change func()) answered {
		t.Helper()
		mark := dev.Mark()
		change()
		trace := dev.Wait(mark, "the service to be live", reloaded("ts"))
		answer := said(t, ts)
		if trace.Text("error") != "" || trace.Text("build") != answer.Build {
			t.Errorf("build %s answers; trace: %v", answer.Build, trace)
		}
		return answer
	}
	saves := 20
	if testing.Short() {
		saves = 3
	}
	t.Run("saves of a TypeScript file", func(t *testing.T) {
		for i := range saves {
			want := fmt.Sprintf("save %d", i)
			if got := live(t, func() { p.Write("ts/src/text.ts", text(fmt.Sprintf("%q", want))) }); got.Text != want {
				t.Fatalf("after save %d the service says %q", i, got.Text)
			}
		}
	})
	t.Run("a type error reaches no container", func(t *testing.T) {
		mark := dev.Mark()
		p.Write("ts/src/text.ts", text("5"))
		problem := dev.Wait(mark, "the compiler's words", ofType("problem"))
		if !strings.Contains(problem.Text("text"), "ts/src/text.ts(2,3): error TS2322") {
			t.Errorf("problem: %v", problem)
		}
		if trace := dev.Wait(mark, "the end of that run", reloaded("ts")); trace.Text("error") == "" {
			t.Errorf("trace: %v", trace)
		}
		check(t, ts, fmt.Sprintf("save %d", saves-1))
		mark = dev.Mark()
		if got := live(t, func() { p.Write("ts/src/text.ts", text(`"fixed"`)) }); got.Text != "fixed" {
			t.Errorf("the service says %q", got.Text)
		}
		dev.Wait(mark, "the problem to be cleared", func(e lab.Event) bool { return e.Text("type") == "problem" && e["cleared"] == true })
	})
	t.Run("what a deleted source made is gone", func(t *testing.T) {
		if got := live(t, func() { p.Write("ts/src/extra.ts", "export const extra = 1;\n") }); !got.Extra {
			t.Error("a new source is not compiled")
		}
		if got := live(t, func() { _ = os.Remove(p.Path("ts/src/extra.ts")) }); got.Extra {
			t.Error("its output is still there")
		}
	})
	t.Run("the build that answers is that of the sources", func(t *testing.T) {
		if got, want := said(t, ts).Build, builtHash(t, p, "ts"); got != want {
			t.Errorf("build %s answers, the sources are %s", got, want)
		}
	})
	t.Run("another patch is applied", func(t *testing.T) {
		p.Replace("patched/patches/ms+2.1.3.patch", "PATCHED", "CHANGED")
		lab.Eventually(t, "the package with the other patch", func() string {
			if got := page(patched); !strings.Contains(got, "1CHANGED") {
				return got
			}
			return ""
		})
	})
	t.Run("explain", func(t *testing.T) {
		for path, want := range map[string]string{
			"ts/src/text.ts":                 "restart ts: what runs is made from it",
			"ts/package.json":                "build ts",
			"ts/dist/text.js":                "ignore",
			"patched/patches/ms+2.1.3.patch": "build patched",
		} {
			if got := p.Must("dev", "--explain", p.Path(path)).Stdout; !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	})
}

// answered is what the services of TestNode say.
type answered struct {
	Build, Text string
	Extra       bool // there is a file of a source that only one test makes
}

func said(t *testing.T, url string) (a answered) {
	t.Helper()
	if err := json.Unmarshal([]byte(lab.Get(t, url)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}
