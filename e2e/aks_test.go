package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/lab"
	"zr/pkg/cluster/aks/akstest"
)

// The environment "staging" of the example, on Azure.
const azureConfig = `project: zrtest-remote
cluster:
  provider: aks
  aks: {subscription: subscription, resourceGroup: group, cluster: team, tenant: ` + akstest.TenantID + `}
  registry: ` + azureRegistry + `/hello
services:
  greeter:
    build: {go: ./greeter}
  web:
    build: {node: web}
    dependsOn: [greeter]
settings:
  GREETING: Welcome
`

// azureProject has the nodes of a project's cluster be those of a cluster of Azure's,
// of which the environment "staging" in the namespace hello-staging is one.
func azureProject(t *testing.T, p *lab.Project, kubeconfig string) (a *azure, attach func()) {
	t.Helper()
	of := fieldsOf(t, kubeconfig)
	gateway, server, ca := gatewayOf(t, p.Name+"-dev-control-plane"), of("server"), of("certificate-authority-data")
	a = newAzure(t, gateway, server, ca)
	a.Set(func(r *akstest.Rules) { r.Lifetime = time.Minute })
	a.trustIn(t, p, server)
	p.Write("config/staging.yaml", azureConfig)
	p.Write("kustomize/overlays/staging/kustomization.yaml", strings.ReplaceAll(sharedOverlay, "hello-shared", "hello-staging"))
	return a, func() { a.attach(t, gateway, nodesOf(p)...) }
}

// as is a project whose zr has more in its environment, in a test of its own.
func as(t *testing.T, p *lab.Project, env ...string) *lab.Project {
	own := *p
	own.T, own.Env = t, append(slices.Clone(p.Env), env...)
	return &own
}

