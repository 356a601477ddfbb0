package kustomize_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// fromKeyVault is staging with its secrets from a Key Vault, and no file of them, in a
// namespace.
func fromKeyVault(t *testing.T, namespace string) render.Options {
	t.Helper()
	dir := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(dir, here)
	if err != nil {
		t.Fatal(err)
	}
	text := "namespace: " + namespace + "\nresources: [" + up + "/overlays/staging]\ncomponents: [" + up + "/components/key-vault]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t, "staging")
	o.Overlay, o.Secrets = dir, nil
	return o
}

// TestKeyVault follows each secret from the vault to the pods that read it.
func TestKeyVault(t *testing.T) {
	r, err := render.Render(t.Context(), fromKeyVault(t, "zr-staging"))
	if err != nil {
		t.Fatal(err)
	}
	if r.SecretsClass != "key-vault" || r.MakesSecrets() {
		t.Errorf("the Secret is made by the class %q, and by zr: %v", r.SecretsClass, r.MakesSecrets())
	}
	keys := map[string]bool{}
	at := map[string]int{}
	for n, o := range r.Objects {
		at[o.GetKind()] = n
		if o.GetKind() != "SecretProviderClass" {
			continue
		}
		objects, _, _ := unstructured.NestedString(o.Object, "spec", "parameters", "objects")
		var listed struct{ Array []string }
		if err := yaml.UnmarshalStrict([]byte(objects), &listed); err != nil {
			t.Fatal(err)
		}
		fetched := map[string]bool{}
		for _, text := range listed.Array {
			var object struct{ ObjectType, ObjectName, ObjectAlias string }
			if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
				t.Fatal(err)
			}
			if object.ObjectType != "secret" || object.ObjectName != strings.ReplaceAll(object.ObjectAlias, "_", "-") {
				t.Errorf("%+v is no secret of a vault", object)
			}
			fetched[object.ObjectAlias] = true
		}
		made, _, _ := unstructured.NestedSlice(o.Object, "spec", "secretObjects")
		entries, _, _ := unstructured.NestedSlice(made[0].(map[string]any), "data")
		for _, entry := range entries {
			key := entry.(map[string]any)["key"].(string)
			if keys[key] = true; !fetched[key] || entry.(map[string]any)["objectName"] != key {
				t.Errorf("%s is not fetched", key)
			}
		}
		if len(keys) != len(fetched) {
			t.Errorf("fetched are %v, and put into the Secret %v", fetched, keys)
		}
	}
	if at["SecretProviderClass"] > at["Deployment"] || at["SecretProviderClass"] > at["StatefulSet"] {
		t.Errorf("pods wait for the class, which is applied after them: %v", at)
	}
	for workload, template := range templates(t, r) {
		reads := map[string]bool{}
		for _, env := range template.Spec.Containers[0].Env {
			if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
				reads[env.ValueFrom.SecretKeyRef.Key] = true
				if !keys[env.ValueFrom.SecretKeyRef.Key] {
					t.Errorf("%s reads %s, which nothing makes", workload, env.ValueFrom.SecretKeyRef.Key)
				}
			}
		}
		mounted := ""
		for _, mount := range template.Spec.Containers[0].VolumeMounts {
			if mount.Name == "key-vault" {
				mounted = mount.SubPath
				if !mount.ReadOnly || !reads[mount.SubPath] {
					t.Errorf("%s is shown %q, which it does not read", workload, mount.SubPath)
				}
			}
		}
		if (mounted != "") != (len(reads) > 0) {
			t.Errorf("%s reads %v and mounts %q", workload, reads, mounted)
		}
	}
}

// TestAKeyThatTheVaultDoesNotGive is told beforehand.
func TestAKeyThatTheVaultDoesNotGive(t *testing.T) {
	o := fromKeyVault(t, "zr-staging")
	file := filepath.Join(o.Overlay, "kustomization.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "patches:\n  - target: {kind: SecretProviderClass}\n    patch: |\n      - {op: remove, path: /spec/secretObjects/0/data/3}\n"...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = render.Render(t.Context(), o)
	if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), `StatefulSet "redis" reads "REDIS_PASSWORD" of Secret "secrets"`) || !strings.Contains(fault.HintOf(err), `SecretProviderClass "key-vault"`) {
		t.Errorf("got %v (hint %q)", err, fault.HintOf(err))
	}
}

// TestTheServerAgreesOnKeyVault has a real API server refuse the class while it has no
// driver, and take all of it, strictly, once it has the driver's definition. Nothing asks
// for the Secret, which the first pod brings.
func TestTheServerAgreesOnKeyVault(t *testing.T) {
	cfg := kubetest.Server(t)
	namespace := kubetest.Namespace(t)
	o := fromKeyVault(t, namespace)
	r, err := render.Render(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range r.Objects {
		if object.GetKind() == "Namespace" {
			if _, err := kubetest.Client(t, cfg, "", "v1", "namespaces").Create(t.Context(), object.Unstructured, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	d, err := deploy.New(kubetest.Connect(t, cfg), o.Set, r.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Diff(t.Context(), r); err == nil || !strings.Contains(err.Error(), "it has no Secrets Store CSI driver") || !strings.Contains(fault.HintOf(err), "azure-keyvault-secrets-provider") {
		t.Fatalf("without a driver: %v (hint %q)", err, fault.HintOf(err))
	}

	kubetest.ServeSecretClasses(t, cfg)
	cs, err := d.Diff(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range cs.Warnings {
		t.Errorf("the server warns: %s", warning)
	}
	takesPods(t, r, func(resource string) dynamic.ResourceInterface {
		return kubetest.Client(t, cfg, "", "v1", resource).Namespace(r.Namespace)
	})
}
