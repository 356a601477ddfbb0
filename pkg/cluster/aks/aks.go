// Package aks finds a cluster of Azure Kubernetes Service. It asks Azure for
// the credentials of a user, never for those of an administrator, and signs in
// to the API server with Entra ID tokens, which it renews as long as zr runs.
// Neither az, kubectl nor kubelogin is needed.
package aks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"

	"zr/pkg/cluster"
	"zr/pkg/cluster/statedir"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// Name is the provider's name in a config and in a cluster.Cluster.
const Name = "aks"

// timeout is how long Azure, and then the API server, may take to answer.
const timeout = 15 * time.Second

// Options say which cluster is wanted.
type Options struct {
	Subscription  string // its id
	ResourceGroup string
	Cluster       string
	// Identity signs in.
	Identity *Identity
	// Plugin is the command of zr that prints a token for kubectl, without the
	// flags that say which.
	Plugin []string
	// Kubeconfig is where to keep the way to the cluster between runs. Default:
	// a file in zr's folder.
	Kubeconfig string
	// Lines are the command lines that hints tell.
	Lines cmdline.Run
	// Client are the options of requests to Azure. The zero value is the public cloud.
	Client azcore.ClientOptions
}

type provider struct{ opts Options }

// Abilities of a cluster that zr did not make: its nodes pull, and say themselves what
// they run.
var Abilities = cluster.Abilities{}

// New returns the provider of one cluster. It does no I/O.
func New(opts Options) cluster.Provider { return &provider{opts} }

// Ensure finds the cluster: zr makes none in Azure.
func (p *provider) Ensure(ctx context.Context, sink event.Sink) (*cluster.Cluster, error) {
	sink.Emit(event.StepProgress{Step: cluster.Step, Detail: "asking Azure for " + p.name()})
	return p.Find(ctx)
}

// Find returns the cluster if its API server accepts the user. The way to it is
// kept, so that Azure is asked only the first time, and when it leads nowhere.
func (p *provider) Find(ctx context.Context) (*cluster.Cluster, error) {
	c, err := p.find(ctx)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("using %s: %w", p.name(), err)
	}
	return c, err
}

// Delete refuses.
func (p *provider) Delete(context.Context, event.Sink) error {
	return fault.WithCode(fmt.Errorf("deleting %s: zr did not make it", p.name()),
		fault.Usage, "delete it where it was made; "+p.opts.Lines.Zr("down")+" removes the workloads")
}

func (p *provider) name() string {
	return fmt.Sprintf("AKS cluster %q of resource group %q", p.opts.Cluster, p.opts.ResourceGroup)
}

func (p *provider) find(ctx context.Context) (*cluster.Cluster, error) {
	if p.opts.Kubeconfig == "" {
		path, err := statedir.Kubeconfig(strings.Join([]string{Name, p.opts.Subscription, p.opts.ResourceGroup, p.opts.Cluster}, "@"))
		if err != nil {
			return nil, err
		}
		p.opts.Kubeconfig = path
	}
	kept, err := os.ReadFile(p.opts.Kubeconfig)
	if err == nil {
		c, err := p.use(ctx, kept)
		if err == nil || ctx.Err() != nil || !p.outdated(err) {
			return c, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading kubeconfig %q: %w", p.opts.Kubeconfig, err)
	}
	fetched, err := p.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if err := statedir.Write(p.opts.Kubeconfig, fetched); err != nil {
		return nil, err
	}
	c, err := p.use(ctx, fetched)
	return c, p.elsewhere(ctx, err)
}

// use signs in to the API server that a kubeconfig of fetch names.
func (p *provider) use(ctx context.Context, kubeconfig []byte) (*cluster.Cluster, error) {
	login, err := loginOf(kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg, err := kube.Load(p.opts.Kubeconfig, p.opts.Cluster)
	if err != nil {
		return nil, err
	}
	if login != nil {
		// Before the clock of the API server runs: a person may be asked.
		if _, err := p.opts.Identity.Token(ctx, *login, ""); err != nil {
			return nil, err
		}
		cfg.ExecProvider = nil // which the kubeconfig names for kubectl
		cfg.Wrap(p.opts.Identity.authorize(*login))
	}
	client, err := kube.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := p.reach(ctx, client, cfg.Host); err != nil {
		return nil, err
	}
	return &cluster.Cluster{Name: p.opts.Cluster, Provider: Name, Context: p.opts.Cluster, Kubeconfig: p.opts.Kubeconfig, Client: client}, nil
}

// reach asks the API server whether it is ready and knows the user.
func (p *provider) reach(ctx context.Context, client *kube.Client, host string) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := client.Ready(limited)
	var status *lean.StatusError
	switch {
	case err == nil:
		return nil
	case lean.HasCode(err, http.StatusUnauthorized):
		return fault.Hint(&refused{host}, "is it the right tenant, and is this machine's clock right? "+signInLine(p.opts.Identity.opts.Tenant))
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &status):
		return err
	}
	return &unreachable{host, err}
}

