package server

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"zr/internal/testkit"
)

func TestAPanicIsAnswered500(t *testing.T) {
	buf := &testkit.Buffer{}
	answer := httptest.NewRecorder()
	identify(recoverPanics(slog.New(slog.NewTextHandler(buf, nil)), panics{})).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	said := answer.Body.String()
	if answer.Code != 500 || !strings.Contains(said, "urn:zr:problem:internal") || !strings.Contains(buf.String(), "a bug") {
		t.Errorf("got %d %s\n%s", answer.Code, said, buf)
	}
	if strings.Contains(said, "a bug") {
		t.Errorf("the answer shows the panic: %s", said)
	}
}
