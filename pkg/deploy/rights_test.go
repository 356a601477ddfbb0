package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"zr/internal/testkit"
	"zr/pkg/cmdline"
	"zr/pkg/deploy"
	"zr/pkg/deploy/lease"
	"zr/pkg/fault"
)

// TestMissingRightsAreNamed has people whose roles lack one thing each of what a run
// needs, be it that a rule allows it by its name, by a star or for one object.
func TestMissingRightsAreNamed(t *testing.T) {
	needs := []deploy.Right{
		{Verb: "create", Group: "coordination.k8s.io", Resource: "leases", For: "keep others away"},
		{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", For: "keep others away"},
		{Verb: "create", Resource: "pods/portforward", For: "ask services"},
		{Verb: "get", Resource: "pods/log", For: "show logs"},
		{Verb: "list", Resource: "pods", For: "see pods"},
	}
	all := []any{rule("coordination.k8s.io", "leases", "create", "update"), rule("", "pods/portforward", "create"), rule("", "pods/log", "get"), rule("", "pods", "list")}
	but := func(i int, instead ...any) []any { return append(slices.Delete(slices.Clone(all), i, i+1), instead...) }
	named := rule("", "pods", "list").(map[string]any)
	for what, test := range map[string]struct {
		rules        []any
		lacks, mends []string // none: nothing
	}{
		"who may do what is needed":       {rules: all},
		"who may do everything":           {rules: []any{rule("*", "*", "*")}},
		"who may do it to parts of any":   {rules: but(1, rule("", "*/portforward", "*"))},
		"who may do it to all of a group": {rules: but(0, rule("coordination.k8s.io", "*", "*"))},
		"who may make no leases":          {but(0, rule("coordination.k8s.io", "leases", "update")), []string{"create leases.coordination.k8s.io"}, []string{"--verb=create --resource=leases.coordination.k8s.io"}},
		"who may renew no leases":         {but(0, rule("coordination.k8s.io", "leases", "create", "get")), []string{"update leases.coordination.k8s.io"}, []string{"--verb=update --resource=leases.coordination.k8s.io"}},
		"who may forward no ports":        {but(1, rule("", "pods", "*")), []string{"create pods/portforward"}, []string{"--verb=create --resource=pods/portforward"}},
		"who may read no logs":            {but(2), []string{"get pods/log"}, []string{"--verb=get --resource=pods/log"}},
		"who may see one pod":             {but(3, with(named, "resourceNames", []any{"one"})), []string{"list pods"}, []string{"--verb=list --resource=pods"}},
		"who may do other things":         {[]any{rule("", "configmaps", "*")}, []string{"create leases.", "update leases.", "create pods/portforward", "get pods/log", "list pods"}, []string{"--verb=create,get,list,update --resource=leases.coordination.k8s.io,pods,pods/log,pods/portforward"}},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRun(t)
			admin := r.cfg
			name := r.be("user", append(test.rules, rule("", "endpoints", "get"))...)
			ready := []deploy.Right{{Verb: "get", Resource: "endpoints"}} // the rules come last
			r.await("the role to be known", func() bool { return r.deployer().May(t.Context(), ready) == nil })
			err := r.deployer().May(t.Context(), needs)
			if len(test.lacks) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			testkit.ErrorSays(t, err, fmt.Sprintf("user %q may not ", name))
			if got := strings.Count(err.Error(), "may not "); got != len(test.lacks) {
				t.Errorf("%d rights are missed, want %q: %v", got, test.lacks, err)
			}
			for _, right := range test.lacks {
				if !strings.Contains(err.Error(), "may not "+right) || !strings.Contains(err.Error(), fmt.Sprintf("in namespace %q, which it takes to ", r.Namespace)) {
					t.Errorf("%v does not name %q", err, right)
				}
			}
			hint := fault.HintOf(err)
			for _, words := range append(test.mends, "kubectl create role zr-", "kubectl create rolebinding zr-", " --user="+name+" --namespace "+r.Namespace) {
				if !strings.Contains(hint, words) {
					t.Errorf("the hint does not say %q: %s", words, hint)
				}
			}
			r.cfg = admin
			if err := r.deployer().May(t.Context(), needs); err != nil {
				t.Errorf("of an administrator: %v", err)
			}
		})
	}
}

