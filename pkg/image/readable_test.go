package image

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPullCredentials has files as teams have them, and what a kubelet takes of them.
func TestPullCredentials(t *testing.T) {
	for what, c := range map[string]struct {
		servers    string
		repository string
		want       string // the servers whose credentials are tried, in this order
	}{
		"a host":                       {"ghcr.io", "ghcr.io/team/api", "ghcr.io"},
		"an address":                   {"https://ghcr.io", "ghcr.io/team/api", "https://ghcr.io"},
		"another host":                 {"quay.io", "ghcr.io/team/api", ""},
		"a host that begins as it":     {"ghcr.io.example", "ghcr.io/team/api", ""},
		"a port":                       {"localhost:5000 localhost", "localhost:5000/team/api", "localhost:5000"},
		"another port":                 {"localhost:5001", "localhost:5000/team/api", ""},
		"every registry of Azure's":    {"*.azurecr.io", "team.azurecr.io/shop/api", "*.azurecr.io"},
		"a pattern is of one part":     {"*.azurecr.io", "team.eu.azurecr.io/shop/api", ""},
		"parts of a registry":          {"ghcr.io/ann ghcr.io/team ghcr.io", "ghcr.io/team/api", "ghcr.io/team ghcr.io"},
		"the interface of a registry":  {"https://ghcr.io/v2/", "ghcr.io/team/api", "https://ghcr.io/v2/"},
		"Docker Hub, as docker has it": {"https://index.docker.io/v1/", "docker.io/team/api", "https://index.docker.io/v1/"},
		"Docker Hub by its name":       {"docker.io", "docker.io/team/api", "docker.io"},
		"Docker Hub, unnamed":          {"https://index.docker.io/v1/", "team/api", "https://index.docker.io/v1/"},
		"Docker Hub, and not this":     {"https://index.docker.io/v1/", "ghcr.io/team/api", ""},
		"nothing":                      {"", "ghcr.io/team/api", ""},
		"no address":                   {"https://%zz ghcr.io", "ghcr.io/team/api", "ghcr.io"},
	} {
		t.Run(what, func(t *testing.T) {
			var auths []string
			for _, server := range strings.Fields(c.servers) {
				auths = append(auths, fmt.Sprintf(`%q:{"username":%q,"password":"secret"}`, server, server))
			}
			found, err := PullCredentials([]byte(`{"auths":{`+strings.Join(auths, ",")+`}}`), c.repository)
			var got []string
			for _, auth := range found {
				got = append(got, auth.Username)
			}
			if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("%q, %v; want %s", got, err, c.want)
			}
		})
	}
	if _, err := PullCredentials([]byte("secret"), "ghcr.io/team/api"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
