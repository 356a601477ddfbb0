package cli

import (
	"strings"
	"testing"

	"zr/pkg/fault"
)

func TestDownAsksOnASharedCluster(t *testing.T) {
	code, _, stderr := zr(t, map[string]string{"config/dev.yaml": "project: tiny\ncluster: {provider: context, context: team}\nservices: {web: {}}\n"}, "down")
	if code != fault.Usage || !strings.Contains(stderr, "this asks first") || !strings.Contains(stderr, "--yes") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
