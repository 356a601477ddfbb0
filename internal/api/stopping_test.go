package api_test

import (
	"testing"

	"zr/internal/api/apitest"
)

func TestStoppingIsExitCode0(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	if code := a.Stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, a.Log)
	}
}
