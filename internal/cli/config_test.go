package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/config"
)

func TestValidateReadsTheOverlayToo(t *testing.T) {
	broken := testkit.Project("project: tiny\nservices: {web: {}}\n")
	broken["kustomize/overlays/dev/kustomization.yaml"] = "resources: [al.yaml]\n"
	for _, tt := range []struct {
		files map[string]string
		code  int
		want  string
	}{
		{map[string]string{"config/dev.yaml": tiny}, 0, "config/dev.yaml is valid\n"},
		{testkit.Project("project: tiny\nservices: {web: {}}\n"), 0, "config/dev.yaml and kustomize/overlays/dev are valid\n"},
		{testkit.Project("project: tiny\nservices:\n  wbe: {}\n"), 2, `config/dev.yaml:3:3: kustomize/overlays/dev has no workload "wbe"`},
		{broken, 2, "al.yaml"},
		{map[string]string{"config/dev.yaml": goTiny, "words/words.go": "package words\n", "main.go": "package main\n"}, 2,
			`config/dev.yaml:4:13: services.web.build.go: words is not a main package: it is package words (did you mean "."?)`},
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

const goTiny = "project: tiny\nservices:\n  web:\n    build: {go: ./words}\n"

// TestWhatIsShownIsAConfig again, of which nothing is refused.
func TestWhatIsShownIsAConfig(t *testing.T) {
	for _, text := range []string{
		"project: tiny\nservices: {web: {build: {node: .}, dependsOn: [db], timeout: 90s}, db: }\nsettings: {A: 1}\n",
		"project: tiny\ncluster: {provider: context, context: x, registry: y.example/z}\nservices: {web: {build: {node: .}}}\n",
	} {
		for _, format := range []string{"auto", "json"} {
			_, shown, stderr := zr(t, map[string]string{"config/staging.yaml": text}, "config", "show", "-e", "staging", "-o", format)
			if code, _, stderr := zr(t, map[string]string{"config/staging.yaml": shown}, "config", "validate"); code != 0 {
				t.Errorf("%s\n%s", shown, stderr)
			}
			if _, again, _ := zr(t, map[string]string{"config/staging.yaml": shown}, "config", "show", "-e", "staging", "-o", format); again != shown {
				t.Errorf("%s\n%s\nthen:\n%s", stderr, shown, again)
			}
		}
	}
}
