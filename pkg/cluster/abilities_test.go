package cluster

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"zr/pkg/kube"
)

// TestPlatformsOfTheNodes reads the answers that an API server gives.
func TestPlatformsOfTheNodes(t *testing.T) {
	node := func(os, arch string) string {
		return fmt.Sprintf(`{"status": {"nodeInfo": {"operatingSystem": %q, "architecture": %q}}}`, os, arch)
	}
	for name, tt := range map[string]struct {
		code  int
		items string
		want  []string
		fails bool
	}{
		"of two kinds, and Windows": {200, node("linux", "arm64") + "," + node("linux", "amd64") + "," + node("windows", "amd64") + "," + node("linux", "arm64"), []string{"linux/amd64", "linux/arm64"}, false},
		"not to be seen":            {403, "", nil, false},
		"broken":                    {500, "", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/nodes" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(tt.code)
				fmt.Fprintf(w, `{"items": [%s]}`, tt.items)
			}))
			t.Cleanup(server.Close)
			client, err := kube.New(&kube.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := (&Cluster{Name: "x", Client: client}).Platforms(t.Context())
			if (err != nil) != tt.fails || !slices.Equal(got, tt.want) {
				t.Errorf("%v, %v; want %v", got, err, tt.want)
			}
		})
	}
}
