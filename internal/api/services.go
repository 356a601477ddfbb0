package api

import "net/http"

// getServices answers with a fleet.Snapshot. It is 200 also when Kubernetes
// or a database is away: saying so is what the answer is for.
func (a *routes) getServices(w http.ResponseWriter, r *http.Request) {
	snapshot, err := a.services.Snapshot(r.Context())
	if err != nil {
		refuse(w, r, http.StatusGatewayTimeout, "timeout", "the services could not be read in time")
		return
	}
	answer(w, http.StatusOK, snapshot)
}
