package deploy

import (
	"fmt"
	"strings"
	"testing"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/state"
	"zr/pkg/event"
)

// Definitions are of the whole cluster: with one would go the objects that
// others made of it.
func TestPurgeSparesObjectsOfOthers(t *testing.T) {
	id := manifest.SetID("zr-x", "shop")
	ours := func(apiVersion, kind, name, more string) string {
		return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"uid":%q,"labels":{%q:%q}}%s}`, apiVersion, kind, name, name, manifest.PartOfLabel, id, more)
	}
	spec := `,"spec":{"group":"example.com","scope":"Namespaced","names":{"kind":"Gadget","plural":"gadgets"},"versions":[{"name":"v1beta1","served":false},{"name":"v1","served":true}]}`
	const (
		definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
		definition  = definitions + "/gadgets.example.com"
		namespace   = "/api/v1/namespaces/shop"
		gadget      = `{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"theirs","namespace":%q,"uid":"g"}}`
	)
	for _, test := range []struct {
		where        string // the object of somebody else
		stays, goes  []string
		notice       int
		noticeNaming string
	}{
		{"", nil, []string{definition, namespace}, 0, ""},
		{"elsewhere", []string{definition}, []string{namespace}, 1, `CustomResourceDefinition "gadgets.example.com" stays: with it would go Gadget "theirs"`},
		{"shop", []string{definition, namespace}, nil, 2, `Namespace "shop" stays: with it would go Gadget "theirs"`},
	} {
		parent := state.NewParent("zr-x", "shop")
		parent.Add(manifest.DefinitionKind, "")
		parent.Add(manifest.NamespaceKind, "")
		secret, err := parent.Object()
		if err != nil {
			t.Fatal(err)
		}
		data, err := secret.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		one := ours("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.example.com", spec)
		s := &stub{documents: map[string]string{
			namespace + "/secrets/zr-x": string(data),
			definitions:                 list(one), definition: one,
			"/api/v1/namespaces": list(ours("v1", "Namespace", "shop", "")), namespace: ours("v1", "Namespace", "shop", ""),
		}}
		if test.where != "" {
			s.documents["/apis/example.com/v1/gadgets"] = list(fmt.Sprintf(gadget, test.where))
			s.documents["/apis/example.com/v1/namespaces/"+test.where+"/gadgets"] = list(fmt.Sprintf(gadget, test.where))
		}
		var notices []string
		sink := event.SinkFunc(func(e event.Event) {
			if n, ok := e.(event.Notice); ok {
				notices = append(notices, n.Text)
			}
		})
		if err := s.deployer(t, "zr-x", "shop").Remove(t.Context(), sink, true); err != nil {
			t.Fatal(err)
		}
		for _, path := range test.stays {
			if s.removed(path) {
				t.Errorf("an object in %q: %s was deleted", test.where, path)
			}
		}
		for _, path := range test.goes {
			if !s.removed(path) {
				t.Errorf("an object in %q: %s stays", test.where, path)
			}
		}
		if said := strings.Join(notices, "\n"); len(notices) != test.notice || !strings.Contains(said, test.noticeNaming) {
			t.Errorf("an object in %q: the notices are %q", test.where, notices)
		}
	}
}
