package kube_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

func TestReady(t *testing.T) {
	for _, tc := range []struct {
		name string
		code int
		body string
		want string // the error; empty for none
	}{
		{"it is", 200, "ok", ""},
		{"who may not see it is known", 403, "", ""},
		{"it is not yet", 500, "[+]ping ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n",
			"the API server is not ready yet: it waits for poststarthook/rbac/bootstrap-roles, etcd"},
		{"another fault", 500, "out of order", "out of order"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(tc.code)
				fmt.Fprint(w, tc.body)
			}))
			defer srv.Close()
			client, err := kube.New(&kube.Config{Host: srv.URL})
			if err != nil {
				t.Fatal(err)
			}
			err = client.Ready(t.Context())
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tc.want || err != nil && !lean.HasCode(err, tc.code) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
