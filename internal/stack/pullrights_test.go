package stack

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"zr/internal/testkit"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// tokenRegistry is a registry that gives its tokens to one user; open, to anybody.
func tokenRegistry(t *testing.T, user, password string, open bool) (host string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		name, secret, _ := r.BasicAuth()
		switch {
		case name == user && secret == password || name == "" && open:
			fmt.Fprint(w, `{"token":"good"}`)
		case name == "":
			fmt.Fprint(w, `{"token":"of nobody"}`) // as registries do, whose images somebody may read
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/v2/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="registry"`, host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	return host
}

// TestNodesThatMayNotPull has a registry that wants a sign-in, and pods with a
// service account that has one, none, a wrong one, or one that is not there.
func TestNodesThatMayNotPull(t *testing.T) {
	cfg := kubetest.Config(t)
	const named = `[{name: registry}]`
	for name, test := range map[string]struct {
		account               string // its imagePullSecrets
		password              string // in the Secret, which is there where it has one
		server                string // of the Secret; by default this registry
		key                   string // of the Secret; by default .dockerconfigjson
		image                 string // that a pod has, of this registry
		open                  bool
		refused, unknown, fix string
	}{
		"no pull secret":            {account: "[]", unknown: "their pods have no pull secret", fix: "create secret docker-registry registry --docker-server="},
		"one that is missing":       {account: named, unknown: `Deployment "web" names the pull secret "registry", which is not there`, fix: "imagePullSecrets"},
		"one with another password": {account: named, password: "of yesterday", refused: `it does not accept the pull secret "registry" of Deployment "web"; nothing was built`, fix: "--docker-server="},
		"one that the registry has": {account: named, password: "secret"},
		"one of another registry":   {account: named, password: "of yesterday", server: "registry.example", unknown: "their pods have no pull secret for it", fix: "--docker-server="},
		"one of any registry":       {account: named, password: "secret", server: "127.0.0.*:PORT"},
		"an open registry":          {account: "[]", open: true},
		"one of an older kind":      {account: named, password: "secret", key: ".dockercfg"},
		"a pod that was pulled for": {account: named, password: "of yesterday", image: "/team/web"},
		"a pod of somebody's image": {account: named, password: "of yesterday", image: "/library/web", refused: "it does not accept the pull secret", fix: "--docker-server="},
	} {
		t.Run(name, func(t *testing.T) {
			host, namespace := tokenRegistry(t, "nodes", "secret", test.open), kubetest.Namespace(t)
			create := func(resource, kind, name string, more map[string]any) *unstructured.Unstructured {
				t.Helper()
				o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name}}}
				maps.Copy(o.Object, more)
				at := dynamic.ResourceInterface(kubetest.Client(t, cfg, "", "v1", resource))
				if kind != "Namespace" {
					at = kubetest.Client(t, cfg, "", "v1", resource).Namespace(namespace)
				}
				made, err := at.Create(t.Context(), o, metav1.CreateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			create("namespaces", "Namespace", namespace, nil)
			t.Cleanup(func() {
				_ = kubetest.Client(t, cfg, "", "v1", "namespaces").Delete(context.Background(), namespace, metav1.DeleteOptions{})
			})
			if test.password != "" {
				_, port, _ := strings.Cut(host, ":")
				server := cmp.Or(strings.Replace(test.server, "PORT", port, 1), "http://"+host)
				text := fmt.Sprintf(`{%q:{"auth":%q}}`, server, base64.StdEncoding.EncodeToString([]byte("nodes:"+test.password)))
				key, kind := ".dockercfg", "kubernetes.io/dockercfg"
				if test.key == "" {
					key, kind, text = ".dockerconfigjson", "kubernetes.io/dockerconfigjson", `{"auths":`+text+`}`
				}
				create("secrets", "Secret", "registry", map[string]any{"type": kind, "stringData": map[string]any{key: text}})
			}
			if test.image != "" {
				create("pods", "Pod", "web", map[string]any{"spec": map[string]any{
					"schedulerName": "nobody", // or the kubelet would say how it is
					"containers":    []any{map[string]any{"name": "web", "image": host + test.image + ":1"}},
				}})
				status := fmt.Sprintf(`{"status":{"containerStatuses":[{"name":"web","image":"%[1]s:1","imageID":"%[1]s@sha256:1","ready":true,"restartCount":0,"started":true}]}}`, host+test.image)
				pods := kubetest.Client(t, cfg, "", "v1", "pods").Namespace(namespace)
				if _, err := pods.Patch(t.Context(), "web", types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status"); err != nil {
					t.Fatal(err)
				}
			}

			files := testkit.Project(strings.Replace(sharedConfig, "registry.example", host, 1))
			files["kustomize/overlays/dev/all.yaml"] = strings.NewReplacer("namespace: tiny", "namespace: "+namespace, `"example/web:1"`, "web").Replace(testkit.Overlay) +
				"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: " + namespace + "}\nimagePullSecrets: " + test.account + "\n"
			s := stackOf(t, files)
			s.cfg.Services["web"] = config.Service{Build: &config.Build{}}
			var said []event.Notice
			s.sink = event.SinkFunc(func(e event.Event) { said = append(said, e.(event.Notice)) })
			p, err := s.render(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			d, err := deploy.New(kubetest.Connect(t, cfg), s.set(), namespace)
			if err != nil {
				t.Fatal(err)
			}
			err = p.nodesMayPull(t.Context(), &connection{deployer: d})
			if (err != nil) != (test.refused != "") || err != nil && (!strings.Contains(err.Error(), test.refused) || !strings.Contains(fault.HintOf(err), test.fix)) {
				t.Errorf("refused with %v (hint %q)", err, fault.HintOf(err))
			}
			if (len(said) > 0) != (test.unknown != "") || len(said) > 0 && (!strings.Contains(said[0].Text, test.unknown) || !strings.Contains(said[0].Hint, test.fix)) {
				t.Errorf("said %+v", said)
			}
		})
	}
}

// TestTheFixOfARefusedPull has reasons as the gate tells them.
func TestTheFixOfARefusedPull(t *testing.T) {
	s := stackOf(t, testkit.Project(strings.Replace(sharedConfig, "registry.example", "team.azurecr.io", 1)))
	s.cfg.Services["web"] = config.Service{Build: &config.Build{}}
	advice := s.unrendered().adviceOf("web", cmdline.Run{})
	refused := `image "team.azurecr.io/team/web@sha256:1" cannot be pulled: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://team.azurecr.io/oauth2/token: 401 Unauthorized`
	if got := advice(refused); !strings.Contains(got, "az aks update -g GROUP -n CLUSTER --attach-acr team`") {
		t.Errorf("the advice is %q", got)
	}
	for _, other := range []string{strings.Replace(refused, "401 Unauthorized", "500", 1), "a service of ours answered 401 Unauthorized"} {
		if got := advice(other); strings.Contains(got, "attach-acr") {
			t.Errorf("about %q the advice is %q", other, got)
		}
	}
}
