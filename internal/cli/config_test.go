package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"zr/pkg/config"
)

func TestValidateReadsTheOverlayToo(t *testing.T) {
	broken := withOverlay("project: tiny\nservices: {web: {}}\n")
	broken["kustomize/overlays/dev/kustomization.yaml"] = "resources: [al.yaml]\n"
	for _, tt := range []struct {
		files map[string]string
		code  int
		want  string
	}{
		{map[string]string{"config/dev.yaml": tiny}, 0, "config/dev.yaml is valid\n"},
		{withOverlay("project: tiny\nservices: {web: {}}\n"), 0, "config/dev.yaml and kustomize/overlays/dev are valid\n"},
		{withOverlay("project: tiny\nservices:\n  wbe: {}\n"), 2, `config/dev.yaml:3:3: kustomize/overlays/dev has no workload "wbe"`},
		{broken, 2, "al.yaml"},
	} {
		code, stdout, stderr := zr(t, tt.files, "config", "validate")
		if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("exit code %d\n%s%s\nwant: %s", code, stdout, stderr, tt.want)
		}
		code, stdout, _ = zr(t, tt.files, "config", "validate", "-o", "json")
		var report struct {
			Valid    bool
			Problems config.Problems
		}
		if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != tt.code || report.Valid != (code == 0) || len(report.Problems) != code/2 {
			t.Errorf("%v, exit code %d\n%s", err, code, stdout)
		}
	}
}
