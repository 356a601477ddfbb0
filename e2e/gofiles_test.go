package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestFilesThatAGoProgramReads: three programs that read files at run time, one of
// them once, one found by its Dockerfile. Each of 20 saves is asked for from
// outside, and called live only where it is.
func TestFilesThatAGoProgramReads(t *testing.T) {
	p := lab.NewProject(t, "e2e/testdata/gofiles", "zrtest-gofiles", map[string]int{"pages": 18130, "catalog": 18131, "shelf": 18132, "made": 18133})
	p.Must("up")
	const pages, catalog, shelf = "http://localhost:18130", "http://localhost:18131", "http://localhost:18132"
	for url, want := range map[string]string{pages: "page 0", catalog: "product 0", shelf + "/book.txt": "book 0"} {
		if got := lab.Get(t, url); !strings.Contains(got, want) {
			t.Errorf("of the release images, %s says %q, want %q", url, got, want)
		}
	}
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	// save writes a file and returns the trace.
	save := func(service, file, text string) lab.Event {
		t.Helper()
		mark := dev.Mark()
		p.Write(file, text)
		trace := dev.Wait(mark, "the save of "+file, reloaded(service))
		if trace.Text("error") != "" {
			t.Errorf("trace: %v", trace)
		}
		return trace
	}
	for i := 1; i <= 20; i++ {
		for _, c := range []struct {
			service, file, text, url string
			sent                     bool
		}{
			{"pages", "pages/templates/page.html", fmt.Sprintf("<p>page %d</p>\n", i), pages, true},
			{"catalog", "catalog/products.json", fmt.Sprintf("[\"product %d\"]\n", i), catalog, false},
			{"shelf", "shelf/static/book.txt", fmt.Sprintf("book %d\n", i), shelf + "/book.txt", true},
		} {
			trace := save(c.service, c.file, c.text)
			// The first one may go along with what is compared at the start.
			if sent, _ := trace["onlySent"].(bool); sent != c.sent && i > 1 {
				t.Errorf("save %d of %s: trace %v", i, c.service, trace)
			}
			if got := lab.Get(t, c.url); got != c.text {
				t.Fatalf("after save %d, %s says %q, want %q", i, c.service, got, c.text)
			}
		}
	}
	t.Run("a new file, and one that is gone", func(t *testing.T) {
		save("shelf", "shelf/static/new.txt", "new\n")
		if got := lab.Get(t, shelf+"/new.txt"); got != "new\n" {
			t.Errorf("the new file is %q", got)
		}
		mark := dev.Mark()
		if err := os.Remove(p.Path("shelf/static/new.txt")); err != nil {
			t.Fatal(err)
		}
		dev.Wait(mark, "the file to go", reloaded("shelf"))
		if got := page(shelf + "/new.txt"); !strings.Contains(got, "404") {
			t.Errorf("the file that is gone is %q", got)
		}
	})
	t.Run("code and a file in one save", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("catalog/main.go", "w.Write(products)", "w.Write(append([]byte(\"all: \"), products...))")
		p.Write("catalog/products.json", "[]\n")
		lab.Eventually(t, "both", func() string {
			if got := page(catalog); got != "all: []\n" {
				return got
			}
			return ""
		})
		dev.Wait(mark, "the trace", reloaded("catalog"))
		if got, want := build(t, catalog), builtHash(t, p, "catalog"); got != want {
			t.Errorf("build %s answers, the sources are %s", got, want)
		}
	})
	t.Run("generated code that git ignores", func(t *testing.T) {
		p.Write(".gitignore", "*_templ.go\n")
		for _, label := range []string{"one", "two"} {
			save("pages", "pages/label_templ.go", "package main\n\nimport \"net/http\"\n\nfunc init() {\n"+
				"\thttp.HandleFunc(\"/label\", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(\""+label+"\")) })\n}\n")
			if got := lab.Get(t, pages+"/label"); got != label {
				t.Errorf("the generated code says %q, want %q", got, label)
			}
		}
	})
	t.Run("a file that is not in the image is named", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("pages/main.go", "func main() {", "func main() {\n\tif _, err := os.Open(\"prices.json\"); err != nil {\n\t\tpanic(err)\n\t}")
		problem := dev.Wait(mark, "the crash", ofType("problem"))
		want := "pages/prices.json is not in the image: add `files: [templates, prices.json]` to services.pages.build in config/dev.yaml"
		if text := problem.Text("text"); !strings.HasSuffix(text, want) {
			t.Errorf("problem: %s", text)
		}
		if got := lab.Get(t, pages); got != "<p>page 20</p>\n" {
			t.Errorf("after the crash the pages say %q", got)
		}
		mark = dev.Mark()
		p.Replace("config/dev.yaml", "files: [templates]", "files: [templates, prices.json]")
		dev.Wait(mark, "the problem to be cleared", func(e lab.Event) bool { return e.Text("type") == "problem" && e["cleared"] == true })
	})
	t.Run("what a command makes", func(t *testing.T) {
		const made = "http://localhost:18133"
		for _, note := range []string{"one", "two"} {
			save("made", "made/notes.txt", note+"\n")
			if got := lab.Get(t, made); got != "# "+note+"\n" {
				t.Errorf("after the save of %q it says %q", note, got)
			}
		}
		if got, want := build(t, made), builtHash(t, p, "made"); got != want {
			t.Errorf("build %s answers, the sources are %s", got, want)
		}
		mark := dev.Mark()
		p.Replace("made/build.sh", "go build", "echo broken >&2; exit 1; go build")
		if trace := dev.Wait(mark, "the failed command", reloaded("made")); !strings.Contains(trace.Text("error"), "broken") {
			t.Errorf("trace: %v", trace)
		}
		mark = dev.Mark()
		p.Replace("made/build.sh", "echo broken >&2; exit 1; go build", "go build")
		p.Replace("made/main.go", "func main() {", "func main() {\n\tpanic(\"too bad\")")
		if trace := dev.Wait(mark, "the crash", func(e lab.Event) bool { return reloaded("made")(e) && e.Text("error") != "" }); !strings.Contains(trace.Text("error"), "too bad") {
			t.Errorf("trace: %v", trace)
		}
		if got := lab.Get(t, made); got != "# two\n" {
			t.Errorf("after the crash it says %q", got)
		}
	})
	t.Run("explain", func(t *testing.T) {
		for path, want := range map[string]string{
			"pages/templates/other.html": "sync pages: the program reads it at run time",
			"catalog/products.json":      "restart catalog: the program reads it when it starts",
			"shelf/static/book.txt":      "sync shelf: the program reads it at run time",
			"pages/main.go":              "restart pages: the program is built from it",
			"pages/label_templ.go":       "restart pages: the program is built from it",
			"catalog/README.md":          "ignore",
		} {
			if got := p.Must("dev", "--explain", p.Path(path)).Stdout; !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	})
}
