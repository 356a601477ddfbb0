package stack

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// shared is a project whose pods read the secret A, on a real API server that is somebody
// else's, with a namespace of its own. What it runs is stopped.
type shared struct {
	*testing.T
	root, namespace string
	serveClasses    func() // of the CSI driver
	client          func(group, resource string) dynamic.ResourceInterface
}

func onShared(t *testing.T, secrets map[string]string) *shared {
	t.Helper()
	cfg := kubetest.Config(t)
	ownState(t)
	encoded := func(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
	path := filepath.Join(t.TempDir(), "kubeconfig")
	testkit.WriteFile(t, path, fmt.Sprintf(`{apiVersion: v1, kind: Config,
		clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}],
		users: [{name: u, user: {token: %q, client-certificate-data: %q, client-key-data: %q}}],
		contexts: [{name: team, context: {cluster: c, user: u}}]}`, cfg.Host, cfg.BearerToken, encoded(cfg.CertData), encoded(cfg.KeyData)))
	t.Setenv("KUBECONFIG", path)
	s := &shared{T: t, namespace: kubetest.Namespace(t), serveClasses: func() { kubetest.ServeSecretClasses(t, cfg) }}
	s.client = func(group, resource string) dynamic.ResourceInterface {
		return kubetest.Client(t, cfg, group, "v1", resource).Namespace(s.namespace)
	}
	namespaces := kubetest.Client(t, cfg, "", "v1", "namespaces")
	made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": s.namespace}}}
	if _, err := namespaces.Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = namespaces.Delete(context.Background(), s.namespace, metav1.DeleteOptions{}) })
	files := readingSecrets(secrets)
	files["config/dev.yaml"] = strings.Replace(files["config/dev.yaml"], "project: tiny", "project: "+strings.TrimPrefix(s.namespace, "zrtest-"), 1)
	files["kustomize/overlays/dev/all.yaml"] = strings.ReplaceAll(strings.Replace(readsSecrets, "  serviceName: web\n", "  serviceName: web\n  replicas: 0\n", 1), "namespace: tiny", "namespace: "+s.namespace)
	s.root = stackOf(t, files).cfg.Root
	return s
}

// stack is the project as it is on disk now.
func (s *shared) stack(verb string) *Stack {
	s.Helper()
	cfg, err := config.Load(s.root, "dev")
	if err != nil {
		s.Fatal(err)
	}
	run, err := Open(cfg, event.Discard, Options{Verb: verb, Yes: true})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(run.Close)
	return run
}

