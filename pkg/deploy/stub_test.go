package deploy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"zr/pkg/kube"
)

// stub is an API server that holds a few documents by their path, for what a
// real one cannot be brought to. What it does not hold is not found.
type stub struct {
	mu        sync.Mutex
	documents map[string]string
	deleted   []string
	patch     func(w http.ResponseWriter, r *http.Request)
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	document, ok := s.documents[r.URL.Path]
	switch {
	case r.Method == http.MethodPatch && s.patch != nil:
		s.patch(w, r)
	case !ok:
		status(w, http.StatusNotFound, "NotFound", "there is none")
	case r.Method == http.MethodDelete:
		s.deleted = append(s.deleted, r.URL.Path)
		delete(s.documents, r.URL.Path)
		fmt.Fprint(w, document)
	default:
		fmt.Fprint(w, document)
	}
}

func status(w http.ResponseWriter, code int, reason, message string) {
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, message, code)
}

// list is the document of a list.
func list(items ...string) string {
	return `{"kind":"List","apiVersion":"v1","metadata":{},"items":[` + strings.Join(items, ",") + `]}`
}

func (s *stub) deployer(t *testing.T, set, namespace string) *Deployer {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client, err := kube.New(&kube.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(client, set, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *stub) removed(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.deleted, path)
}
