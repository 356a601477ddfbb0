// Package kubecontext finds a cluster that the user's kubeconfig names. zr
// uses no context but the one that the config allows, and never deletes a
// cluster that it did not make.
package kubecontext

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"zr/pkg/cluster"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// DefaultTimeout is how long a remote API server may take to answer, sign-in
// by a credential plugin included.
const DefaultTimeout = 15 * time.Second

// Options say which context is wanted.
type Options struct {
	// Context is what was asked for. Default: Allowed.
	Context string
	// Allowed is the one context that the config names. Any other is refused.
	Allowed string
	// Kubeconfig is a path. Default: $KUBECONFIG and ~/.kube/config, as kubectl
	// reads them.
	Kubeconfig string
	// Lines are the command lines that hints tell.
	Lines cmdline.Run
	// Timeout is how long the API server may take. Default: DefaultTimeout.
	Timeout time.Duration
}

type provider struct{ opts Options }

// Abilities of a cluster that zr did not make: its nodes pull, and say themselves what
// they run.
var Abilities = cluster.Abilities{}

// New returns the provider of one context. It does no I/O.
func New(opts Options) cluster.Provider {
	if opts.Context == "" {
		opts.Context = opts.Allowed
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	return &provider{opts}
}

// Ensure checks that the context is allowed and that its cluster answers.
func (p *provider) Ensure(ctx context.Context, sink event.Sink) (*cluster.Cluster, error) {
	if err := p.allowed(); err != nil {
		return nil, err
	}
	sink.Emit(event.StepProgress{Step: cluster.Step, Detail: fmt.Sprintf("asking context %q (at most %s)", p.opts.Context, p.opts.Timeout)})
	return p.Find(ctx)
}

// Find checks the same without a word.
func (p *provider) Find(ctx context.Context) (*cluster.Cluster, error) {
	if err := p.allowed(); err != nil {
		return nil, err
	}
	if err := p.exists(); err != nil {
		return nil, err
	}
	client, err := p.reach(ctx)
	if err != nil {
		return nil, fmt.Errorf("using context %q: %w", p.opts.Context, err)
	}
	return &cluster.Cluster{Name: p.opts.Context, Provider: "context", Context: p.opts.Context, Kubeconfig: p.opts.Kubeconfig, Client: client}, nil
}

// Delete refuses.
func (p *provider) Delete(context.Context, event.Sink) error {
	return fault.WithCode(fmt.Errorf("deleting the cluster of context %q: zr did not make it", p.opts.Context),
		fault.Usage, "delete it where it was made; "+p.opts.Lines.Zr("down")+" removes the workloads")
}

// allowed refuses every context but the config's.
func (p *provider) allowed() error {
	switch {
	case p.opts.Allowed == "":
		return fault.WithCode(errors.New("using a kubeconfig context: the config allows none"),
			fault.Usage, "name it: cluster.context in the config")
	case p.opts.Context != p.opts.Allowed:
		return fault.WithCode(fmt.Errorf("using context %q: the config allows only %q", p.opts.Context, p.opts.Allowed),
			fault.Usage, fmt.Sprintf("leave the flag out to use %q, or change cluster.context in the config", p.opts.Allowed))
	}
	return nil
}

// exists looks for the context in the kubeconfig.
func (p *provider) exists() error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = p.opts.Kubeconfig
	from := p.opts.Kubeconfig
	if from == "" {
		files := slices.DeleteFunc(slices.Clone(rules.Precedence), func(file string) bool { return file == "" })
		from = strings.Join(files, ", ")
	}
	cfg, err := rules.Load()
	if err != nil {
		return fault.WithCode(fmt.Errorf("reading kubeconfig %q: %w", from, err), fault.Usage, "")
	}
	if named := cfg.Contexts[p.opts.Context]; named != nil {
		// client-go would take a cluster that is not there for no configuration at all, and
		// a user who is not there for nobody, who may ask an API server whether it is ready.
		switch {
		case cfg.Clusters[named.Cluster] == nil:
			err = fmt.Errorf("the context names the cluster %q, which kubeconfig %q does not have", named.Cluster, from)
		case named.AuthInfo != "" && cfg.AuthInfos[named.AuthInfo] == nil:
			err = fmt.Errorf("the context names the user %q, whom kubeconfig %q does not have", named.AuthInfo, from)
		default:
			return nil
		}
		return fault.WithCode(fmt.Errorf("using context %q: %w", p.opts.Context, err), fault.Usage, "get the credentials of the cluster again; KUBECONFIG may name several files")
	}
	hint := "the file has no contexts; get the credentials of the cluster first"
	if len(cfg.Contexts) > 0 {
		names := make([]string, 0, len(cfg.Contexts))
		for name := range cfg.Contexts {
			names = append(names, name)
		}
		slices.Sort(names)
		hint = "it has " + strings.Join(names, ", ")
	}
	return fault.WithCode(fmt.Errorf("using context %q: kubeconfig %q does not have it", p.opts.Context, from), fault.Usage, hint)
}

// reach asks the API server whether it is ready and knows the user.
func (p *provider) reach(ctx context.Context) (*kube.Client, error) {
	cfg, err := kube.Load(p.opts.Kubeconfig, p.opts.Context)
	if err != nil {
		return nil, err
	}
	client, err := kube.New(cfg)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- client.Ready(limited) }() // a credential plugin ends when it likes
	select {
	case err = <-answered:
	case <-limited.Done():
		err = limited.Err()
	}
	plugin := ""
	if by := cfg.ExecProvider; by != nil {
		plugin = cmdline.Line(by.Command, by.Args...)
	}
	switch {
	case err == nil:
		return client, nil
	case lean.HasCode(err, http.StatusUnauthorized):
		return nil, fault.Hint(fmt.Errorf("the API server %s does not accept its credentials", cfg.Host), "sign in again, and try: "+p.try())
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil && plugin != "":
		return nil, fault.Hint(fmt.Errorf("the API server %s did not answer within %s, the sign-in by `%s` included", cfg.Host, p.opts.Timeout, plugin),
			"does that command end by itself? is a VPN or an allowed address range missing?")
	case limited.Err() != nil:
		return nil, fault.Hint(fmt.Errorf("the API server %s did not answer within %s", cfg.Host, p.opts.Timeout), "is a VPN or an allowed address range missing?")
	case plugin != "" && strings.Contains(err.Error(), "getting credentials: "):
		what, _, _ := strings.Cut(err.Error(), "\n") // client-go goes on for a page
		return nil, fault.Hint(fmt.Errorf("asking the API server %s: %s", cfg.Host, what), p.mend(cfg.ExecProvider, plugin))
	}
	return nil, fault.Hint(fmt.Errorf("asking the API server %s: %w", cfg.Host, err), "try: "+p.try())
}

// mend is what to do about a credential plugin, which is a command, that gives none.
func (p *provider) mend(plugin *api.ExecConfig, command string) string {
	if _, err := exec.LookPath(plugin.Command); err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(plugin.InstallHint), "\n")
		if said != "" {
			said = " (" + said + ")"
		}
		return fmt.Sprintf("install %s, by which the kubeconfig signs in%s, and try: %s", plugin.Command, said, p.try())
	}
	return fmt.Sprintf("the kubeconfig signs in by `%s`, which says why it does not: sign in to what it asks, and try: %s", command, p.try())
}

// try is a line that asks the cluster as zr does.
func (p *provider) try() string {
	return cmdline.Run{Kubeconfig: p.opts.Kubeconfig, Context: p.opts.Context}.Kubectl("get", "ns")
}
