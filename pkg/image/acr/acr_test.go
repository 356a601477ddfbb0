package acr_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"zr/pkg/fault"
	"zr/pkg/image"
	"zr/pkg/image/acr"
)

// front is a registry behind the two endpoints for tokens of Azure's. Its
// access tokens name the actions that they are good for.
type front struct {
	host                       string
	exchanged, issued, uploads atomic.Int32
	actions                    string       // that the user has
	broken                     atomic.Int32 // how many uploads still break off
}

func newFront(t *testing.T, actions string) *front {
	t.Helper()
	f := &front{actions: actions}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/exchange", func(w http.ResponseWriter, r *http.Request) {
		f.exchanged.Add(1)
		if r.PostFormValue("grant_type") != "access_token" || r.PostFormValue("service") != f.host || r.PostFormValue("access_token") != "of entra" {
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"refresh_token":"of the registry"}`)
	})
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		f.issued.Add(1)
		if r.PostFormValue("grant_type") != "refresh_token" || r.PostFormValue("refresh_token") != "of the registry" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q}`, f.actions)
	})
	mux.HandleFunc("/v2/", func(w http.ResponseWriter, r *http.Request) {
		needs := "push"
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			needs = "pull"
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !strings.Contains(token, needs) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/oauth2/token",service="%s"`, f.host, f.host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPatch {
			f.uploads.Add(1)
			if f.broken.Add(-1) >= 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.host = strings.TrimPrefix(server.URL, "http://")
	return f
}

func (f *front) pusher(t *testing.T, token string) image.Pusher {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return image.Pusher{Store: store, Registry: acr.Registry(f.host, func(context.Context) (string, error) { return token, nil })}
}

func TestPushByTheTokenOfEntra(t *testing.T) {
	f := newFront(t, "pull push")
	p := f.pusher(t, "of entra")
	var images []v1.Image
	for range 2 {
		img, err := random.Image(1000, 2)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	f.broken.Store(1)
	for _, img := range append(images, images[0]) {
		if _, _, err := p.Push(t.Context(), img, f.host+"/shop/api", "zr"); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.exchanged.Load(); n != 1 {
		t.Errorf("%d exchanges for three pushes", n)
	}
	if n := f.uploads.Load(); n != 7 { // two layers and a config each, one of them twice
		t.Errorf("%d uploads of 6 blobs, of which one broke off", n)
	}
}

func TestRefusalsNameTheRight(t *testing.T) {
	for name, test := range map[string]struct{ actions, token, want string }{
		"a stranger":    {"pull push", "of somebody", "does not know who is signed in"},
		"may only pull": {"pull", "of entra", "pushing image"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, test.actions)
			img, err := random.Image(100, 1)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = f.pusher(t, test.token).Push(t.Context(), img, f.host+"/shop/api", "zr")
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(fault.HintOf(err), "--role AcrPush") {
				t.Errorf("%v (hint %q)", err, fault.HintOf(err))
			}
			if strings.Contains(fmt.Sprint(err), test.token) {
				t.Errorf("the error holds the token: %v", err)
			}
		})
	}
}

// TestOtherRegistriesGetNoToken asks for the credentials of two registries.
func TestOtherRegistriesGetNoToken(t *testing.T) {
	f := newFront(t, "pull push")
	k := &acr.Keychain{Host: f.host, Next: authn.NewMultiKeychain(), Token: func(context.Context) (string, error) {
		t.Error("a token was asked for")
		return "", nil
	}}
	other, err := name.NewRegistry("registry.example")
	if err != nil {
		t.Fatal(err)
	}
	if auth, err := k.Resolve(other); err != nil || auth != authn.Anonymous {
		t.Errorf("%v, %v", auth, err)
	}
	for repository, want := range map[string]bool{"team.azurecr.io/shop": true, "team.azurecr.io": true, "azurecr.io.example/x": false, "registry.example/team.azurecr.io": false} {
		if acr.Is(repository) != want {
			t.Errorf("Is(%q) is %v", repository, !want)
		}
	}
}

// TestPushHintNamesTheRegistry of an address of either kind.
func TestPushHintNamesTheRegistry(t *testing.T) {
	for _, at := range []string{"team.azurecr.io/shop", "team-a1b2c3.azurecr.io"} {
		if hint := acr.PushHint(at); !strings.Contains(hint, "az acr show -n team --query") {
			t.Errorf("%s: %s", at, hint)
		}
	}
}
