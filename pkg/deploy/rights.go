package deploy

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"zr/pkg/deploy/manifest"
	"zr/pkg/fault"
)

// Right is what somebody may do in the namespace of the set.
type Right struct {
	Verb     string
	Group    string // of the API
	Resource string // "pods/log" is a part of one
	Name     string // of the one object; empty: of all
	For      string // what it is needed for, in words that follow "to"
}

// May returns an error that names every one of these rights that the user lacks, and
// what would grant them.
func (d *Deployer) May(ctx context.Context, rights []Right) error {
	if d.Own || len(rights) == 0 {
		return nil // who makes a cluster may do everything
	}
	missing, err := d.missing(ctx, rights)
	if err != nil {
		return d.reachable(err)
	}
	if len(missing) == 0 {
		return nil
	}
	user := d.user(ctx)
	said := make([]string, len(missing))
	for i, m := range missing {
		said[i] = fmt.Sprintf("may not %s %s in namespace %q, which it takes to %s", m.Verb, m.kubectl(), d.namespace, m.For)
	}
	return fault.Hint(fmt.Errorf("%s %s", whoIs(user), strings.Join(said, "; ")), d.grant(user, d.namespace, missing))
}

// missing returns those of the rights that the user lacks. One question tells of most
// servers what the user may do; what it does not mention is asked for one by one, since
// an authorizer need not be able to list its rules.
func (d *Deployer) missing(ctx context.Context, rights []Right) ([]Right, error) {
	rules, err := d.rules(ctx)
	if err != nil && !untold(err) {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(rights), func(r Right) bool {
		return slices.ContainsFunc(rules, func(rule resourceRule) bool { return rule.allows(r) })
	})
	allowed := make([]bool, len(rest))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, r := range rest {
		g.Go(func() (err error) {
			resource, part, _ := strings.Cut(r.Resource, "/")
			allowed[i], err = d.review(gctx, map[string]any{"verb": r.Verb, "group": r.Group, "resource": resource, "subresource": part, "name": r.Name, "namespace": d.namespace})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var missing []Right
	for i, r := range rest {
		if !allowed[i] {
			missing = append(missing, r)
		}
	}
	return missing, nil
}

// resourceRule is one of what a server lists of a user's rights.
type resourceRule struct{ verbs, groups, resources, names []string }

func (rule resourceRule) allows(r Right) bool {
	has := func(list []string, want string) bool {
		return slices.Contains(list, want) || slices.Contains(list, "*")
	}
	_, part, isPart := strings.Cut(r.Resource, "/")
	return has(rule.verbs, r.Verb) && has(rule.groups, r.Group) &&
		(has(rule.resources, r.Resource) || isPart && slices.Contains(rule.resources, "*/"+part)) &&
		(len(rule.names) == 0 || r.Name != "" && slices.Contains(rule.names, r.Name))
}

var (
	rulesKind  = manifest.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectRulesReview"}, Resource: "selfsubjectrulesreviews"}
	reviewKind = manifest.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectAccessReview"}, Resource: "selfsubjectaccessreviews"}
	selfKind   = manifest.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "authentication.k8s.io", Version: "v1", Kind: "SelfSubjectReview"}, Resource: "selfsubjectreviews"}
)

// rules returns what the server lists of the user's rights in the namespace.
func (d *Deployer) rules(ctx context.Context) ([]resourceRule, error) {
	answer, err := d.selfReview(ctx, rulesKind, map[string]any{"namespace": d.namespace})
	if err != nil {
		return nil, fmt.Errorf("asking for the rights in namespace %q: %w", d.namespace, err)
	}
	var rules []resourceRule
	for _, rule := range manifest.Items(manifest.At(answer.Object, "status"), "resourceRules") {
		texts := func(key string) []string { s, _, _ := unstructured.NestedStringSlice(rule, key); return s }
		rules = append(rules, resourceRule{texts("verbs"), texts("apiGroups"), texts("resources"), texts("resourceNames")})
	}
	return rules, nil
}

// untold says whether a server tells this user nothing of rights: then each is taken to
// be there until it is used.
func untold(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) }

// review asks whether the user has one right.
func (d *Deployer) review(ctx context.Context, attributes map[string]any) (bool, error) {
	answer, err := d.selfReview(ctx, reviewKind, map[string]any{"resourceAttributes": attributes})
	if untold(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for the right to %s %s: %w", attributes["verb"], attributes["resource"], err)
	}
	allowed, _ := manifest.At(answer.Object, "status")["allowed"].(bool)
	return allowed, nil
}

// user is the name by which the server knows the user, or empty where it does not tell.
func (d *Deployer) user(ctx context.Context) string {
	answer, err := d.selfReview(ctx, selfKind, nil)
	if err != nil {
		return "" // older than 1.28
	}
	return manifest.Text(manifest.At(answer.Object, "status", "userInfo"), "username")
}

func (d *Deployer) selfReview(ctx context.Context, kind manifest.Kind, spec map[string]any) (*unstructured.Unstructured, error) {
	review := &unstructured.Unstructured{Object: map[string]any{"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind}}
	if spec != nil {
		review.Object["spec"] = spec
	}
	return d.resource(kind, "").Create(ctx, review, metav1.CreateOptions{})
}

// grant is the hint of who lacks rights: the commands that grant them.
func (d *Deployer) grant(user, namespace string, missing []Right) string {
	role, flags := "role", []string{"--namespace", namespace}
	if namespace == "" {
		role, flags = "clusterrole", nil
	}
	verbs, resources := map[string]bool{}, map[string]bool{}
	for _, r := range missing {
		verbs[r.Verb] = true
		resources[r.kubectl()] = true
	}
	if user == "" {
		user = "NAME"
	}
	list := func(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ",") }
	hash := fnv.New32a()
	fmt.Fprint(hash, user, list(verbs), list(resources))
	name := fmt.Sprintf("zr-%08x", hash.Sum32()) // of its own, since what was granted before stays
	return "have somebody who may grant rights run `" +
		d.Lines.Kubectl(append([]string{"create", role, name, "--verb=" + list(verbs), "--resource=" + list(resources)}, flags...)...) + "` and `" +
		d.Lines.Kubectl(append([]string{"create", role + "binding", name, "--" + role + "=" + name, "--user=" + user}, flags...)...) + "`"
}

// kubectl is how messages name a resource, and kubectl does.
func (r Right) kubectl() string {
	resource, part, isPart := strings.Cut(r.Resource, "/")
	if r.Group != "" {
		resource += "." + r.Group
	}
	if isPart {
		resource += "/" + part
	}
	return resource
}

// withheld is how a server words that a user lacks a right.
var withheld = regexp.MustCompile(`User "([^"]*)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)

// granted is the hint for what a server refuses since the user lacks a right; empty for
// what it refuses otherwise.
func (d *Deployer) granted(err error) string {
	said := withheld.FindStringSubmatch(err.Error())
	if said == nil {
		return ""
	}
	return d.grant(said[1], said[5], []Right{{Verb: said[2], Resource: said[3], Group: said[4]}})
}

func whoIs(name string) string {
	if name == "" {
		return "the user of the kubeconfig"
	}
	return fmt.Sprintf("user %q", name)
}
