package e2e

import (
	"cmp"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"zr/internal/lab"
	"zr/internal/lab/editor"
)

// kind is a service that is made from parts, and answers with them.
type kind struct {
	service string
	port    int
	parts   string // the folder of its parts
	ext     string
	text    func(value string) string // of a part
}

func esModule(value string) string { return "export default \"" + value + "\";\n" }

// TestSaves changes the sources of running services at random, as editors and
// people do, asks each service from outside after each change until it answers
// with it, and holds zr to its word: where it says that a save is live, nothing
// older answers.
//
// $ZR_SAVES is the number of changes for each kind of service, 50 by default,
// and $ZR_SEED makes those of an earlier run again.
func TestSaves(t *testing.T) {
	testSaves(t, "e2e/testdata/saves", "zrtest-saves", []kind{
		{"program", 18110, "program/parts", ".go", func(value string) string {
			return "package parts\n\nfunc init() { add(\"" + value + "\") }\n"
		}},
		{"esm", 18111, "esm/parts", ".js", esModule},
		{"cjs", 18112, "cjs/parts", ".js", func(value string) string { return "module.exports = \"" + value + "\";\n" }},
		{"ts", 18113, "ts/src/parts", ".ts", func(value string) string {
			return "const value: string = \"" + value + "\";\nexport default value;\n"
		}},
	})
}

// TestSavesOfNext does the same to a service that reloads by itself.
func TestSavesOfNext(t *testing.T) {
	if os.Getenv("ZR_TEST_LONG") == "" {
		t.Skip("it installs Next.js and takes minutes; ZR_TEST_LONG=1 runs it")
	}
	testSaves(t, "e2e/testdata/saves-next", "zrtest-saves-next", []kind{{"next", 18114, "next/parts", ".js", esModule}})
}

func testSaves(t *testing.T, project, name string, kinds []kind) {
	saves := int(number(t, "ZR_SAVES", 50))
	seed := uint64(number(t, "ZR_SEED", time.Now().UnixNano()))
	t.Logf("ZR_SEED=%d ZR_SAVES=%d", seed, saves)
	ports := map[string]int{}
	for _, k := range kinds {
		ports[k.service] = k.port
	}
	p := lab.NewProject(t, project, name, ports)
	folders := map[string]*editor.Folder{}
	for i, k := range kinds {
		dir := p.Path(k.parts)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		folder, err := editor.NewFolder(dir, k.ext, seed+uint64(i), k.text)
		if err != nil {
			t.Fatal(err)
		}
		folders[k.service] = folder
	}
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	for _, k := range kinds {
		t.Run(k.service, func(t *testing.T) {
			if got, want := lab.Get(t, k.url()), folders[k.service].Want(); got != want {
				t.Fatalf("at the start %s answers\n%swant\n%s", k.service, got, want)
			}
			for n := range saves {
				k.save(t, dev, folders[k.service], n)
			}
		})
	}
}

func (k kind) url() string { return "http://localhost:" + strconv.Itoa(k.port) + "/" }

// saveTimeout is how long a save may take, in which a service of the slowest
// kind is compiled and started some times.
const saveTimeout = 2 * time.Minute

// save makes one change and sees it live.
func (k kind) save(t *testing.T, dev *lab.Running, folder *editor.Folder, n int) {
	t.Helper()
	before, mark, start := folder.Want(), dev.Mark(), time.Now()
	what, err := folder.Change()
	if err != nil {
		t.Fatal(err)
	}
	want, answers := folder.Want(), ""
	for {
		trace, next, err := dev.Next(mark, saveTimeout, func(e lab.Event) bool {
			return reloaded(k.service)(e) && e.Text("error") == ""
		})
		if err != nil {
			t.Fatalf("change %d, %s, of %s is not live: %v; it answers\n%swant\n%swhere zr called it live before, the answers were\n%s\n%s",
				n, what, k.service, err, page(k.url()), want, answers, dev.Printed())
		}
		mark = next
		got, err := k.answer()
		switch {
		case err != nil: // the process is started again for the rest of a burst: another trace comes
			got = err.Error()
		case got == want:
			return
		case trace["onlySent"] == true:
			lab.Eventually(t, what+" of "+k.service, func() string {
				if got := page(k.url()); got != want {
					return got
				}
				return ""
			})
			return
		case got == before && !savedBefore(t, trace, start):
			t.Fatalf("change %d, %s: zr says that %s is live, and what answers is older:\n%swant\n%s%v", n, what, k.service, got, want, trace)
		}
		// What answers is another state of a burst, whose last one comes.
		answers += got + "\n"
	}
}

// answer asks the service once.
func (k kind) answer() (string, error) {
	client := lab.Client(5 * time.Second)
	answer, err := client.Get(k.url())
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// savedBefore says whether a trace is of saves that were made before a time.
func savedBefore(t *testing.T, trace lab.Event, start time.Time) bool {
	t.Helper()
	saved, err := time.Parse(time.RFC3339Nano, trace.Text("saved"))
	if err != nil {
		t.Fatalf("trace without a time: %v", trace)
	}
	return saved.Before(start)
}

// number is the value of an environment variable.
func number(t *testing.T, variable string, without int64) int64 {
	t.Helper()
	n, err := strconv.ParseInt(cmp.Or(os.Getenv(variable), strconv.FormatInt(without, 10)), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
