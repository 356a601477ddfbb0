package kube

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"zr/pkg/kube/object"
)

// A change says by which act it is, beside all that it said already, and what it was made of
// stays as it was.
func TestMarked(t *testing.T) {
	ctx, key := Act(t.Context())
	text := hex.EncodeToString(key[:])
	if ParseKey(text) != key || key == (Key{}) {
		t.Fatalf("%x is read as %x", key, ParseKey(text))
	}
	for name, tc := range map[string]struct {
		patch any
		want  string
	}{
		"nothing":         {map[string]any{}, `{"metadata":{"annotations":{"zr.dev/act":"` + text + `"}}}`},
		"another part":    {map[string]any{"spec": 1}, `{"metadata":{"annotations":{"zr.dev/act":"` + text + `"}},"spec":1}`},
		"other metadata":  {map[string]any{"metadata": map[string]any{"name": "web"}}, `{"metadata":{"annotations":{"zr.dev/act":"` + text + `"},"name":"web"}}`},
		"none of them":    {map[string]any{"metadata": map[string]any{"annotations": nil}}, `{"metadata":{"annotations":{"zr.dev/act":"` + text + `"}}}`},
		"others":          {map[string]any{"metadata": map[string]any{"annotations": map[string]any{"a": nil}}}, `{"metadata":{"annotations":{"a":null,"zr.dev/act":"` + text + `"}}}`},
		"of another act":  {map[string]any{"metadata": map[string]any{"annotations": map[string]any{object.ActAnnotation: "x"}}}, `{"metadata":{"annotations":{"zr.dev/act":"` + text + `"}}}`},
		"single commands": {[]map[string]any{{"op": "test"}}, `[{"op":"test"},{"op":"add","path":"/metadata/annotations/zr.dev~1act","value":"` + text + `"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := json.Marshal(tc.patch)
			patch, err := marked(ctx, tc.patch)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(patch); string(got) != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if after, _ := json.Marshal(tc.patch); string(after) != string(before) {
				t.Errorf("it was %s and is %s", before, after)
			}
		})
	}
	if patch, err := marked(ctx, []byte("{}")); err == nil {
		t.Errorf("what nothing can be said in is %s", patch)
	}
}

// What is changed outside of an act has a key that no other change has.
func TestMarkedOutsideOfAnAct(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		patch, err := marked(t.Context(), map[string]any{})
		if err != nil {
			t.Fatal(err)
		}
		text := patch.(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any)[object.ActAnnotation].(string)
		if seen[text] || ParseKey(text) == (Key{}) {
			t.Errorf("the key is %q", text)
		}
		seen[text] = true
	}
}

func TestParseKeyOfNone(t *testing.T) {
	for _, text := range []string{"", "07", "no key", "07000000000000000000000000000000ff", "0700000000000000000000000000000"} {
		if got := ParseKey(text); got != (Key{}) {
			t.Errorf("%q: got %x", text, got)
		}
	}
}
