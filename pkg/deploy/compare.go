package deploy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
)

// masked stands for a value that may not be shown.
const masked = "(secret)"

// comparison collects the differences of two objects.
type comparison struct {
	secrets []string // values that may not be shown
	hide    bool     // the object is a Secret
	out     []FieldChange
}

// compare returns the fields in which two states of an object differ, without
// those that the server keeps for itself. Either may be nil.
func compare(before, after *unstructured.Unstructured, secrets []string) []FieldChange {
	c := &comparison{secrets: secrets}
	for _, m := range []*unstructured.Unstructured{before, after} {
		if m != nil && m.GetKind() == "Secret" && m.GroupVersionKind().Group == "" {
			c.hide = true
		}
	}
	c.values("", visible(before), visible(after))
	return c.out
}

// visible returns what a user wrote of an object.
func visible(m *unstructured.Unstructured) any {
	if m == nil {
		return nil
	}
	object := maps.Clone(m.Object)
	delete(object, "status")
	metadata := maps.Clone(manifest.At(object, "metadata"))
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"} {
		delete(metadata, field)
	}
	if annotations := maps.Clone(manifest.At(metadata, "annotations")); annotations != nil {
		// A copy of the whole object, the values of a Secret included.
		delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		metadata["annotations"] = annotations
	}
	if metadata != nil {
		object["metadata"] = metadata
	}
	return object
}

func (c *comparison) values(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	beforeMap, beforeIsMap := before.(map[string]any)
	afterMap, afterIsMap := after.(map[string]any)
	if (beforeIsMap || before == nil) && (afterIsMap || after == nil) && len(beforeMap)+len(afterMap) > 0 {
		c.maps(path, beforeMap, afterMap)
		return
	}
	beforeList, beforeIsList := before.([]any)
	afterList, afterIsList := after.([]any)
	if (beforeIsList || before == nil) && (afterIsList || after == nil) && len(beforeList)+len(afterList) > 0 {
		c.lists(path, beforeList, afterList)
		return
	}
	c.out = append(c.out, FieldChange{Path: path, Old: c.mask(path, before), New: c.mask(path, after)})
}

func (c *comparison) maps(path string, before, after map[string]any) {
	keys := slices.Collect(maps.Keys(before))
	for key := range after {
		if _, both := before[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		c.values(path+segment(key), before[key], after[key])
	}
}

// lists pairs the items of two lists by what identifies them, or by their
// place.
func (c *comparison) lists(path string, before, after []any) {
	key := identity(before, after)
	if key == "" {
		for i := range max(len(before), len(after)) {
			c.values(fmt.Sprintf("%s[%d]", path, i), index(before, i), index(after, i))
		}
		return
	}
	olds := map[string]any{}
	for _, item := range before {
		olds[fmt.Sprint(item.(map[string]any)[key])] = item
	}
	for _, item := range after {
		id := fmt.Sprint(item.(map[string]any)[key])
		c.values(fmt.Sprintf("%s[%s=%s]", path, key, id), olds[id], item)
		delete(olds, id)
	}
	for _, id := range slices.Sorted(maps.Keys(olds)) {
		c.values(fmt.Sprintf("%s[%s=%s]", path, key, id), olds[id], nil)
	}
}

func index(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// identity returns the field that tells the items of both lists apart, or "".
func identity(lists ...[]any) string {
	for _, key := range []string{"name", "mountPath", "containerPort", "port", "ip", "type", "key"} {
		if slices.IndexFunc(lists, func(list []any) bool { return !identifies(list, key) }) < 0 {
			return key
		}
	}
	return ""
}

func identifies(list []any, key string) bool {
	seen := map[string]bool{}
	for _, item := range list {
		m, _ := item.(map[string]any)
		id, ok := m[key]
		if !ok || seen[fmt.Sprint(id)] {
			return false
		}
		seen[fmt.Sprint(id)] = true
	}
	return true
}

// segment is the part of a path that a key of a map adds. One with dots in it
// is quoted.
func segment(key string) string {
	if strings.ContainsAny(key, ".[]") {
		return fmt.Sprintf("[%q]", key)
	}
	return "." + key
}

// mask hides the content of Secrets, and known secret values wherever else
// they turn up.
func (c *comparison) mask(path string, v any) any {
	if v == nil {
		return nil
	}
	if c.hide && (strings.HasPrefix(path, ".data.") || strings.HasPrefix(path, ".stringData.")) {
		return masked
	}
	switch v := v.(type) {
	case string:
		return hideSecrets(v, c.secrets)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = c.mask(path, v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key := range v {
			out[key] = c.mask(path, v[key])
		}
		return out
	}
	return v
}

// minSecret is the length from which a secret value is looked for in other
// texts: shorter ones ("zr", "app") are part of ordinary words.
const minSecret = 6

func hideSecrets(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, masked)
		}
	}
	return text
}
