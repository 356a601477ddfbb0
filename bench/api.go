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
// whose programs the recipe of the kind node has made, that of its store, and that of a
// pod on a kind cluster.
func benchBackend(b *bench) {
	cache, err := os.UserCacheDir()
	b.must(err)
	programs, err := filepath.Glob(filepath.Join(cache, "zr", "recipes", "programs", "*", "kube"))
	b.must(err)
	if len(programs) == 0 {
		b.Fatal("the programs of the node image are not there: `zr up` makes them")
	}
	env := []string{"ZR_TEST_REQUIRE=1", "ZR_TEST_KUBE_BIN=" + filepath.Dir(programs[0])}
	goTest := func(pkg, bench string) []string {
		return []string{"go", "test", "-v", "-run", "^$", "-bench", bench, "-benchtime", "1x", "-timeout", "40m", pkg}
	}
	figures(b, env, goTest("./internal/api/processtest", ".")...)
	figures(b, env, goTest("./internal/api/store/logdb", ".")...)
	figures(b, nil, append([]string{"hack/with-cluster"}, goTest("./internal/api/processtest", "^BenchmarkPodToFrame$")...)...)
}

// figures runs a command in the repository and prints what its benchmarks measured.
func figures(b *bench, env []string, command ...string) {
	c := exec.Command(command[0], command[1:]...)
	c.Dir = lab.Repository(b)
	c.Env = append(os.Environ(), env...)
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