// up brings it up, and returns the hash of what the pods read.
func (s *shared) up() string {
	s.Helper()
	if err := s.stack("up").Up(s.Context(), false); err != nil {
		s.Fatal(err)
	}
	found, err := s.client("apps", "statefulsets").Get(s.Context(), "web", metav1.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	hash, _, _ := unstructured.NestedString(found.Object, "spec", "template", "metadata", "annotations", "zr.dev/config-hash")
	if hash == "" {
		s.Fatal("nothing says what the pods read")
	}
	return hash
}

// nothing is applied.
func (s *shared) nothing() {
	s.Helper()
	if found, err := s.client("apps", "statefulsets").List(s.Context(), metav1.ListOptions{}); err != nil || len(found.Items) > 0 {
		s.Errorf("there is %v, %v", found, err)
	}
}

func (s *shared) secret() *unstructured.Unstructured {
	s.Helper()
	found, err := s.client("", "secrets").Get(s.Context(), "secrets", metav1.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func (s *shared) patchSecret(text string) {
	s.Helper()
	if _, err := s.client("", "secrets").Patch(s.Context(), "secrets", types.MergePatchType, []byte(text), metav1.PatchOptions{FieldManager: "external-secrets"}); err != nil {
		s.Fatal(err)
	}
}

// A Secret of somebody else's is used as it is: what it lacks is named before anything is
// applied, what it has rolls pods, and nothing of zr's changes or deletes it.
func TestASecretThatIsThere(t *testing.T) {
	for what, files := range map[string]map[string]string{"no file": nil, "an example": {"config/secrets/dev.env.example": "A=mock-a\n"}} {
		t.Run(what, func(t *testing.T) {
			s := onShared(t, files)
			if files == nil {
				err := s.stack("up").Up(t.Context(), false)
				if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), `reads "A" of Secret "secrets"`) {
					t.Fatalf("without any: %v", err)
				}
				s.nothing()
				if c := examined(t, s.stack(""))["secrets"]; c.Status != "warn" || !strings.Contains(c.Detail, "the cluster has none either") {
					t.Errorf("without any, the doctor says %+v", c)
				}
			}
			theirs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
				"metadata": map[string]any{"name": "secrets", "labels": map[string]any{"app.kubernetes.io/managed-by": "external-secrets"}}, "stringData": map[string]any{"B": "correct-horse"}}}
			if _, err := s.client("", "secrets").Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			err := s.stack("up").Up(t.Context(), false)
			if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), `StatefulSet "web" reads "A" of Secret "secrets", which has no such key`) || !strings.Contains(fault.HintOf(err), "whoever makes it") {
				t.Fatalf("with one that lacks a key: %v (hint %q)", err, fault.HintOf(err))
			}
			s.nothing()
			if c := examined(t, s.stack(""))["secrets"]; c.Status != "fail" || !strings.Contains(c.Detail, `reads "A" of Secret`) {
				t.Errorf("with one that lacks a key, the doctor says %+v", c)
			}
			if err := Validate(t.Context(), s.stack("").cfg, false); err != nil {
				t.Errorf("to validate asks the cluster: %v", err)
			}

			s.patchSecret(`{"stringData": {"A": "battery-staple"}}`)
			if c := examined(t, s.stack(""))["secrets"]; c.Status != "ok" || c.Detail != `a Secret in the cluster has 2, of "external-secrets"` {
				t.Errorf("the doctor says %+v", c)
			}
			before := s.secret()
			hash := s.up()
			if again := s.up(); again != hash {
				t.Error("a second run rolls the pods")
			}
			changes, err := s.stack("diff").Diff(t.Context())
			if err != nil || !changes.Empty() {
				t.Errorf("a diff has %v, %v", changes, err)
			}
			s.patchSecret(`{"stringData": {"A": "another"}}`)
			if again := s.up(); again == hash {
				t.Error("another value does not roll the pods")
			}
			if err := s.stack("down").Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.stack("down").Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.nothing()
			after := s.secret()
			if fmt.Sprint(after.GetLabels()) != fmt.Sprint(before.GetLabels()) || len(after.GetManagedFields()) != len(before.GetManagedFields()) || after.GetDeletionTimestamp() != nil {
				t.Errorf("it was changed: %v", after)
			}
			if at := findText(t, s.root, "battery-staple"); at != "" {
				t.Errorf("%s has the secret", at)
			}
		})
	}
}

// What was in a sealed file is in the cluster; another value in it is shown as changed,
// without the value, and rolls what reads it.
func TestAChangeOfASealedFileRolls(t *testing.T) {
	key := keyHere(t)
	s := onShared(t, map[string]string{sealedFile: sealFor(t, key, "A=one-value\n")})
	t.Setenv("ZR_AGE_KEY", key.String()) // ownState has another folder for configuration
	hash := s.up()
	testkit.WriteFile(t, filepath.Join(s.root, sealedFile), sealFor(t, key, "A=another-value\n"))
	changes, err := s.stack("diff").Diff(t.Context())
	if said := fmt.Sprintf("%+v", changes.Changed()); err != nil || !strings.Contains(said, "(secret)") || strings.Contains(said, "another-value") {
		t.Errorf("the diff has %s, %v", said, err)
	}
	if again := s.up(); again == hash {
		t.Error("another value does not roll the pods")
	}
	found := s.secret()
	if value, _, _ := unstructured.NestedString(found.Object, "data", "A"); value != base64.StdEncoding.EncodeToString([]byte("another-value")) {
		t.Errorf("the Secret has %q", value)
	}
	if got := found.GetAnnotations()["zr.dev/source"]; got != sealedFile {
		t.Errorf("it is from %q", got)
	}
	t.Setenv("ZR_AGE_KEY", "")
	if _, err := s.stack("diff").Diff(t.Context()); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "opening "+sealedFile) {
		t.Errorf("without the key: %v", err)
	}
}

