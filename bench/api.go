package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"zr/internal/lab"
)

// position is what the testing package writes in front of a figure.
var position = regexp.MustCompile(`^\s+\w+_test\.go:\d+: `)

// benchBackend runs the benchmarks of the api: those of its process, on a real API server
// whose programs the recipe of the kind node has made, and that of its store.
func benchBackend(b *bench) {
	cache, err := os.UserCacheDir()
	b.must(err)
	programs, err := filepath.Glob(filepath.Join(cache, "zr", "recipes", "programs", "*", "kube"))
	b.must(err)
	if len(programs) == 0 {
		b.Fatal("the programs of the node image are not there: `zr up` makes them")
	}
	for _, pkg := range []string{"./internal/api/processtest", "./internal/api/store/logdb"} {
		c := exec.Command("go", "test", "-v", "-run", "^$", "-bench", ".", "-benchtime", "1x", "-timeout", "40m", pkg)
		c.Dir = lab.Repository(b)
		c.Env = append(os.Environ(), "ZR_TEST_REQUIRE=1", "ZR_TEST_KUBE_BIN="+filepath.Dir(programs[0]))
		c.Stderr = os.Stderr
		out, err := c.StdoutPipe()
		b.must(err)
		b.must(c.Start())
		for lines := bufio.NewScanner(out); lines.Scan(); {
			switch text := lines.Text(); {
			case position.MatchString(text):
				fmt.Println("  " + position.ReplaceAllString(text, ""))
			case strings.Contains(text, "FAIL"):
				b.Errorf("%s", text)
			}
		}
		b.must(c.Wait())
	}
}
