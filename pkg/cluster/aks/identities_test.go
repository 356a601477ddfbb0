package aks

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"zr/internal/testkit"
	"zr/pkg/cluster/aks/akstest"
	"zr/pkg/fault"
)

// machine is one on which identities are looked for: with what its variables, the
// programs on its PATH and its metadata service say, and with Entra ID in place of the
// real one.
type machine struct {
	t        *testing.T
	entra    entra
	server   string       // to sign in to: another for each, since the SDK keeps tokens of managed identities for all of a process
	programs string       // the folder on PATH
	metadata http.Handler // of a virtual machine; nil on any other
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "IDENTITY_") || strings.HasPrefix(name, "MSI_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	m := &machine{t: t, entra: newEntra(t), server: rand.Text(), programs: t.TempDir()}
	t.Setenv("PATH", m.programs)
	return m
}

// Do is the way from this machine to anything.
func (m *machine) Do(r *http.Request) (*http.Response, error) {
	switch r.URL.Host {
	case "login.microsoftonline.com":
		there := r.Clone(r.Context())
		there.URL.Host = strings.TrimPrefix(m.entra.Issuer, "https://")
		return m.entra.server.Client().Do(there)
	case strings.TrimPrefix(m.entra.Issuer, "https://"):
		return m.entra.server.Client().Do(r)
	case "169.254.169.254":
		if m.metadata != nil {
			w := httptest.NewRecorder()
			m.metadata.ServeHTTP(w, r)
			answer := w.Result()
			answer.Request = r
			return answer, nil
		}
	}
	return nil, fmt.Errorf("no route to %s", r.URL.Host)
}

// program puts a program on the PATH, which checks what it is asked for.
func (m *machine) program(name, args, script string) {
	m.t.Helper()
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$*\" != '%s' ]; then echo \"asked: $*\" >&2; exit 2; fi\n%s\n", args, script)
	if err := os.WriteFile(filepath.Join(m.programs, name), []byte(text), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) token(who string) string {
	return m.entra.Sign(m.entra.Issuer, m.server, who, "", time.Hour)
}

// virtualMachine is the metadata service of one with identities.
func (m *machine) virtualMachine(identities ...string) {
	m.metadata = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata") != "true" {
			http.Error(w, `{"error":"bad_request_102","error_description":"Required metadata header not specified"}`, http.StatusBadRequest)
			return
		}
		for _, id := range identities {
			if id == r.FormValue("client_id") && r.FormValue("resource") == m.server {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"access_token":%q,"client_id":%q,"expires_in":"86400","expires_on":"%d","ext_expires_in":"86399","not_before":"0","resource":%q,"token_type":"Bearer"}`,
					m.token("machine"+id), id, time.Now().Add(24*time.Hour).Unix(), m.server)
				return
			}
		}
		http.Error(w, `{"error":"invalid_request","error_description":"Identity not found"}`, http.StatusBadRequest)
	})
}

// azAsks and azdAsks are what the programs are asked for.
func (m *machine) azAsks() string {
	return "account get-access-token -o json --resource " + m.server + " --tenant " + akstest.TenantID
}

func (m *machine) azdAsks() string {
	return "auth token -o json --no-prompt --scope " + m.server + "/.default --tenant-id " + akstest.TenantID
}

// azureCLI has somebody be signed in to az.
func (m *machine) azureCLI(who string) {
	expires := time.Now().Add(time.Hour)
	m.program("az", m.azAsks(), fmt.Sprintf(`echo '{
  "accessToken": "%s",
  "expiresOn": "%s",
  "expires_on": %d,
  "subscription": "00000000-0000-0000-0000-000000000000",
  "tenant": "%s",
  "tokenType": "Bearer"
}'`, m.token(who), expires.Local().Format("2006-01-02 15:04:05.000000"), expires.Unix(), akstest.TenantID))
}

