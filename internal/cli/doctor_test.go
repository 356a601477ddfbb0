package cli

import (
	"strings"
	"testing"

	"zr/internal/testkit"
)

// TestDoctorAsksTheEngineThatIsUsed: another one that runs is no answer.
func TestDoctorAsksTheEngineThatIsUsed(t *testing.T) {
	t.Setenv("ZR_ENGINE", "nerdctl")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	code, stdout, _ := zr(t, testkit.Project("project: tiny\nservices: {web: {}}\n"), "doctor")
	if code != 1 || !strings.Contains(stdout, "fail  container engine: ") || !strings.Contains(stdout, "no container engine: nerdctl: not installed") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}
