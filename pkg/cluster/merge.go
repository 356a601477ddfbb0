package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
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
	files := pathOptions(path)
	theirs, err := files.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", files.GetDefaultFilename(), err)
	}
	ctx, ok := own.Contexts[c.Context]
	if !ok {
		return fmt.Errorf("reading kubeconfig %q: it has no context %q", c.Kubeconfig, c.Context)
	}
	theirs.Contexts[c.Context] = withoutOrigin(ctx)
	theirs.Clusters[ctx.Cluster] = own.Clusters[ctx.Cluster].DeepCopy()
	theirs.Clusters[ctx.Cluster].LocationOfOrigin = ""
	theirs.AuthInfos[ctx.AuthInfo] = own.AuthInfos[ctx.AuthInfo].DeepCopy()
	theirs.AuthInfos[ctx.AuthInfo].LocationOfOrigin = ""
	if theirs.CurrentContext == "" {
		theirs.CurrentContext = c.Context
	}
	if err := clientcmd.ModifyConfig(files, *theirs, true); err != nil {
		return fmt.Errorf("writing kubeconfig %q: %w", files.GetDefaultFilename(), err)
	}
	return nil
}

// Unmerge takes back what MergeKubeconfig added to the user's own kubeconfig.
// own is the path of zr's file for the cluster; an entry of the same name that
// belongs to another cluster (another certificate authority) stays.
func Unmerge(own, context string) error {
	mine, err := clientcmd.LoadFromFile(own)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", own, err)
	}
	files := pathOptions("")
	theirs, err := files.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", files.GetDefaultFilename(), err)
	}
	ctx, ok := theirs.Contexts[context]
	if !ok || !sameCluster(mine, theirs, context) {
		return nil
	}
	delete(theirs.Contexts, context)
	delete(theirs.Clusters, ctx.Cluster)
	delete(theirs.AuthInfos, ctx.AuthInfo)
	if theirs.CurrentContext == context {
		theirs.CurrentContext = ""
	}
	if err := clientcmd.ModifyConfig(files, *theirs, true); err != nil {
		return fmt.Errorf("removing context %q from the kubeconfig: %w", context, err)
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

// withoutOrigin copies a context as if it came from no file, so that
// ModifyConfig writes it to the default one.
func withoutOrigin(ctx *api.Context) *api.Context {
	out := ctx.DeepCopy()
	out.LocationOfOrigin = ""
	return out
}

func pathOptions(path string) *clientcmd.PathOptions {
	files := clientcmd.NewDefaultPathOptions()
	if path != "" {
		files.LoadingRules.ExplicitPath = path
	}
	return files
}
