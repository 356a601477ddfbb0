package deploy

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render/rendertest"
)

// shop is a cluster that holds the namespace, and what is applied as it was
// sent. Sent are the paths and bodies of the applies, dry runs included.
func shop(t *testing.T, sent *[]string) *stub {
	t.Helper()
	return &stub{
		documents: map[string]string{"/api/v1/namespaces/shop": `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`},
		patch: func(w http.ResponseWriter, q *http.Request) {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			*sent = append(*sent, q.URL.Path+" "+string(body))
			_, _ = w.Write(own(t, body))
		},
	}
}

// own returns an object that was sent as one that was applied.
func own(t *testing.T, sent []byte) []byte {
	t.Helper()
	m := &unstructured.Unstructured{}
	if err := json.Unmarshal(sent, m); err != nil {
		t.Error(err)
	}
	m.Object["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": manifest.FieldManager, "operation": "Apply", "fieldsV1": map[string]any{}}}
	out, err := json.Marshal(m)
	if err != nil {
		t.Error(err)
	}
	return out
}

// TestABarePodIsReplacedForItsSettings has settings that change under a pod
// which nobody rolls.
func TestABarePodIsReplacedForItsSettings(t *testing.T) {
	const pod = `apiVersion: v1
kind: Pod
metadata: {name: tool}
spec: {containers: [{name: tool, image: "example/tool:1", envFrom: [{configMapRef: {name: settings}}]}]}
`
	before := rendertest.Text(t, pod, map[string]string{"COLOUR": "blue"})
	for colour, want := range map[string]Action{"blue": Unchanged, "green": Replaced} {
		var sent []string
		s := shop(t, &sent)
		for _, o := range before.Objects {
			if o.GetKind() == "Pod" {
				live, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				s.documents["/api/v1/namespaces/shop/pods"] = list(string(live))
			}
		}
		cs, err := s.deployer(t, "zr-x", "shop").Diff(t.Context(), rendertest.Text(t, pod, map[string]string{"COLOUR": colour}))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs.Changes {
			if c.Kind == "Pod" && c.Action != want {
				t.Errorf("%s: the pod is %s", colour, c.Action)
			}
		}
		rehearsed := strings.Contains(strings.Join(sent, "\n"), "/pods/tool-zr ")
		if rehearsed != (want == Replaced) {
			t.Errorf("%s: asked was %q", colour, sent)
		}
	}
}
