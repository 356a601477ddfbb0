package api

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
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

func TestAPanicIsAnswered500(t *testing.T) {
	buf := &testkit.Buffer{}
	answer := httptest.NewRecorder()
	identify(recoverPanics(newLogger(buf, slog.LevelInfo), panics{})).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	said := answer.Body.String()
	if answer.Code != 500 || !strings.Contains(said, "urn:zr:problem:internal") || !strings.Contains(buf.String(), "a bug") {
		t.Errorf("got %d %s\n%s", answer.Code, said, buf)
	}
	if strings.Contains(said, "a bug") {
		t.Errorf("the answer shows the panic: %s", said)
	}
}
