package aks

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"zr/pkg/cmdline"
	"zr/pkg/fault"
)

// SignInError says why there is no token.
type SignInError struct {
	what  string
	cause error
}

func (e *SignInError) Error() string { return e.what }
func (e *SignInError) Unwrap() error { return e.cause }

// entraCode finds what Entra ID says, which begins with a documented code, in
// whatever the SDK or a command line tool made of it.
var entraCode = regexp.MustCompile(`AADSTS(\d+): [^\r\n"\\]*`)

// The codes of Entra ID that have a fix of their own.
var entraCodes = map[string]string{
	"50173": expired, "50076": expired, "50078": expired, "50079": expired, "70043": expired, "70044": expired, "700082": expired, "700084": expired,
	"50020": tenant, "90002": tenant, "700016": tenant, "500011": tenant, "90072": tenant,
	"7000215": secret, "7000222": secret, "700027": secret,
}

const (
	expired = "the sign-in has expired"
	tenant  = "it is the wrong tenant"
	secret  = "the secret or certificate of the application is not accepted"
)

// explainSignIn says which of the reasons for having no token it is.
func explainSignIn(err error, tenantID string) error {
	var already *SignInError
	if errors.As(err, &already) {
		return err
	}
	var failed *azidentity.AuthenticationFailedError
	said := entraCode.FindStringSubmatch(err.Error())
	switch {
	case said != nil && entraCodes[said[1]] == secret:
		return fault.Hint(&SignInError{secret + ": " + said[0], err},
			"renew it, `az ad app credential reset --id \"$AZURE_CLIENT_ID\"`, and set AZURE_CLIENT_SECRET to what that prints")
	case said != nil && entraCodes[said[1]] != "":
		return fault.Hint(&SignInError{entraCodes[said[1]] + ": " + said[0], err}, signInLine(tenantID))
	case said == nil && !errors.As(err, &failed):
		return fault.Hint(&SignInError{"nobody is signed in on this machine", err},
			signInLine(tenantID)+"; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
	}
	kind, words := lastTried(err.Error())
	if said != nil {
		words = said[0]
	}
	if as, ok := kinds[kind]; ok {
		return fault.Hint(&SignInError{as.who + ": " + cmp.Or(words, as.usual), err}, cmp.Or(as.mend, signInLine(tenantID)))
	}
	return fault.Hint(&SignInError{cmp.Or(words, "it failed"), err}, signInLine(tenantID))
}

// kinds are the ways to sign in that have a mend of their own, by the SDK's names.
var kinds = map[string]struct{ who, usual, mend string }{
	"WorkloadIdentityCredential": {"as the workload identity of this pod", "it is not accepted",
		"AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID and AZURE_TENANT_ID say who that is: does its service account have one, and does the application trust it?"},
	"ManagedIdentityCredential": {"as the managed identity of this machine", "it is not accepted",
		"`az vm identity show -g GROUP -n MACHINE` lists those that it has; AZURE_CLIENT_ID says which of several"},
	"DeviceCodeCredential": {"by a code", "it was not typed in time, or is not accepted", ""},
}

// tried finds in what the SDK says the ways to sign in that it has tried, each with the
// first line about it.
var tried = regexp.MustCompile(`(?m)^\s*(\w+Credential)(?: authentication failed\.|:) *(.*?)(?:\.? To troubleshoot, visit .*)?$`)

// lastTried returns the last of them: it is the one that failed, since the SDK goes on
// where one is not there.
func lastTried(text string) (kind, words string) {
	if all := tried.FindAllStringSubmatch(text, -1); len(all) > 0 {
		last := all[len(all)-1]
		return last[1], strings.TrimSpace(last[2])
	}
	return "", strings.Join(strings.Fields(text), " ")
}

// misconfigured says why the SDK does not even look for an identity.
func misconfigured(err error) error {
	what, _, _ := strings.Cut(err.Error(), ". See https://")
	return fault.WithCode(&SignInError{what, err}, fault.Usage, "AZURE_TOKEN_CREDENTIALS may be left out, and a tenant is an id or a domain")
}

func signInLine(tenantID string) string {
	if tenantID == "" {
		return "`az login`"
	}
	return "`az login --tenant " + tenantID + "`"
}

// clusterUser is the role that may fetch user credentials, and no others.
const clusterUser = "Azure Kubernetes Service Cluster User Role"

// authority is where Azure says which tenant a subscription belongs to.
var authority = regexp.MustCompile(`authorization_uri="https://[^/"]+/([^/"]+)"`)

// explainAzure says why Azure gives no credentials.
func (p *provider) explainAzure(err error) error {
	var signIn *SignInError
	var failed *azidentity.AuthenticationFailedError
	var said *azcore.ResponseError
	switch {
	case errors.As(err, &signIn):
		return err
	case !errors.As(err, &said):
		if errors.As(err, &failed) || strings.Contains(err.Error(), "failed to acquire a token") {
			return fmt.Errorf("signing in to Azure: %w", explainSignIn(err, p.opts.Identity.opts.Tenant))
		}
		return fault.Hint(fmt.Errorf("asking Azure: %w", err), "is this machine online, and is a proxy missing?")
	}
	list := func(what string) string {
		return "`" + cmdline.Line("az", what, "list", "--subscription", p.opts.Subscription, "-o", "table") + "` lists them"
	}
	switch {
	case said.ErrorCode == "InvalidAuthenticationTokenTenant":
		id := "TENANT"
		if said.RawResponse != nil {
			if found := authority.FindStringSubmatch(said.RawResponse.Header.Get("WWW-Authenticate")); found != nil {
				id = found[1]
			}
		}
		return fault.Hint(errors.New("who is signed in belongs to another tenant than the subscription"),
			signInLine(id)+", and `tenant: "+id+"` below cluster.aks in the config")
	case said.StatusCode == http.StatusUnauthorized:
		return fault.Hint(fmt.Errorf("the sign-in is not accepted there (%s)", said.ErrorCode), signInLine(p.opts.Identity.opts.Tenant))
	case said.StatusCode == http.StatusForbidden:
		return fault.Hint(errors.New("who is signed in may not fetch its user credentials"), "have somebody who may grant the right run `"+
			cmdline.Line("az", "role", "assignment", "create", "--role", clusterUser, "--assignee", "YOU", "--scope", p.id())+"`")
	case said.ErrorCode == "SubscriptionNotFound", said.ErrorCode == "InvalidSubscriptionId":
		return fault.WithCode(fmt.Errorf("there is no subscription %q for who is signed in", p.opts.Subscription), fault.Usage, "`az account list -o table` lists them")
	case said.ErrorCode == "ResourceGroupNotFound":
		return fault.WithCode(fmt.Errorf("there is no resource group %q", p.opts.ResourceGroup), fault.Usage, list("group"))
	case said.StatusCode == http.StatusNotFound:
		return fault.WithCode(errors.New("there is no such cluster"), fault.Usage, list("aks"))
	}
	return fmt.Errorf("asking Azure: %d %s", said.StatusCode, said.ErrorCode)
}

// id is the resource id of the cluster.
func (p *provider) id() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.ContainerService/managedClusters/%s",
		p.opts.Subscription, p.opts.ResourceGroup, p.opts.Cluster)
}

// brief is an error of Azure's in one line, of what the SDK makes a page of.
func brief(err error) error {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return fmt.Errorf("%d %s", answer.StatusCode, answer.ErrorCode)
	}
	return err
}
