package api

import (
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"zr/internal/api/reason"
	"zr/internal/api/store/postgres"
)

// The number of events in one answer.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// maxServiceName is the longest name that Kubernetes gives a workload.
const maxServiceName = 253

// getHistory answers with the last changes of the services' health, newest
// first: ?limit=1..500, and ?service=NAME for those of one.
func (a *routes) getHistory(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, err := strconv.Atoi(or(query.Get("limit"), strconv.Itoa(defaultLimit)))
	if err != nil || limit < 1 || limit > maxLimit {
		refuse(w, r, http.StatusBadRequest, "bad_request", "limit is a number from 1 to "+strconv.Itoa(maxLimit))
		return
	}
	service := query.Get("service")
	// PostgreSQL holds neither NUL nor what is not UTF-8.
	if len(service) > maxServiceName || !utf8.ValidString(service) || strings.ContainsRune(service, 0) {
		refuse(w, r, http.StatusBadRequest, "bad_request", "service is not a name of a service")
		return
	}
	events, err := a.history.History(r.Context(), service, limit)
	if err != nil {
		a.log.Warn("the history was not read", "error", err, "requestId", requestID(r))
		refuse(w, r, http.StatusServiceUnavailable, "history_unavailable", "the database does not answer: "+reason.Of(err))
		return
	}
	if events == nil {
		events = []postgres.Event{} // an empty list is [] in JSON
	}
	answer(w, http.StatusOK, map[string]any{"events": events})
}
