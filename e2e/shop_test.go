package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/lab"
)

// shopSaves are the kinds of files that a project of several languages
// consists of. Each file has a mark, of which a save makes the next one.
var shopSaves = []struct {
	kind, file, mark string
	path             string   // where the mark is shown
	times            int      // how often it is
	services         []string // that are reloaded
	reread           bool     // by the process, which nothing shows: zr says that they were sent
}{
	{"Go source", "shipping/main.go", "carrier", "/", 1, []string{"shipping"}, false},
	{"shared Go package", "rpc/rpc.go", "rpc", "/", 4, []string{"frontend", "catalog", "cart", "shipping"}, false},
	{"template", "frontend/templates/home.html", "template", "/", 1, []string{"frontend"}, false},
	{"static file", "frontend/static/style.css", "style", "/static/style.css", 1, []string{"frontend"}, false},
	{"file that is read at run time", "catalog/products.json", "lamp", "/", 1, []string{"catalog"}, true},
	{"ES module", "currency/rates.js", "rate", "/", 1, []string{"currency"}, false},
	{"CommonJS module", "payment/terms.js", "terms", "/", 1, []string{"payment"}, false},
	{"manifest", "kustomize/overlays/dev/kustomization.yaml", "banner", "/", 1, []string{"manifests"}, false},
}

// TestShop takes a project of several languages, with gRPC health checks, a
// kustomize base that was there before zr, and files that are read at run time,
// through saves of all kinds, $ZR_SAVES or 20 of each, each asked for through the
// Service of its page.
func TestShop(t *testing.T) {
	p := lab.NewProject(t, "examples/shop", "zrtest-shop", map[string]int{"frontend-external": 18120})
	const url = "http://localhost:18120"
	p.Must("up")
	if got := lab.Get(t, url+"/"); !strings.Contains(got, "4.90 EUR by carrier-1") {
		t.Errorf("after up the page is\n%s", got)
	}

	answer, err := http.Post(url+"/cart", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()

	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	for _, s := range shopSaves {
		t.Run(s.kind, func(t *testing.T) {
			for n := range int(number(t, "ZR_SAVES", 20)) {
				was, is := fmt.Sprintf("%s-%d", s.mark, n+1), fmt.Sprintf("%s-%d", s.mark, n+2)
				mark := dev.Mark()
				p.Replace(s.file, was, is)
				for _, service := range s.services {
					trace := dev.Wait(mark, is, reloaded(service))
					if trace.Text("error") != "" || (trace["onlySent"] == true) != s.reread {
						t.Fatalf("%s is not live: %v", is, trace)
					}
				}
				if s.reread { // nothing says which answer is the last old one
					lab.Eventually(t, is, func() string { return missing(page(url+s.path), is, s.times) })
				}
				if fault := missing(lab.Get(t, url+s.path), is, s.times); fault != "" {
					t.Fatalf("%s is live, and what answers is older: %s", is, fault)
				}
			}
		})
	}
	if code := dev.Interrupt(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	t.Run("another port", func(t *testing.T) {
		p.Replace("config/dev.yaml", "frontend-external: 18120", "frontend-external: 18121")
		page := lab.Get(t, pageOf(t, p.Must("up", "-o", "json"), ":18121"))
		if !strings.Contains(page, "<p>1 items</p>") {
			t.Errorf("the cart is not what it was:\n%s", page)
		}
	})
	t.Run("another checkout", func(t *testing.T) {
		second := &lab.Project{T: t, Dir: filepath.Join(t.TempDir(), "second"), Name: p.Name}
		lab.Output(t, "", "cp", "-R", p.Dir, second.Dir)
		t.Cleanup(func() { second.Must("down", "--purge", "--yes") })
		url := pageOf(t, second.Must("up", "--as", "two", "-o", "json"), "")
		if page := lab.Get(t, url); !strings.Contains(page, "<p>0 items</p>") {
			t.Errorf("the second checkout has the cart of the first:\n%s", page)
		}
		if page := lab.Get(t, "http://localhost:18121/"); !strings.Contains(page, "<p>1 items</p>") {
			t.Errorf("the first checkout has another cart:\n%s", page)
		}
	})
}

// pageOf is the URL of the shop that a run ends with, which has a port.
func pageOf(t *testing.T, r lab.Result, port string) string {
	t.Helper()
	endpoints, _ := r.Events[len(r.Events)-1]["endpoints"].(map[string]any)
	url, _ := endpoints["frontend-external"].(string)
	if url == "" || !strings.HasSuffix(url, port) {
		t.Fatalf("the run ends with %v", r.Events[len(r.Events)-1])
	}
	return url
}

// missing returns the page where it does not show a word so many times.
func missing(page, word string, times int) string {
	if strings.Count(page, word) == times {
		return ""
	}
	return page
}
