package api

import (
	"net"
	"strings"
	"testing"

	"zr/internal/testkit"
)

func env(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

func TestEveryProblemAtOnceAndExitCode2(t *testing.T) {
	log := &testkit.Buffer{}
	code := Run(t.Context(), env(
		"DATABASE_URL", "postgres://zr:hunter2@host:port/zr",
		"PORT", "http", "LOG_LEVEL", "verbose", "SHUTDOWN_TIMEOUT", "10",
		"ALLOWED_ORIGINS", "localhost:3000,http://x/path", "ALLOWED_HOSTS", "http://x", "ENVIRONMENTS", "all", "READERS", "all", "REDIS_CONNECTIONS", "1",
	), log, nil)
	if code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	for _, want := range []string{
		"DATABASE_URL: not a URL", "REDIS_URL: is not set", `PORT: \"http\"`, `LOG_LEVEL: \"verbose\" is not a level (debug, info, warning, error)`,
		`SHUTDOWN_TIMEOUT: \"10\"`, `ALLOWED_ORIGINS: \"localhost:3000\"`, `ALLOWED_ORIGINS: \"http://x/path\"`, `ALLOWED_HOSTS: \"http://x\"`,
		`ENVIRONMENTS: \"all\" is neither own nor granted`, `READERS: \"all\" is neither viewers nor anybody`, `REDIS_CONNECTIONS: \"1\" is not a number from 2 to 1000`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in:\n%s", want, log)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 11 {
		t.Errorf("%d lines, want one for each of 11 problems:\n%s", lines, log)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log shows a password:\n%s", log)
	}
}

func TestAPortInUseIsExitCode1(t *testing.T) {
	taken, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	log := &testkit.Buffer{}
	code := Run(t.Context(), env("DATABASE_URL", "postgres://db/zr", "REDIS_URL", "redis://cache", "PORT", port), log, nil)
	if code != 1 || !strings.Contains(log.String(), "address already in use") {
		t.Errorf("exit code %d, want 1:\n%s", code, log)
	}
}
