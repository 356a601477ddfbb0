package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"zr/pkg/deploy/render"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	if text == "" {
		return nil
	}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCompare(t *testing.T) {
	secrets := []string{"correct horse", "zr"}
	for _, test := range []struct {
		name, before, after string
		want                []FieldChange
	}{
		{"the same", "kind: X\na: {b: 1}", "kind: X\na: {b: 1}", nil},
		{"what the server keeps for itself",
			"kind: X\nmetadata: {name: x, uid: a, resourceVersion: '1', generation: 1, managedFields: [], annotations: {kubectl.kubernetes.io/last-applied-configuration: old}}\nstatus: {a: 1}",
			"kind: X\nmetadata: {name: x, uid: b, resourceVersion: '2', generation: 2, annotations: {}}\nstatus: {a: 2}", nil},
		{"scalars, in order", "kind: X\nb: 1\na: x", "kind: X\nb: 2\na: z", []FieldChange{{".a", "x", "z"}, {".b", int64(1), int64(2)}}},
		{"something new", "", "kind: X\na: {b: [1, 2]}", []FieldChange{{".a.b[0]", nil, int64(1)}, {".a.b[1]", nil, int64(2)}, {".kind", nil, "X"}}},
		{"an empty map", "kind: X", "kind: X\na: {}", []FieldChange{{".a", nil, map[string]any{}}}},
		{"keys with dots", "kind: X\na: {b.c/d: 1}", "kind: X\na: {b.c/d: 2}", []FieldChange{{`.a["b.c/d"]`, int64(1), int64(2)}}},
		{"items by name, wherever they are",
			"kind: X\nl: [{name: a, v: 1}, {name: b, v: 2}, {name: c, v: 3}]", "kind: X\nl: [{name: c, v: 3}, {name: a, v: 9}, {name: d, v: 4}]",
			[]FieldChange{
				{".l[name=a].v", int64(1), int64(9)}, {".l[name=d].name", nil, "d"}, {".l[name=d].v", nil, int64(4)},
				{".l[name=b].name", "b", nil}, {".l[name=b].v", int64(2), nil},
			}},
		{"items that nothing tells apart", "kind: X\nl: [{name: a}, {name: a}]", "kind: X\nl: [{name: a}]", []FieldChange{{".l[1].name", "a", nil}}},
		{"a list for a scalar", "kind: X\na: 1", "kind: X\na: [1]", []FieldChange{{".a", int64(1), []any{int64(1)}}}},
		{"a Secret", "apiVersion: v1\nkind: Secret\ndata: {a: eA==, b: eQ==}", "apiVersion: v1\nkind: Secret\ndata: {a: eg==, c: eg==}",
			[]FieldChange{{".data.a", masked, masked}, {".data.b", masked, nil}, {".data.c", nil, masked}}},
		{"a secret elsewhere; short ones are ordinary words", "kind: X\na: zr", "kind: X\na: url://zr:correct horse@x",
			[]FieldChange{{".a", "zr", "url://zr:(secret)@x"}}},
	} {
		if diff := cmp.Diff(test.want, compare(parse(t, test.before), parse(t, test.after), secrets)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestASecretThatBeginsWithAnotherIsHiddenWhole(t *testing.T) {
	dir := t.TempDir()
	text := "namespace: shop\nconfigMapGenerator: [{name: x, literals: [a=b]}]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "s", Secrets: map[string]string{
		"A": "correct", "B": "correct horse", "C": "correct horse battery", "D": "correct horse battery staple"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := hideSecrets("url://correct horse battery staple@x", r.Hidden); got != "url://(secret)@x" {
		t.Errorf("what is left is %q", got)
	}
}
