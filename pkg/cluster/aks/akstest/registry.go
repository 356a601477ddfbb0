package akstest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is a registry with the two token endpoints of Azure's in front: one
// exchanges a token of Entra ID for one of the registry's, the other that for one
// which names what its holder may do. It is an http.Handler.
type Registry struct {
	// Host is its name, such as team.azurecr.io.
	Host  string
	Entra *Entra
	// May says whether somebody may do something: "pull" or "push". It is asked
	// from many goroutines.
	May func(who, action string) bool

	Exchanges atomic.Int64 // tokens of Entra ID that it took
	Manifests atomic.Int64 // of images that it was sent, by a tag: not of what is about them

	blobs http.Handler
	mux   http.ServeMux
}

// registryAudience is what a token of Entra ID is for that a registry takes.
const registryAudience = "https://containerregistry.azure.net"

// access is how long its tokens last. Those of Azure's do for an hour or more.
const access = time.Minute

// NewRegistry returns an empty registry.
func NewRegistry(host string, entra *Entra, may func(who, action string) bool) *Registry {
	r := &Registry{Host: host, Entra: entra, May: may, blobs: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	r.mux.HandleFunc("POST /oauth2/exchange", r.exchange)
	r.mux.HandleFunc("POST /oauth2/token", r.token)
	r.mux.HandleFunc("/v2/", r.serve)
	return r
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

func (r *Registry) exchange(w http.ResponseWriter, req *http.Request) {
	who, _, err := r.Entra.Verify(req.PostFormValue("access_token"), r.Entra.Issuer, registryAudience)
	if err != nil || req.PostFormValue("grant_type") != "access_token" || req.PostFormValue("service") != r.Host {
		answer(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{"code": "UNAUTHORIZED", "message": fmt.Sprint(err)}}})
		return
	}
	r.Exchanges.Add(1)
	answer(w, http.StatusOK, map[string]any{"refresh_token": r.Entra.Sign(r.Host, "refresh", who, "", time.Hour)})
}

func (r *Registry) token(w http.ResponseWriter, req *http.Request) {
	who, _, err := r.Entra.Verify(req.PostFormValue("refresh_token"), r.Host, "refresh")
	if err != nil || req.PostFormValue("grant_type") != "refresh_token" {
		answer(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{"code": "UNAUTHORIZED", "message": fmt.Sprint(err)}}})
		return
	}
	// A token for nothing is given too: the registry then says what is missing.
	answer(w, http.StatusOK, map[string]any{"access_token": r.Access(who, req.PostFormValue("scope"), access)})
}

// Access returns a token for what of a scope, such as
// "repository:shop/api:pull,push", somebody may do.
func (r *Registry) Access(who, scope string, lifetime time.Duration) string {
	var granted []string
	for _, one := range strings.Fields(scope) {
		repository, actions := cutLast(one, ":")
		var may []string
		for _, action := range strings.Split(actions, ",") {
			if r.May(who, action) {
				may = append(may, action)
			}
		}
		granted = append(granted, repository+":"+strings.Join(may, ","))
	}
	return r.Entra.Sign(r.Host, r.Host, who, strings.Join(granted, " "), lifetime)
}

func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	repository, needs := repositoryOf(req.URL.Path), "push"
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		needs = "pull"
	}
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	_, scope, err := r.Entra.Verify(token, r.Host, r.Host)
	if err != nil || repository != "" && !allows(scope, repository, needs) {
		scheme := "http"
		if req.TLS != nil {
			scheme = "https"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s://%s/oauth2/token",service="%s",scope="repository:%s:%s"`, scheme, req.Host, r.Host, repository, needs))
		answer(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{"code": "UNAUTHORIZED"}}})
		return
	}
	if _, name, ok := strings.Cut(req.URL.Path, "/manifests/"); ok && req.Method == http.MethodPut && !strings.HasPrefix(name, "sha256") {
		r.Manifests.Add(1)
	}
	r.blobs.ServeHTTP(w, req)
}

// repositoryOf returns the repository in a path of the API, "" for none.
func repositoryOf(path string) string {
	path = strings.TrimPrefix(path, "/v2/")
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if repository, _, found := strings.Cut(path, part); found {
			return repository
		}
	}
	return ""
}

// allows says whether a scope that was granted has an action on a repository, or on
// all of them.
func allows(scope, repository, action string) bool {
	for _, one := range strings.Fields(scope) {
		of, actions := cutLast(strings.TrimPrefix(one, "repository:"), ":")
		if (of == repository || of == "*") && strings.Contains(","+actions+",", ","+action+",") {
			return true
		}
	}
	return false
}