func with(object map[string]any, key string, value any) map[string]any {
	object[key] = value
	return object
}

// TestWhatIsRefusedLateNamesTheMendToo has the server refuse requests of an apply and of
// a lease.
func TestWhatIsRefusedLateNamesTheMendToo(t *testing.T) {
	r := newRun(t)
	r.up()
	name := r.be("reader", rule("*", "*", "get", "list"), rule("", "endpoints", "get"))
	r.await("the role to be known", func() bool {
		return r.deployer().May(t.Context(), []deploy.Right{{Verb: "get", Resource: "endpoints"}}) == nil
	})
	_, taken := r.deployer().Lease(t.Context(), lease.Options{Holder: "a test"})
	r.Edit("web.yaml", "replicas: 2", "replicas: 3")
	for what, refused := range map[string]struct {
		err  error
		hint string
	}{
		"a lease": {taken, "--verb=create --resource=leases.coordination.k8s.io --namespace " + r.Namespace},
		"a diff":  {r.diffError(), "--verb=patch --resource=deployments.apps --namespace " + r.Namespace},
	} {
		if hint := fault.HintOf(refused.err); refused.err == nil || !strings.Contains(hint, "kubectl create role zr-") || !strings.Contains(hint, refused.hint) || !strings.Contains(hint, "--user="+name) {
			t.Errorf("%s: %v (hint %q)", what, refused.err, hint)
		}
	}
}

// TestTheMendOfMissingRightsMends has an administrator type what somebody was told, once
// and, since more is missing, once more.
func TestTheMendOfMissingRightsMends(t *testing.T) {
	r := newRun(t)
	bin := os.Getenv("ZR_TEST_KUBE_BIN")
	if bin == "" {
		t.Skip("ZR_TEST_KUBE_BIN is not set")
	}
	programs := t.TempDir()
	if err := os.Symlink(filepath.Join(bin, "kube"), filepath.Join(programs, "kubectl")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	r.up()
	administrator := kubeconfigOf(t, r.cfg)
	r.be("newcomer", rule("", "endpoints", "get"))
	for _, needs := range [][]deploy.Right{
		{{Verb: "create", Group: "coordination.k8s.io", Resource: "leases", For: "keep others away"}, {Verb: "get", Resource: "pods/log", For: "show logs"}},
		{{Verb: "patch", Resource: "namespaces", Name: r.Namespace, For: "keep it"}},
	} {
		d := r.deployer()
		d.Lines = cmdline.Run{Kubeconfig: administrator}
		lines := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(fault.HintOf(d.May(t.Context(), needs)), -1)
		if len(lines) != 2 {
			t.Fatalf("the hint has the lines %q", lines)
		}
		for _, line := range lines {
			if out, err := exec.Command("sh", "-c", line[1]).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line[1], err, out)
			}
		}
		r.await("what was granted", func() bool { return d.May(t.Context(), needs) == nil })
	}
}

// kubeconfigOf writes how to reach a cluster to a file.
func kubeconfigOf(t *testing.T, cfg *rest.Config) string {
	t.Helper()
	config, path := clientcmdapi.NewConfig(), filepath.Join(t.TempDir(), "kubeconfig")
	config.CurrentContext = "c"
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: cfg.Host, InsecureSkipTLSVerify: cfg.Insecure, CertificateAuthority: cfg.CAFile, CertificateAuthorityData: cfg.CAData}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: cfg.BearerToken, ClientCertificate: cfg.CertFile, ClientCertificateData: cfg.CertData, ClientKey: cfg.KeyFile, ClientKeyData: cfg.KeyData}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}
