package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"zr/pkg/fault"
)

// MergeKubeconfig adds the cluster's context to the kubeconfig at path, or to
// the user's own where path is empty. The current context of that file stays,
// unless it has none: switching it would aim the user's next kubectl at
// another cluster without a word.
func (c *Cluster) MergeKubeconfig(path string) error {
	if c.Kubeconfig == "" {
		return nil // the context is already where the user keeps it
	}
	own, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", c.Kubeconfig, err)
	}
	ctx, ok := own.Contexts[c.Context]
	if !ok {
		return fmt.Errorf("reading kubeconfig %q: it has no context %q", c.Kubeconfig, c.Context)
	}
	files := pathOptions(path)
	theirs, err := files.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", files.GetDefaultFilename(), err)
	}
	into := files.GetDefaultFilename()
	if old, ok := theirs.Contexts[c.Context]; ok { // of several files
		into = old.LocationOfOrigin
	}
	return edit(into, func(cfg *api.Config) {
		cfg.Contexts[c.Context] = ctx
		cfg.Clusters[ctx.Cluster] = own.Clusters[ctx.Cluster]
		cfg.AuthInfos[ctx.AuthInfo] = own.AuthInfos[ctx.AuthInfo]
		if theirs.CurrentContext == "" {
			cfg.CurrentContext = c.Context
		}
	})
}

// Unmerge takes back what MergeKubeconfig added to the user's own kubeconfig.
// own is the path of zr's file for the cluster; an entry of the same name that
// belongs to another cluster (another certificate authority) stays. In a file
// that cannot be read there is nothing to take back.
func Unmerge(own, context string) error {
	mine, err := clientcmd.LoadFromFile(own)
	if err != nil {
		return nil
	}
	files := pathOptions("").GetLoadingPrecedence()
	holds := func(file string) bool {
		theirs, err := clientcmd.LoadFromFile(file)
		return err == nil && sameCluster(mine, theirs, context)
	}
	for _, file := range files {
		if !holds(file) {
			continue
		}
		err := edit(file, func(cfg *api.Config) {
			ctx := cfg.Contexts[context]
			delete(cfg.Contexts, context)
			delete(cfg.Clusters, ctx.Cluster)
			delete(cfg.AuthInfos, ctx.AuthInfo)
			if cfg.CurrentContext == context {
				cfg.CurrentContext = ""
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func sameCluster(a, b *api.Config, context string) bool {
	ca := func(cfg *api.Config) []byte {
		ctx, ok := cfg.Contexts[context]
		if !ok || cfg.Clusters[ctx.Cluster] == nil {
			return nil
		}
		return cfg.Clusters[ctx.Cluster].CertificateAuthorityData
	}
	x := ca(a)
	return len(x) > 0 && bytes.Equal(x, ca(b))
}

// edit changes a kubeconfig of the user's. It takes the lock that kubectl takes,
// and puts the new file in place by a rename, so that neither a full disk nor a
// killed zr costs the user what is in it.
func edit(path string, change func(*api.Config)) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a symlink stays one
	}
	unlock, err := lockKubeconfig(path)
	if err != nil {
		return fmt.Errorf("writing kubeconfig %q: %w", path, err)
	}
	defer unlock()
	cfg, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		cfg, err = api.NewConfig(), nil
	}
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", path, err)
	}
	change(cfg)
	content, err := clientcmd.Write(*cfg)
	if err == nil {
		err = replace(path, content)
	}
	if err != nil {
		return fmt.Errorf("writing kubeconfig %q: %w", path, err)
	}
	return nil
}

// replace gives a file new content in one step, and keeps its mode and owner.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no longer there once renamed
	var old unix.Stat_t
	if unix.Stat(path, &old) == nil {
		_ = f.Chown(int(old.Uid), int(old.Gid)) // who may not, owns it already
		err = f.Chmod(fs.FileMode(old.Mode & 0o777))
	}
	_, wrote := f.Write(content)
	if err := errors.Join(err, wrote, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// lockWait is how long a kubeconfig may be locked: kubectl holds it for
// milliseconds.
const lockWait = 5 * time.Second

// lockKubeconfig takes the lock of kubectl: a file that is there.
func lockKubeconfig(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	lock := path + ".lock"
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL, 0)
		if err == nil {
			f.Close()
			return func() { os.Remove(lock) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Since(start) > lockWait {
			return nil, fault.Hint(fmt.Errorf("%q is there", lock), "remove it where no kubectl is at work any more")
		}
	}
}

func pathOptions(path string) *clientcmd.PathOptions {
	files := clientcmd.NewDefaultPathOptions()
	if path != "" {
		files.LoadingRules.ExplicitPath = path
	}
	return files
}