// azdCLI has somebody be signed in to azd.
func (m *machine) azdCLI(who string) {
	m.program("azd", m.azdAsks(), fmt.Sprintf(`echo '{
  "token": "%s",
  "expiresOn": "%s"
}'`, m.token(who), time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")))
}

// powerShell has the Az module of PowerShell say or do something. What it is asked for is
// a script of the SDK's.
func (m *machine) powerShell(script string) {
	m.t.Helper()
	text := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in '-NoProfile -NonInteractive -OutputFormat Text -EncodedCommand '*) ;; *) exit 2 ;; esac\n%s\n", script)
	if err := os.WriteFile(filepath.Join(m.programs, "pwsh"), []byte(text), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// workload has the variables and the file that Kubernetes gives pods with an identity.
func (m *machine) workload(assertion string) (file string) {
	m.t.Helper()
	file = filepath.Join(m.t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(assertion), 0o600); err != nil {
		m.t.Fatal(err)
	}
	for name, value := range map[string]string{"AZURE_FEDERATED_TOKEN_FILE": file, "AZURE_TENANT_ID": akstest.TenantID, "AZURE_CLIENT_ID": "workload", "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"} {
		m.t.Setenv(name, value)
	}
	m.entra.Set(func(r *akstest.Rules) { r.Assertion = "an assertion" })
	return file
}

// TestWhoSignsIn has each kind of identity alone on a machine, and those that are there
// beside others: who is signed in, or what is said.
func TestWhoSignsIn(t *testing.T) {
	const signIn = "`az login --tenant " + akstest.TenantID + "`"
	for what, test := range map[string]struct {
		there      func(*machine)
		prompt     bool
		who        string // or else
		says, hint string
	}{
		"an application with a secret": {there: func(m *machine) {
			m.t.Setenv("AZURE_TENANT_ID", akstest.TenantID)
			m.t.Setenv("AZURE_CLIENT_ID", "pipeline")
			m.t.Setenv("AZURE_CLIENT_SECRET", "secret")
			m.azureCLI("ann@example.com")
		}, who: "pipeline@example.com"},
		"a workload identity": {there: func(m *machine) {
			m.workload("an assertion")
			m.azureCLI("ann@example.com")
		}, who: "workload@example.com"},
		"a workload identity whose file is another's": {there: func(m *machine) { m.workload("another") },
			says: "AADSTS700024: Client assertion is not within its valid time range", hint: "AZURE_FEDERATED_TOKEN_FILE"},
		"a workload identity without its file": {there: func(m *machine) { os.Remove(m.workload("")) },
			says: "no such file", hint: "AZURE_FEDERATED_TOKEN_FILE"},
		"a managed identity": {there: func(m *machine) {
			m.virtualMachine("")
			m.azureCLI("ann@example.com")
		}, who: "machine"},
		"one managed identity of several": {there: func(m *machine) {
			m.t.Setenv("AZURE_CLIENT_ID", "-two")
			m.virtualMachine("-one", "-two")
		}, who: "machine-two"},
		"a managed identity that the machine does not have": {there: func(m *machine) {
			m.t.Setenv("AZURE_CLIENT_ID", "-three")
			m.virtualMachine("-one", "-two")
		}, says: "as the managed identity of this machine: the requested identity isn't assigned to this resource", hint: "AZURE_CLIENT_ID"},
		"a virtual machine without an identity, on which somebody is signed in": {there: func(m *machine) {
			m.virtualMachine()
			m.azureCLI("ann@example.com")
		}, who: "ann@example.com"},
		"the Azure CLI": {there: func(m *machine) {
			m.azureCLI("ann@example.com")
			m.azdCLI("ben@example.com")
		}, who: "ann@example.com"},
		"the Azure CLI, with nobody signed in": {there: func(m *machine) {
			m.program("az", m.azAsks(), "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
		}, says: "nobody is signed in on this machine", hint: signIn},
		"the Azure CLI, with a sign-in that has expired": {there: func(m *machine) {
			m.program("az", m.azAsks(), "echo 'ERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1' >&2; exit 1")
		}, says: "the sign-in has expired: AADSTS700082", hint: signIn},
		"the Azure Developer CLI": {there: func(m *machine) { m.azdCLI("ben@example.com") }, who: "ben@example.com"},
		"the Azure Developer CLI, with nobody signed in": {there: func(m *machine) {
			m.program("azd", m.azdAsks(), "echo '{\"error\":\"not logged in, run `azd auth login` to login\",\"message\":\"\",\"suggestion\":\"\"}' >&2; exit 1")
		}, says: "nobody is signed in on this machine", hint: signIn},
		"Azure PowerShell": {there: func(m *machine) {
			m.powerShell(fmt.Sprintf(`echo '{
  "Token": "%s",
  "ExpiresOn": %d
}'`, m.token("cid@example.com"), time.Now().Add(time.Hour).Unix()))
		}, who: "cid@example.com"},
		"Azure PowerShell, with nobody signed in": {there: func(m *machine) {
			m.powerShell("echo 'Get-AzAccessToken: Run Connect-AzAccount to login.' >&2; exit 1")
		}, says: "nobody is signed in on this machine", hint: signIn},
		"a person with a code": {there: func(m *machine) {
			m.program("az", m.azAsks(), "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
		}, prompt: true, who: akstest.Person},
		"a person who types no code": {there: func(m *machine) {
			m.entra.Set(func(r *akstest.Rules) {
				r.Refusal = "AADSTS70020: The provided value for the input parameter 'device_code' is not valid."
			})
		}, prompt: true, says: "by a code: it was not typed in time, or is not accepted", hint: signIn}, // the SDK loses what Entra ID says of it,
		"somebody who is signed in is asked for no code": {there: func(m *machine) { m.azureCLI("ann@example.com") }, prompt: true, who: "ann@example.com"},
		"nothing": {there: func(*machine) {}, says: "nobody is signed in on this machine", hint: signIn + "; or set AZURE_TENANT_ID"},
		"a kind of identity that does not exist": {there: func(m *machine) { m.t.Setenv("AZURE_TOKEN_CREDENTIALS", "az") },
			says: `invalid AZURE_TOKEN_CREDENTIALS value "az"`, hint: "AZURE_TOKEN_CREDENTIALS"},
		"another kind than the one that is asked for": {there: func(m *machine) {
			m.t.Setenv("AZURE_TOKEN_CREDENTIALS", "AzureDeveloperCLICredential")
			m.azureCLI("ann@example.com")
		}, says: "nobody is signed in on this machine", hint: signIn},
	} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t)
			test.there(m)
			options := IdentityOptions{Tenant: akstest.TenantID, Client: azcore.ClientOptions{Transport: m, Retry: policy.RetryOptions{MaxRetries: -1}}}
			var prompts []string
			if test.prompt {
				options.Prompt = func(text string) { prompts = append(prompts, text) }
			}
			token, err := NewIdentity(options).Token(t.Context(), Login{Scope: m.server + "/.default", Tenant: akstest.TenantID}, "")
			if test.who != "" {
				if err != nil {
					t.Fatal(err)
				}
				if who, _, err := m.entra.Verify(token, m.entra.Issuer, m.server); who != test.who || err != nil {
					t.Errorf("%q is signed in, and not %q: %v", who, test.who, err)
				}
				asked := test.who == akstest.Person
				if asked != (len(prompts) == 1) || asked && !strings.Contains(prompts[0], akstest.UserCode) {
					t.Errorf("a person was asked %q", prompts)
				}
				return
			}
			testkit.ErrorSays(t, err, test.says)
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 || !strings.Contains(fault.HintOf(err), test.hint) || fault.HintOf(err) == "" {
				t.Errorf("it says %q (hint %q)", err, fault.HintOf(err))
			}
			if signIn := (*SignInError)(nil); !errors.As(err, &signIn) {
				t.Errorf("%v is no SignInError", err)
			}
		})
	}
}
