package settings

import (
	"strings"
	"testing"
	"time"
)

func TestSettingsDefaults(t *testing.T) {
	s, err := Load(func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://db/zr", "REDIS_URL": "redis://cache"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Port != 3001 || s.LogLevel.String() != "INFO" || s.ShutdownTimeout != 10*time.Second || s.Service != "api" ||
		strings.Join(s.AllowedOrigins, " ") != "http://localhost:3000" || len(s.AllowedHosts) != 0 {
		t.Errorf("got %+v", s)
	}
}
