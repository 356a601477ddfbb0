package api

import (
	"log/slog"

	"zr/internal/api/kube"
	"zr/internal/api/logstore"
	"zr/internal/api/logstore/redact"
	"zr/pkg/logs/follow"
)

// outside is the environment of an api that runs in no cluster: it has no logs.
const outside = "none"

// newCollector returns the collector of the logs of the api's own namespace.
// They show no secret that the api knows: the passwords of the database and the
// cache, which are those of their servers.
func newCollector(client *kube.Client, store logstore.Store, settings Settings, log *slog.Logger) *logstore.Collector {
	redactor := redact.New([]string{settings.DatabaseURL, settings.RedisURL, settings.LoginKey})
	if client == nil {
		return logstore.NewCollector(outside, nil, store, redactor, log)
	}
	return logstore.NewCollector(client.Namespace(), follow.New(client.API()), store, redactor, log)
}
