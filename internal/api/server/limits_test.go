package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"zr/internal/api/contract"
)

// What a caller has open is counted until it ends, for each caller by itself.
func TestOpenStreamsAreBounded(t *testing.T) {
	arrived, end := make(chan struct{}), make(chan struct{})
	h := limitOpen(newOpen(), 2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-end
	}))
	ask := func(caller string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = caller + ":1"
		h.ServeHTTP(w, r)
		return w
	}
	ended := make(chan *httptest.ResponseRecorder)
	for _, caller := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.2"} {
		go func() { ended <- ask(caller) }()
		<-arrived
	}
	if got := ask("10.0.0.1"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
		t.Errorf("a third one: got %d", got.Code)
	}
	close(end)
	for range 3 {
		<-ended
	}
	go func() { <-arrived }()
	if got := ask("10.0.0.1"); got.Code != http.StatusOK {
		t.Errorf("after they have ended: got %d", got.Code)
	}
}

// Every class but that of streams gives a request an end.
func TestClassesHaveATime(t *testing.T) {
	for _, class := range []contract.Class{contract.Probe, contract.Read, contract.Form, contract.Login, contract.Stream} {
		l := class.Limits()
		begin := time.Now()
		h := limit(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			end, ends := r.Context().Deadline()
			if ends != (class != contract.Stream) || ends && end.Before(begin.Add(l.Time)) || l.Body == 0 {
				t.Errorf("class %d ends %v after %v, and takes %d bytes", class, ends, end.Sub(begin), l.Body)
			}
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	}
}
