package api

import (
	"encoding/json"
	"net/http"
)

// apiError is what a request that failed is answered with.
type apiError struct {
	// Code is stable, for programs: "bad_request", "not_found", ...
	Code string `json:"code"`
	// Message is for people. It never carries what a dependency said.
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
}

// answer writes v as JSON. The status must be one that has a body.
func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only the types of this package come here: a mistake in one of them
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	answer(w, status, map[string]apiError{"error": {Code: code, Message: message, RequestID: requestID(r)}})
}
