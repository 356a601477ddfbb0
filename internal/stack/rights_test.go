package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"zr/internal/testkit"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/fault"
)

// TestRightsOfARun has no run ask for more than it uses.
func TestRightsOfARun(t *testing.T) {
	for what, test := range map[string]struct {
		services, namespace string
		dev                 bool
		with, without       []string
	}{
		"whose services are asked":      {services: "{web: {probe: http}}", with: []string{"create pods/portforward", "update leases", "delete leases", "patch secrets", "watch pods"}, without: []string{"get pods/log", "patch namespaces"}},
		"whose rollouts are waited for": {services: "{web: {probe: rollout}}", without: []string{"create pods/portforward", "get pods/log"}},
		"of zr dev":                     {services: "{web: {probe: rollout}}", dev: true, with: []string{"create pods/portforward", "get pods/log"}},
		"in a namespace of one's own":   {services: "{web: {probe: rollout}}", namespace: "ann", with: []string{"patch namespaces"}},
	} {
		t.Run(what, func(t *testing.T) {
			s := stackOf(t, testkit.Project(strings.Replace(sharedConfig, "{web: {}}", test.services, 1)))
			s.cfg.Namespace = test.namespace
			if test.dev {
				s.dev = &devMode{}
			}
			p, err := s.render(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			asked := ""
			for _, r := range p.rights() {
				asked += fmt.Sprintf("%s %s\n", r.Verb, r.Resource)
			}
			for _, right := range test.with {
				if !strings.Contains(asked, right+"\n") {
					t.Errorf("it does not ask for the right to %s:\n%s", right, asked)
				}
			}
			for _, right := range test.without {
				if strings.Contains(asked, right+"\n") {
					t.Errorf("it asks for the right to %s", right)
				}
			}
		})
	}
}

// TestDevAsksForItsRightsAtOnce has a user who may do all but forward ports, where there
// is nothing to build.
func TestDevAsksForItsRightsAtOnce(t *testing.T) {
	cfg, namespace := kubetest.Config(t), kubetest.Namespace(t)
	bind(t, cfg, namespace, map[string]any{"apiGroups": []any{"*"}, "verbs": []any{"*"}, "resources": []any{"leases", "secrets", "pods", "pods/log", "deployments", "replicasets", "statefulsets", "services", "namespaces"}})
	began := make(chan struct{})
	close(began)
	t.Setenv("KUBECONFIG", userBehind(t, cfg, namespace, began))
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s := stackOf(t, testkit.Project(sharedConfig))
	for _, test := range []struct {
		dev  *devMode
		says string
	}{{nil, ""}, {&devMode{}, "may not create pods/portforward in namespace \"tiny\", which it takes to make saves live"}} {
		s.dev = test.dev
		p, err := s.render(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		runs, err := p.clusterAndImages(t.Context(), newEarlyLoad(t.Context()))
		runs.on.close()
		if test.says != "" {
			testkit.ErrorSays(t, err, test.says)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// bind makes a user of a name, who may do no more than a rule says.
func bind(t *testing.T, cfg *rest.Config, name string, rule map[string]any) {
	t.Helper()
	const rbac = "rbac.authorization.k8s.io"
	for resource, object := range map[string]map[string]any{
		"clusterroles": {"kind": "ClusterRole", "rules": []any{rule}},
		"clusterrolebindings": {"kind": "ClusterRoleBinding", "roleRef": map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": name},
			"subjects": []any{map[string]any{"apiGroup": rbac, "kind": "User", "name": name}}},
	} {
		object["apiVersion"], object["metadata"] = rbac+"/v1", map[string]any{"name": name}
		client := kubetest.Client(t, cfg, rbac, "v1", resource)
		if _, err := client.Create(t.Context(), &unstructured.Unstructured{Object: object}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	}
}

// TestARefusalEndsABuildThatNeverEnds has a user who may only read, and who is told so
// when a build has begun that has no end.
func TestARefusalEndsABuildThatNeverEnds(t *testing.T) {
	cfg, namespace := kubetest.Config(t), kubetest.Namespace(t)
	bind(t, cfg, namespace, map[string]any{"apiGroups": []any{"*"}, "resources": []any{"*"}, "verbs": []any{"get", "list", "watch"}})

	// The build says by a pipe that it has begun, and in which group of processes.
	pipe, began := filepath.Join(t.TempDir(), "began"), make(chan struct{})
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	group := 0
	go func() {
		defer close(began)
		text, _ := os.ReadFile(pipe)
		group, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}()
	t.Setenv("KUBECONFIG", userBehind(t, cfg, namespace, began))
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s := stackOf(t, map[string]string{
		"config/dev.yaml": fmt.Sprintf(`project: tiny
cluster: {provider: context, context: team, registry: %s/team}
services:
  web: {build: {command: [sh, -c, "sleep 3600 & echo $$ >%s; wait"], dir: web, out: out, run: [./web]}}
`, tokenRegistry(t, "nobody", "", true), pipe),
		"web/source": "of a build without an end",
		"kustomize/overlays/dev/kustomization.yaml": "resources: [all.yaml]\n",
		"kustomize/overlays/dev/all.yaml": strings.ReplaceAll(`{apiVersion: v1, kind: Namespace, metadata: {name: NAMESPACE}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`, "NAMESPACE", namespace),
	})
	s.options.Verb = "up"
	limited, cancel := context.WithTimeout(t.Context(), time.Minute) // for a build that does not end
	defer cancel()
	err := s.Up(limited, false)
	testkit.ErrorSays(t, err, fmt.Sprintf("user %q may not create leases.coordination.k8s.io", namespace), "cannot patch resource")
	if hint := fault.HintOf(err); !strings.Contains(hint, "kubectl --context team create role zr-") {
		t.Errorf("hint %q", hint)
	}
	select {
	case <-began:
	default:
		t.Fatal("the build did not begin")
	}
	for deadline := time.Now().Add(time.Minute); !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH); time.Sleep(10 * time.Millisecond) { // until init has heard of them
		if time.Now().After(deadline) {
			t.Fatal("processes of the build are left")
		}
	}
}

// userBehind returns a kubeconfig with the context "team" of a user who is told of
// rights only when something has begun.
func userBehind(t *testing.T, cfg *rest.Config, user string, began <-chan struct{}) string {
	t.Helper()
	cfg = rest.CopyConfig(cfg)
	cfg.Impersonate.UserName = user
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ErrorLog: log.New(io.Discard, "", 0)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			select {
			case <-began:
			case <-r.Context().Done():
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: team, clusters: [{name: team, cluster: {server: %q}}], users: [{name: user, user: {}}], contexts: [{name: team, context: {cluster: team, user: user}}]}`, server.URL)
	testkit.WriteFile(t, path, text)
	return path
}
