package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"zr/pkg/deploy/manifest"
)

// Hash returns the hash of a rendered object.
func Hash(m *unstructured.Unstructured) (string, error) {
	data, err := json.Marshal(m.Object) // keys are sorted
	if err != nil {
		return "", fmt.Errorf("hashing %s: %w", manifest.Name(m), err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}

// Owned returns the fields of a live object that zr applied and still owns,
// in the format of managedFields, or nil.
func Owned(live *unstructured.Unstructured) json.RawMessage {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == manifest.FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == "" && entry.FieldsV1 != nil {
			return json.RawMessage(entry.FieldsV1.GetRawBytes())
		}
	}
	return nil
}

// imprint hashes the values that a live object has at the given fields. As
// long as it stays the same, nobody has changed what was applied: the server
// wrote both sides, so that defaults and the many ways to write a quantity
// make no difference.
func imprint(live *unstructured.Unstructured, fields json.RawMessage) (string, error) {
	set, err := FieldSet(fields)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	encoder := json.NewEncoder(h)
	for path := range set.Leaves().All() {
		v, ok := Lookup(live.Object, path)
		if !ok {
			continue
		}
		if err := encoder.Encode([]any{path.String(), v}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// FieldSet reads fields in the format of managedFields.
func FieldSet(fields json.RawMessage) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if err := set.FromJSON(bytes.NewReader(fields)); err != nil {
		return nil, fmt.Errorf("reading a set of fields: %w", err)
	}
	return set, nil
}

// Lookup returns the value that a path leads to.
func Lookup(v any, path fieldpath.Path) (any, bool) {
	for _, element := range path {
		var ok bool
		if v, ok = step(v, element); !ok {
			return nil, false
		}
	}
	return v, true
}

func step(v any, element fieldpath.PathElement) (any, bool) {
	switch {
	case element.FieldName != nil:
		m, _ := v.(map[string]any)
		next, ok := m[*element.FieldName]
		return next, ok
	case element.Index != nil:
		list, _ := v.([]any)
		if i := *element.Index; i < len(list) {
			return list[i], true
		}
	case element.Value != nil:
		list, _ := v.([]any)
		for _, item := range list {
			if value.Equals(value.NewValueInterface(item), *element.Value) {
				return item, true
			}
		}
	case element.Key != nil:
		list, _ := v.([]any)
		for _, item := range list {
			if m, ok := item.(map[string]any); ok && hasKey(m, *element.Key) {
				return item, true
			}
		}
	}
	return nil, false
}

// hasKey says whether an item of a list has the given keys.
func hasKey(item map[string]any, keys value.FieldList) bool {
	for _, key := range keys {
		v, ok := item[key.Name]
		if !ok || !value.Equals(value.NewValueInterface(v), key.Value) {
			return false
		}
	}
	return true
}

// SameOwnership says whether an apply would leave zr the owner of the fields
// that it owns already.
func SameOwnership(a, b *unstructured.Unstructured) bool {
	var x, y any
	if json.Unmarshal(Owned(a), &x) != nil || json.Unmarshal(Owned(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