// outdated says whether asking Azure anew may fix what went wrong.
func (p *provider) outdated(err error) bool {
	var r *refused
	var u *unreachable
	return errors.As(err, &r) || errors.As(err, &u) || errors.Is(err, errNoLogin)
}

// elsewhere says why an API server does not answer, as far as Azure knows.
func (p *provider) elsewhere(ctx context.Context, err error) error {
	var u *unreachable
	if !errors.As(err, &u) || ctx.Err() != nil {
		return err
	}
	hint := "is a VPN missing, or a proxy on the way?"
	if strings.Contains(u.host, ".privatelink.") {
		hint = privateHint
	}
	client, clientErr := p.clusters()
	if clientErr != nil {
		return fault.Hint(err, hint)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, getErr := client.Get(limited, p.opts.ResourceGroup, p.opts.Cluster, nil)
	if getErr != nil || answer.Properties == nil {
		return fault.Hint(err, hint) // who may use a cluster need not be one who may look at it
	}
	state := answer.Properties
	access := state.APIServerAccessProfile
	switch {
	case state.PowerState != nil && state.PowerState.Code != nil && *state.PowerState.Code == armcontainerservice.CodeStopped:
		return fault.Hint(fmt.Errorf("the cluster is stopped: %w", err),
			"`"+p.opts.az("aks", "start")+"`")
	case access != nil && access.EnablePrivateCluster != nil && *access.EnablePrivateCluster:
		return fault.Hint(fmt.Errorf("the cluster is private: %w", err), privateHint)
	case access != nil && len(access.AuthorizedIPRanges) > 0:
		ranges := "ADDRESS" // beside those that there are, which the command would take away
		for _, known := range access.AuthorizedIPRanges {
			if known != nil {
				ranges = *known + "," + ranges
			}
		}
		return fault.Hint(fmt.Errorf("the cluster answers to some address ranges only: %w", err),
			"have this machine's address added: `"+p.opts.az("aks", "update", "--api-server-authorized-ip-ranges", ranges)+"`")
	}
	return fault.Hint(err, hint)
}

const privateHint = "its API server has an address inside its virtual network only: run zr there, or connect to that network's VPN first"

func (p *provider) clusters() (*armcontainerservice.ManagedClustersClient, error) {
	return armcontainerservice.NewManagedClustersClient(p.opts.Subscription, p.opts.Identity, p.opts.arm())
}

// refused says that an API server does not accept a token.
type refused struct{ host string }

func (e *refused) Error() string {
	return fmt.Sprintf("the API server %s does not accept the user's token", e.host)
}

// unreachable says that an API server did not answer.
type unreachable struct {
	host  string
	cause error
}

func (e *unreachable) Error() string {
	cause := e.cause
	if timeoutErr := (net.Error)(nil); errors.As(cause, &timeoutErr) && timeoutErr.Timeout() {
		return fmt.Sprintf("the API server %s did not answer within %s", e.host, timeout)
	}
	return fmt.Sprintf("asking the API server %s: %v", e.host, cause)
}

func (e *unreachable) Unwrap() error { return e.cause }
