package law

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofClusters are what the tests of parts take that only a real API server or cluster
// can be. Without one such tests are skipped.
var ofClusters = []string{"zr/pkg/deploy/kubetest", "zr/pkg/health/testcluster"}

// TestTestsOfClustersAreRun with a cluster: the Makefile names their packages.
func TestTestsOfClustersAreRun(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^CLUSTER_TESTS := (.*)$`).FindSubmatch(makefile)
	if line == nil {
		t.Fatal("the Makefile has no CLUSTER_TESTS")
	}
	run, found := strings.Fields(string(line[1])), 0
	for _, p := range load(t) {
		if !slices.ContainsFunc(slices.Concat(p.TestImports, p.XTestImports), func(i string) bool { return slices.Contains(ofClusters, i) }) {
			continue
		}
		found++
		if name := "." + strings.TrimPrefix(p.ImportPath, "zr"); !slices.Contains(run, name) {
			t.Errorf("tests of %s need a cluster, and CLUSTER_TESTS in the Makefile does not name it", name)
		}
	}
	if found == 0 {
		t.Error("no package has such tests: the rule looks for the wrong ones")
	}
}