// testAKS takes an environment the whole way on a cluster of Azure's: from who is
// signed in to nothing left, by tokens that expire after a minute.
func testAKS(t *testing.T, p *lab.Project, kubeconfig string) {
	a, attach := azureProject(t, p, kubeconfig)
	p = as(t, p, a.as("ann")...)
	image := func() string {
		return p.Kubectl("get", "deployment", "greeter", "-n", "hello-staging", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	}
	say := func() string {
		return p.Kubectl("get", "--raw", "/api/v1/namespaces/hello-staging/services/greeter:http/proxy/greet")
	}

	p.Fails(1, []string{"ann@example.com", "cannot ", `in the namespace "hello-staging"`}, "up", "--target", "aks") // list or get, whichever is refused first
	p.Kubectl("create", "clusterrolebinding", "ann", "--clusterrole=cluster-admin", "--user=ann@example.com")
	refused := a.registry.Manifests.Load()
	p.Fails(1, []string{"it is not attached to the cluster", "az aks update --subscription subscription -g group -n team --attach-acr team"}, "up", "--target", "aks")
	if pushed := a.registry.Manifests.Load() - refused; pushed != 0 {
		t.Fatalf("%d images were pushed for nodes that may not pull them", pushed)
	}
	attach()

	p.Must("up", "--target", "aks") // healthy
	release := image()
	if !strings.HasPrefix(release, azureRegistry+"/hello/greeter") || !strings.Contains(release, "@sha256:") {
		t.Errorf("the greeter runs %s", release)
	}
	if got := say(); !strings.HasPrefix(got, "Welcome, world!\n") {
		t.Errorf("the greeter says %q", got)
	}
	pushed, exchanged := a.registry.Manifests.Load(), a.registry.Exchanges.Load()
	if pushed != 2 || exchanged == 0 {
		t.Errorf("%d images were pushed after %d exchanges of a token", pushed, exchanged)
	}

	p.Replace("greeter/words/words.go", "name + \"!", "name + \"!!") // changed
	if r := p.Must("diff", "--target", "aks"); !strings.Contains(r.Stdout, ".image: ") || image() != release || a.registry.Manifests.Load() != pushed {
		t.Errorf("a diff does not show the image, or changes something:\n%s", r.Stdout)
	}
	p.Must("up", "--target", "aks") // updated
	if got := say(); !strings.HasPrefix(got, "Welcome, world!!\n") || a.registry.Manifests.Load() != pushed+1 {
		t.Errorf("after an update the greeter says %q, with %d images pushed for it", got, a.registry.Manifests.Load()-pushed)
	}
	p.Replace("greeter/main.go", "func main() {", "func main() {\n\tpanic(\"not today\")") // and one that does not get healthy
	p.Fails(3, []string{"not today"}, "up", "--target", "aks")
	if got := say(); !strings.HasPrefix(got, "Welcome, world!!\n") {
		t.Errorf("beside a release that crashes the greeter says %q", got)
	}
	p.Replace("greeter/main.go", "\n\tpanic(\"not today\")", "")
	p.Replace("greeter/words/words.go", "name + \"!!", "name + \"!")
	p.Must("up", "--target", "aks") // rolled back
	if got := say(); !strings.HasPrefix(got, "Welcome, world!\n") || image() != release || a.registry.Manifests.Load() != pushed+2 {
		t.Errorf("rolled back, the greeter says %q by %s, it was %s, with %d images pushed", got, image(), release, a.registry.Manifests.Load()-pushed)
	}

	t.Run("three developers at a time", func(t *testing.T) { testDevelopers(t, p, a) })

	p.Must("down", "--target", "aks", "--purge", "--yes") // removed
	if left := strings.TrimSpace(p.Kubectl("get", "namespaces", "-o", "name", "--ignore-not-found", "hello-staging")); left != "" {
		t.Errorf("after a purge there is %s", left)
	}
}

// developer is the project on another machine, of somebody who signs in by that name.
func developer(t *testing.T, p *lab.Project, a *azure, name string) *lab.Project {
	t.Helper()
	own := as(t, p, append(a.as(name), "XDG_CONFIG_HOME="+t.TempDir())...)
	own.Dir = lab.Copy(t, "examples/hello")
	for _, file := range []string{"config/dev.yaml", "config/staging.yaml", "kustomize/overlays/staging/kustomization.yaml"} {
		own.Write(file, p.Read(file))
	}
	own.Kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", "--user="+name+"@example.com")
	return own
}

// testDevelopers has two developers work each in a namespace of their own, and a third
// on one service alone, with the others of "staging", at the same time.
func testDevelopers(t *testing.T, shared *lab.Project, a *azure) {
	say := func(namespace, service, path string) string {
		got, err := shared.TryKubectl("get", "--raw", "/api/v1/namespaces/"+namespace+"/services/"+service+":http/proxy"+path)
		if err != nil {
			return err.Error() + got
		}
		return got
	}
	ready := func(dev *lab.Running) { dev.Wait(0, "the stack to be ready", ofType("ready")) }
	ann, ben, cid := developer(t, shared, a, "ann-dev"), developer(t, shared, a, "ben-dev"), developer(t, shared, a, "cid-dev")

	bens := ben.Start("dev", "--target", "aks", "--namespace", "hello-ben", "--keep", "1ns") // and yet nobody removes it under him
	ready(bens)
	cid.Fails(2, []string{`no service "wep"`, "web"}, "dev", "--target", "aks", "--namespace", "hello-cid", "--only", "wep")
	anns, cids := ann.Start("dev", "--target", "aks", "--namespace", "hello-ann"), cid.Start("dev", "--target", "aks", "--namespace", "hello-cid", "--only", "web")
	ready(anns)
	ready(cids)
	before, expired := a.Issued("ann-dev"), time.Now().Add(time.Minute) // what the runs hold now
	if got := shared.Kubectl("get", "deployments,services", "-n", "hello-cid", "-o", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.spec.externalName}{"\n"}{end}`); got !=
		"Deployment web \nService greeter greeter.hello-staging.svc.cluster.local\nService web \n" {
		t.Errorf("for one service there is\n%s", got)
	}

	bensMark, annsMark := bens.Mark(), anns.Mark()
	ben.Replace("greeter/words/words.go", `"!\n"`, `", says Ben\n"`)
	ann.Replace("greeter/words/words.go", `"!\n"`, `", says Ann\n"`)
	cid.Replace("web/page.js", "up for", "running for")
	bens.Wait(bensMark, "Ben's greeter to be live", reloaded("greeter"))
	anns.Wait(annsMark, "Ann's greeter to be live", reloaded("greeter"))
	for namespace, want := range map[string]string{"hello-ben": "Welcome, world, says Ben\n", "hello-ann": "Welcome, world, says Ann\n", "hello-staging": "Welcome, world!\n"} {
		if got := say(namespace, "greeter", "/greet"); got != want {
			t.Errorf("in %s the greeter says %q", namespace, got)
		}
	}
	lab.Eventually(t, "Cid's page, with the greeting of staging", func() string { // not answered while node starts it again
		if got := say("hello-cid", "web", "/"); !strings.Contains(got, "Welcome, world!\n") || !strings.Contains(got, "running for") {
			return got
		}
		return ""
	})
	if got := say("hello-ann", "web", "/"); !strings.Contains(got, "says Ann") || !strings.Contains(got, "up for") {
		t.Errorf("Ann's page is %q", got)
	}

	lab.Eventually(t, "the tokens to expire", func() string {
		if left := time.Until(expired); left > 0 {
			return left.String() + " are left"
		}
		return ""
	})
	annsMark = anns.Mark()
	ann.Replace("greeter/words/words.go", "says Ann", "said Ann")
	anns.Wait(annsMark, "Ann's greeter to be live", reloaded("greeter"))
	if got := say("hello-ann", "greeter", "/greet"); got != "Welcome, world, said Ann\n" || a.Issued("ann-dev") == before {
		t.Errorf("after its tokens have expired, a run makes %q live, with %d new ones", got, a.Issued("ann-dev")-before)
	}

	for _, dev := range []*lab.Running{anns, bens, cids} {
		dev.Interrupt()
	}
	ann.Must("down", "--target", "aks", "--expired", "--yes")
	cid.Must("down", "--target", "aks", "--namespace", "hello-cid", "--purge", "--yes")
	if got := shared.Kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"); strings.Contains(got, "hello-ben") || strings.Contains(got, "hello-cid") ||
		!strings.Contains(got, "hello-ann") || !strings.Contains(got, "hello-staging") {
		t.Errorf("with Ben's abandoned and Cid's removed there are %s", got)
	}
	ann.Must("down", "--target", "aks", "--namespace", "hello-ann", "--purge", "--yes")
}
