package api

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"zr/internal/testkit"
)

func TestLevelsGoByTheirNames(t *testing.T) {
	buf := &testkit.Buffer{}
	log := newLogger(buf, slog.LevelDebug)
	log.Debug("d")
	log.Info("i", slog.Group("g", "level", "kept"))
	log.Warn("w")
	log.Error("e")
	var levels []string
	for text := range strings.Lines(buf.String()) {
		var line struct{ Level string }
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		levels = append(levels, line.Level)
	}
	if got := strings.Join(levels, " "); got != "debug info warning error" {
		t.Errorf("got %s", got)
	}
}
