package deploy

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
)

// The names that KEP-3659 gives to what makes an ApplySet.
const (
	idLabel              = "applyset.kubernetes.io/id"
	toolingAnnotation    = "applyset.kubernetes.io/tooling"
	kindsAnnotation      = "applyset.kubernetes.io/contains-group-kinds"
	namespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"

	tooling = "zr/v1"
)

// parent is the object that stands for the set.
type parent struct {
	set, namespace string
	kinds          map[schema.GroupKind]bool
	namespaces     map[string]bool   // beside its own
	records        map[string]record // by keyOf
}

// record is what was last applied for one object.
type record struct {
	// Manifest is the hash of what was rendered.
	Manifest string `json:"m"`
	// Live is the hash of what the server made of it: of the values of Fields.
	Live string `json:"l"`
	// Fields are the fields that were owned after the apply, in the format of
	// managedFields.
	Fields json.RawMessage `json:"f,omitempty"`
	// Lent says that the object was there before, and is nobody's of the set.
	Lent bool `json:"n,omitempty"`
}

func newParent(set, namespace string) *parent {
	return &parent{set: set, namespace: namespace, kinds: map[schema.GroupKind]bool{}, namespaces: map[string]bool{}, records: map[string]record{}}
}

// stateKey is the entry of the Secret that holds the records.
const stateKey = "state"

// readParent reads a parent from the cluster. Records that cannot be read are
// left out: they save requests and decide nothing that the server cannot.
func readParent(m *unstructured.Unstructured) *parent {
	p := newParent(m.GetName(), m.GetNamespace())
	annotations := m.GetAnnotations()
	for _, gk := range split(annotations[kindsAnnotation]) {
		p.kinds[schema.ParseGroupKind(gk)] = true
	}
	for _, namespace := range split(annotations[namespacesAnnotation]) {
		p.namespaces[namespace] = true
	}
	state, _, _ := unstructured.NestedString(m.Object, "data", stateKey)
	if records, err := unpack(state); err == nil {
		p.records = records
	}
	return p
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// add notes that an object is part of the set.
func (p *parent) add(k manifest.Kind, namespace string) {
	p.kinds[k.GroupKind()] = true
	if k.Namespaced && namespace != p.namespace {
		p.namespaces[namespace] = true
	}
}

// include notes all that another parent contains.
func (p *parent) include(other *parent) {
	maps.Copy(p.kinds, other.kinds)
	maps.Copy(p.namespaces, other.namespaces)
}

// covers says whether all that another parent contains is noted here too.
func (p *parent) covers(other *parent) bool {
	union := p.clone()
	union.include(other)
	return len(union.kinds) == len(p.kinds) && len(union.namespaces) == len(p.namespaces)
}

func (p *parent) clone() *parent {
	c := newParent(p.set, p.namespace)
	c.include(p)
	maps.Copy(c.records, p.records)
	return c
}

func (p *parent) equal(other *parent) bool {
	return p.covers(other) && other.covers(p) && maps.EqualFunc(p.records, other.records, func(a, b record) bool {
		return a.Manifest == b.Manifest && a.Live == b.Live && a.Lent == b.Lent && bytes.Equal(a.Fields, b.Fields)
	})
}

// object returns the parent as it is applied.
func (p *parent) object() (*unstructured.Unstructured, error) {
	state, err := pack(p.records)
	if err != nil {
		return nil, fmt.Errorf("packing the state of ApplySet %q: %w", p.set, err)
	}
	var kinds []string
	for gk := range p.kinds {
		kinds = append(kinds, gk.String())
	}
	slices.Sort(kinds)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{
			"name": p.set, "namespace": p.namespace,
			"labels": map[string]any{idLabel: manifest.SetID(p.set, p.namespace), manifest.ManagedByLabel: manifest.FieldManager},
			"annotations": map[string]any{
				toolingAnnotation:    tooling,
				kindsAnnotation:      strings.Join(kinds, ","),
				namespacesAnnotation: strings.Join(slices.Sorted(maps.Keys(p.namespaces)), ","),
			},
		},
		"data": map[string]any{stateKey: state},
	}}, nil
}

// pack compresses the records: field paths repeat themselves, and a Secret
// holds 1 MiB at most.
func pack(records map[string]record) (string, error) {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if err := json.NewEncoder(w).Encode(records); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buffer.Bytes()), nil
}

func unpack(state string) (map[string]record, error) {
	data, err := base64.StdEncoding.DecodeString(state)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if data, err = io.ReadAll(io.LimitReader(r, 64<<20)); err != nil {
		return nil, err
	}
	records := map[string]record{}
	return records, json.Unmarshal(data, &records)
}
