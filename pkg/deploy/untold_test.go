package deploy

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/kube"
)

// TestAServerThatTellsNothingOfRights lets a run go on, and one that fails does not.
func TestAServerThatTellsNothingOfRights(t *testing.T) {
	for what, test := range map[string]struct {
		code         int
		reason, says string
	}{
		"a user who may not ask":  {http.StatusForbidden, "Forbidden", ""},
		"a server without rights": {http.StatusNotFound, "NotFound", ""},
		"a server that fails":     {http.StatusInternalServerError, "InternalError", "asking for the rights in namespace"},
	} {
		t.Run(what, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				status(w, test.code, test.reason, "no")
			}))
			t.Cleanup(server.Close)
			client, err := kube.New(&kube.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			d, err := New(client, "zr-x", "shop")
			if err != nil {
				t.Fatal(err)
			}
			err = d.May(t.Context(), []Right{{Verb: "list", Resource: "pods", For: "see them"}})
			if test.says != "" {
				testkit.ErrorSays(t, err, test.says)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
