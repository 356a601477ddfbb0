package aks

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"

	"zr/pkg/fault"
)

// execVersion is the version of the contract between kubectl and a credential
// plugin.
const execVersion = "client.authentication.k8s.io/v1"

// The flags that say what to sign in to: kubelogin's, and those of zr's plugin.
const (
	serverFlag = "--server-id"
	tenantFlag = "--tenant-id"
)

// errNoLogin says that a kubeconfig has no way to sign in that zr knows.
var errNoLogin = errors.New("its kubeconfig has neither a certificate nor a way to sign in with Entra ID")

// fetch asks Azure for the kubeconfig of a user, and has zr itself be what
// kubectl calls for a token.
func (p *provider) fetch(ctx context.Context) ([]byte, error) {
	client, err := p.clusters()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if p.opts.Identity.opts.Prompt != nil {
		limited = ctx // a person may be asked, and takes as long as it takes
	}
	format := armcontainerservice.FormatExec
	answer, err := client.ListClusterUserCredentials(limited, p.opts.ResourceGroup, p.opts.Cluster,
		&armcontainerservice.ManagedClustersClientListClusterUserCredentialsOptions{Format: &format})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, p.explainAzure(err)
	}
	for _, credential := range answer.Kubeconfigs {
		if credential != nil && len(credential.Value) > 0 {
			return p.rewritten(credential.Value)
		}
	}
	return nil, fault.Hint(errors.New("there are no user credentials for it"), "is the cluster still being made?")
}

// rewritten keeps of a kubeconfig what it says of its current context.
func (p *provider) rewritten(kubeconfig []byte) ([]byte, error) {
	given, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig that Azure gives: %w", err)
	}
	at := given.Contexts[given.CurrentContext]
	if at == nil || given.Clusters[at.Cluster] == nil || given.AuthInfos[at.AuthInfo] == nil {
		return nil, errors.New("the kubeconfig that Azure gives names no cluster and user")
	}
	user := given.AuthInfos[at.AuthInfo]
	if user.Exec != nil {
		login := args(user.Exec.Args)
		if login[serverFlag] == "" {
			return nil, errNoLogin
		}
		plugin := p.opts.Plugin
		user = &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
			APIVersion: execVersion, Command: plugin[0], InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode,
			Args: append(append([]string{}, plugin[1:]...), serverFlag, login[serverFlag], tenantFlag, login[tenantFlag]),
		}}
	}
	kept := clientcmdapi.NewConfig()
	kept.CurrentContext = p.opts.Cluster
	kept.Clusters[p.opts.Cluster], kept.AuthInfos[p.opts.Cluster] = given.Clusters[at.Cluster], user
	kept.Contexts[p.opts.Cluster] = &clientcmdapi.Context{Cluster: p.opts.Cluster, AuthInfo: p.opts.Cluster}
	return clientcmd.Write(*kept)
}

// loginOf returns what a kubeconfig of fetch has one sign in to: nothing where
// it holds a certificate, as that of a cluster without Entra ID does.
func loginOf(kubeconfig []byte) (*Login, error) {
	cfg, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoLogin, err)
	}
	at := cfg.Contexts[cfg.CurrentContext]
	if at == nil || cfg.AuthInfos[at.AuthInfo] == nil {
		return nil, errNoLogin
	}
	user := cfg.AuthInfos[at.AuthInfo]
	if user.Exec == nil {
		if len(user.ClientCertificateData) == 0 && user.Token == "" {
			return nil, errNoLogin
		}
		return nil, nil
	}
	login := args(user.Exec.Args)
	if login[serverFlag] == "" {
		return nil, errNoLogin
	}
	return &Login{Scope: ScopeOf(login[serverFlag]), Tenant: login[tenantFlag]}, nil
}

// ScopeOf returns the scope of a token for the API servers of an application.
func ScopeOf(serverID string) string { return serverID + "/.default" }

// args reads flags that have their value behind them.
func args(list []string) map[string]string {
	found := map[string]string{}
	for i := 0; i+1 < len(list); i++ {
		if flag := list[i]; flag == serverFlag || flag == tenantFlag {
			found[flag] = list[i+1]
			i++
		}
	}
	return found
}
