package api

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"zr/internal/api/kube"
	"zr/internal/api/logstore"
	"zr/internal/api/logstore/redact"
	"zr/pkg/logs/follow"
)

// outside is the environment of an api that runs in no cluster: it has no logs.
const outside = "none"

// newCollector returns the collector of the logs of the api's own namespace.
func newCollector(client *kube.Client, store logstore.Store, redactor *redact.Redactor, log *slog.Logger) *logstore.Collector {
	if client == nil {
		return logstore.NewCollector(outside, nil, store, redactor, log)
	}
	return logstore.NewCollector(client.Namespace(), follow.New(client.API()), store, redactor, log)
}

// knownSecrets returns those that the api knows: the passwords of the database and the
// cache, which are those of their servers, the login key, and the values of the Secret
// that is mounted. One that changes is known when zr has replaced the pods that use it.
func knownSecrets(settings Settings) (*redact.Redactor, error) {
	values := []string{settings.DatabaseURL, settings.RedisURL, settings.LoginKey}
	if settings.SecretsDir == "" {
		return redact.New(values), nil
	}
	files, err := os.ReadDir(settings.SecretsDir)
	if err != nil {
		return nil, fmt.Errorf("SECRETS_DIR: %w", err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "..") { // the kubelet's own, where the values are kept by version
			continue
		}
		value, err := os.ReadFile(filepath.Join(settings.SecretsDir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("SECRETS_DIR: %w", err)
		}
		values = append(values, string(value))
	}
	return redact.New(values), nil
}