// A plain file that is sealed, with another value at that, is no change of somebody
// else's. What somebody has changed in the cluster is taken over into the sealed file.
func TestASealedFileTakesOverWhatWasChanged(t *testing.T) {
	s := onShared(t, map[string]string{"config/secrets/dev.env": "A=first\n"})
	key := keyHere(t)
	ownState(t)
	hash := s.up()
	testkit.WriteFile(t, filepath.Join(s.root, "config/secrets/dev.env"), "# kept\nA=second\n")
	if _, err := SealSecrets(t.Context(), s.root, "dev", []string{key.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	if again := s.up(); again == hash {
		t.Error("another value does not roll the pods")
	}

	s.patchSecret(`{"metadata": {"annotations": {"zr.dev/source": "ada in the dashboard, at noon"}}, "stringData": {"A": "third"}}`)
	if err := s.stack("up").Up(t.Context(), false); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), `by "ada in the dashboard, at noon", and `+sealedFile+` says something else`) {
		t.Fatalf("before it is taken over: %v", err)
	}
	pulled, err := s.stack("pull").Pull(t.Context())
	if err != nil || len(pulled) != 1 || pulled[0].File != sealedFile || strings.Join(pulled[0].Keys, ",") != "A" {
		t.Fatalf("%+v, %v", pulled, err)
	}
	if got := secretsIn(t, s.root); got["A"] != "third" {
		t.Errorf("the file has %v", got)
	}
	s.up()
	if pulled, err := s.stack("pull").Pull(t.Context()); err != nil || len(pulled) > 0 {
		t.Errorf("a second time: %+v, %v", pulled, err)
	}
	if at := findText(t, s.root, "third"); at != "" {
		t.Errorf("%s has the secret", at)
	}
}

const secretClass = `---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: vault, namespace: NAMESPACE}
spec: {provider: azure, parameters: {}, secretObjects: [{secretName: secrets, type: Opaque, data: [{key: A, objectName: A}]}]}
`

// The Secret that the CSI driver makes once a pod mounts its class need not be there
// beforehand, and rolls no pods when it comes. A file of secrets beside it is refused.
func TestASecretOfTheCSIDriver(t *testing.T) {
	s := onShared(t, map[string]string{"config/secrets/dev.env.example": "A=mock-a\n"})
	s.serveClasses()
	s.up() // with a file, and without a class
	if err := os.Remove(filepath.Join(s.root, "config/secrets/dev.env")); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(s.root, "kustomize/overlays/dev/class.yaml")
	testkit.WriteFile(t, overlay, strings.ReplaceAll(secretClass, "NAMESPACE", s.namespace))
	testkit.WriteFile(t, filepath.Join(s.root, "kustomize/overlays/dev/kustomization.yaml"), "resources: [all.yaml, class.yaml]\n")
	up := func() string {
		t.Helper()
		if err := s.stack("up").Up(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		found, err := s.client("apps", "statefulsets").Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(found.GetGeneration())
	}
	if err := s.stack("up").Up(t.Context(), false); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "the cluster has the one that zr made") || !strings.Contains(fault.HintOf(err), "delete secret secrets") {
		t.Fatalf("beside the Secret that zr made: %v (hint %q)", err, fault.HintOf(err))
	}
	if err := s.client("", "secrets").Delete(t.Context(), "secrets", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	before := up()
	if c := examined(t, s.stack(""))["secrets"]; c.Status != "ok" || c.Detail != `SecretProviderClass "vault" makes them` {
		t.Errorf("the doctor says %+v", c)
	}
	if list, err := s.client("", "secrets").List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=secrets"}); err != nil || len(list.Items) > 0 {
		t.Fatalf("zr made the Secret: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(s.root, "config/secrets/dev.env")); err != nil || len(files) > 0 {
		t.Errorf("zr made the file: %v", err)
	}
	made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "secrets"}, "stringData": map[string]any{"A": "correct-horse"}}}
	if _, err := s.client("", "secrets").Create(t.Context(), made, metav1.CreateOptions{FieldManager: "secrets-store-csi-driver"}); err != nil {
		t.Fatal(err)
	}
	if after := up(); after != before {
		t.Error("the Secret that came rolls the pods")
	}
	run := s.stack("status")
	p, on, err := run.find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer on.close()
	if p.cfg.Secrets["A"] != "correct-horse" {
		t.Error("what the driver has made is not known")
	}
	if got, err := p.targetsOn(t.Context(), on)[0].Credentials(); err != nil || got["A"] != "correct-horse" {
		t.Errorf("the gate does not know what the driver has made: %v", err)
	}
	testkit.WriteFile(t, filepath.Join(s.root, "config/secrets/dev.env"), "A=1\n")
	if err := os.Chmod(filepath.Join(s.root, "config/secrets/dev.env"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.stack("up").Up(t.Context(), false); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), `SecretProviderClass "vault" makes the Secret`) {
		t.Errorf("beside a file: %v", err)
	}
}
