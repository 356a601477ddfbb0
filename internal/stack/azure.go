package stack

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"golang.org/x/term"

	"zr/pkg/cluster/aks"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image/acr"
)

// newIdentity is who signs in to the cluster and to its registry. A person is asked
// for a code only where the run has a terminal and shows what it says.
func (s *Stack) newIdentity() *aks.Identity {
	opts := aks.IdentityOptions{Tenant: s.cfg.Cluster.AKS.Tenant}
	if s.options.Shown && term.IsTerminal(int(os.Stdin.Fd())) {
		opts.Prompt = func(text string) { s.sink.Emit(event.Notice{Text: text}) }
	}
	return aks.NewIdentity(opts)
}

func (s *Stack) aksOptions() aks.Options {
	where := s.cfg.Cluster.AKS
	return aks.Options{
		Subscription: where.Subscription, ResourceGroup: where.ResourceGroup, Cluster: where.Cluster,
		Identity: s.identity(), Plugin: kubeTokenPlugin(), Lines: linesOf(s.cfg),
	}
}

// registryToken returns a token that a registry of Azure's exchanges.
func (s *Stack) registryToken(ctx context.Context) (string, error) {
	return s.identity().Token(ctx, aks.Login{Scope: acr.Scope, Tenant: s.cfg.Cluster.AKS.Tenant}, "")
}

// KubeTokenVerb is what zr is called with by kubectl, for the clusters that need
// a token of Entra ID.
const KubeTokenVerb = "kube-token"

func kubeTokenPlugin() []string {
	program, err := os.Executable()
	if err != nil {
		program = "zr" // as the PATH has it
	}
	return []string{program, KubeTokenVerb}
}

// KubeToken returns the text of a credential plugin for the API server of an AKS
// cluster, by the contract of client.authentication.k8s.io/v1. server names the
// application that the token is for. An empty tenant is that of who is signed in.
func KubeToken(ctx context.Context, server, tenant string) ([]byte, error) {
	if server == "" {
		return nil, fault.WithCode(errors.New("--server-id says what the token is for"), fault.Usage, "")
	}
	value, err := aks.NewIdentity(aks.IdentityOptions{Tenant: tenant}).Token(ctx, aks.Login{Scope: aks.ScopeOf(server), Tenant: tenant}, "")
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
		// kubectl asks again after a minute: a token may be near its end.
		"status": map[string]any{"token": value, "expirationTimestamp": time.Now().Add(time.Minute).UTC().Format(time.RFC3339)},
	})
	return append(text, '\n'), err
}
