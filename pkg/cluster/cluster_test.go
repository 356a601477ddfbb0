package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// TestMergeKeepsTheFile: where the new content cannot be written, the old stays;
// a symlink stays a symlink, and who may read the file may still.
func TestMergeKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	own, user, link := filepath.Join(dir, "own"), filepath.Join(dir, "home", "config"), filepath.Join(dir, "link")
	write(t, own, "kind-x", map[string]string{"kind-x": "ca1"})
	write(t, user, "work", map[string]string{"work": "ca0"})
	if err := errors.Join(os.Symlink(user, link), os.Chmod(user, 0o640)); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(user) // so that its inode is not used again
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	before, err := held.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Name: "x", Context: "kind-x", Kubeconfig: own}
	var merging sync.WaitGroup
	for range 4 { // several zr at once
		merging.Go(func() {
			if err := c.MergeKubeconfig(link); err != nil {
				t.Error(err)
			}
		})
	}
	merging.Wait()
	after, err := os.Stat(user)
	if err != nil || after.Mode() != before.Mode() {
		t.Errorf("mode %v, %v, want %v", after.Mode(), err, before.Mode())
	}
	if os.SameFile(before, after) {
		t.Error("the file was written over and not replaced: a full disk would have emptied it")
	}
	if target, err := os.Readlink(link); err != nil || target != user {
		t.Errorf("the link is %q, %v", target, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "home", "*")); len(left) != 1 {
		t.Errorf("beside the file: %q", left)
	}
}

// TestUnmergeOfSeveralFiles: $KUBECONFIG may list files, also such as are no
// kubeconfigs.
func TestUnmergeOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	own, odd, a, b := filepath.Join(dir, "own"), filepath.Join(dir, "odd"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	t.Setenv("KUBECONFIG", strings.Join([]string{odd, a, filepath.Join(dir, "missing"), b}, ":"))
	write(t, own, "kind-x", map[string]string{"kind-x": "ca1"})
	write(t, a, "work", map[string]string{"work": "ca0"})
	write(t, b, "", map[string]string{"kind-x": "ca1", "other": "ca2"})
	if err := os.WriteFile(odd, []byte("\x00{{no kubeconfig"), 0o600); err != nil {
		t.Fatal(err)
	}
	untouched, _ := os.ReadFile(a)
	if err := Unmerge(own, "kind-x"); err != nil {
		t.Fatal(err)
	}
	if got, err := clientcmd.LoadFromFile(b); err != nil || got.Contexts["kind-x"] != nil || got.Contexts["other"] == nil {
		t.Errorf("left: %+v, %v", got, err)
	}
	if now, _ := os.ReadFile(a); string(now) != string(untouched) {
		t.Error("another file was touched")
	}
	if err := os.WriteFile(own, []byte("\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Unmerge(own, "kind-x"); err != nil {
		t.Errorf("a damaged file of zr's own: %v", err)
	}
}
