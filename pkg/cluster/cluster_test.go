package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

func write(t *testing.T, path, current string, clusters map[string]string) {
	t.Helper()
	cfg := api.NewConfig()
	cfg.CurrentContext = current
	for name, ca := range clusters {
		cfg.Clusters[name] = &api.Cluster{Server: "https://127.0.0.1:1", CertificateAuthorityData: []byte(ca)}
		cfg.AuthInfos[name] = &api.AuthInfo{Token: ca}
		cfg.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	}
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		t.Fatal(err)
	}
}

func TestMergeAndUnmerge(t *testing.T) {
	dir := t.TempDir()
	own, user := filepath.Join(dir, "own"), filepath.Join(dir, "user")
	t.Setenv("KUBECONFIG", user)
	write(t, own, "kind-x", map[string]string{"kind-x": "ca1"})
	write(t, user, "work", map[string]string{"work": "ca0"})
	c := &Cluster{Name: "x", Context: "kind-x", Kubeconfig: own}

	if err := c.MergeKubeconfig(""); err != nil {
		t.Fatal(err)
	}
	got, err := clientcmd.LoadFromFile(user)
	if err != nil {
		t.Fatal(err)
	}
	if got.CurrentContext != "work" {
		t.Errorf("the current context became %q", got.CurrentContext)
	}
	if got.Clusters["kind-x"] == nil || got.AuthInfos["kind-x"] == nil || got.Contexts["kind-x"] == nil || got.Clusters["work"] == nil {
		t.Errorf("after merging: %+v", got)
	}

	if err := Unmerge(own, "kind-x"); err != nil {
		t.Fatal(err)
	}
	if got, err = clientcmd.LoadFromFile(user); err != nil || got.Contexts["kind-x"] != nil || got.Clusters["work"] == nil {
		t.Errorf("after taking it back: %+v, %v", got, err)
	}
}

func TestMergeIntoNewFile(t *testing.T) {
	dir := t.TempDir()
	own, user := filepath.Join(dir, "own"), filepath.Join(dir, "new", "user")
	write(t, own, "kind-x", map[string]string{"kind-x": "ca1"})
	c := &Cluster{Name: "x", Context: "kind-x", Kubeconfig: own}
	if err := c.MergeKubeconfig(user); err != nil {
		t.Fatal(err)
	}
	got, err := clientcmd.LoadFromFile(user)
	if err != nil || got.CurrentContext != "kind-x" {
		t.Errorf("a file without a current context got %+v, %v", got, err)
	}
}

func TestUnmergeLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	own, user := filepath.Join(dir, "own"), filepath.Join(dir, "user")
	t.Setenv("KUBECONFIG", user)
	write(t, user, "kind-x", map[string]string{"kind-x": "somebody else's"})
	before, _ := os.ReadFile(user)

	if err := Unmerge(own, "kind-x"); err != nil { // zr has no kubeconfig
		t.Error(err)
	}
	write(t, own, "kind-x", map[string]string{"kind-x": "ca1"})
	if err := Unmerge(own, "kind-x"); err != nil { // another cluster of that name
		t.Error(err)
	}
	if after, _ := os.ReadFile(user); string(after) != string(before) {
		t.Errorf("the user's file became:\n%s", after)
	}
}
