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
func newCollector(client *kube.Client, store logstore.Store, replicas logstore.Replicas, redactor *redact.Redactor, log *slog.Logger) *logstore.Collector {
	if client == nil {
		return logstore.NewCollector(outside, nil, store, replicas, redactor, log)
	}
	return logstore.NewCollector(client.Namespace(), follow.New(client.API()), store, replicas, redactor, log)
}
