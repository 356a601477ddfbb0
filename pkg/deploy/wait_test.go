package deploy

import (
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
)

func TestAWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := poll(t.Context(), "waiting for Godot", func() (bool, error) { return false, nil })
		if err == nil || err.Error() != "waiting for Godot: not done after 3m0s" {
			t.Errorf("the wait ends with %v", err)
		}
	})
}

// Two definitions cannot share a name: the server takes both, and serves one.
func TestADefinitionThatIsNotServed(t *testing.T) {
	s := &stub{documents: map[string]string{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com": `{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.example.com"},
		"status": {"conditions": [
			{"type": "Established", "status": "False", "reason": "NotAccepted", "message": "not all names are accepted"},
			{"type": "NamesAccepted", "status": "False", "reason": "KindConflict", "message": "\"Gadget\" is already in use"}]}}`}}
	o := &render.Object{Unstructured: &unstructured.Unstructured{}, Kind: manifest.DefinitionKind}
	o.SetName("gadgets.example.com")
	err := s.deployer(t, "zr-x", "shop").established(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), `CustomResourceDefinition "gadgets.example.com" is not served: "Gadget" is already in use`) {
		t.Errorf("the wait ends with %v", err)
	}
}
