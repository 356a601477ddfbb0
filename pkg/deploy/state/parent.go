// Package state is what a cluster keeps of an environment, which is an ApplySet
// (KEP-3659). Its parent is a Secret that says which kinds are in it. For each of its
// objects there is a Record of what was last applied. It makes no requests.
package state

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

// IDLabel is on the parent of an ApplySet. Its value is that of manifest.SetID.
const IDLabel = "applyset.kubernetes.io/id"

// The other names that KEP-3659 gives to what makes an ApplySet.
const (
	toolingAnnotation    = "applyset.kubernetes.io/tooling"
	kindsAnnotation      = "applyset.kubernetes.io/contains-group-kinds"
	namespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"

	tooling = "zr/v1"
)

// Parent is the object that stands for the set. It is not safe for concurrent use
// while it changes.
type Parent struct {
	Set, Namespace string
	Kinds          map[schema.GroupKind]bool
	Namespaces     map[string]bool   // beside its own
	Records        map[string]Record // by manifest.Key
}

// Record is what was last applied for one object.
type Record struct {
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

// NewParent returns the parent of a set that nothing is in.
func NewParent(set, namespace string) *Parent {
	return &Parent{Set: set, Namespace: namespace, Kinds: map[schema.GroupKind]bool{}, Namespaces: map[string]bool{}, Records: map[string]Record{}}
}

// stateKey is the entry of the Secret that holds the records.
const stateKey = "state"

// IsParent says whether a Secret is the parent of a set of zr's.
func IsParent(m *unstructured.Unstructured) bool {
	return m.GetLabels()[IDLabel] == manifest.SetID(m.GetName(), m.GetNamespace()) && m.GetAnnotations()[toolingAnnotation] == tooling
}

// ReadParent reads a parent from the cluster. Records that cannot be read are
// left out: they save requests and decide nothing that the server cannot.
func ReadParent(m *unstructured.Unstructured) *Parent {
	p := NewParent(m.GetName(), m.GetNamespace())
	annotations := m.GetAnnotations()
	for _, gk := range split(annotations[kindsAnnotation]) {
		p.Kinds[schema.ParseGroupKind(gk)] = true
	}
	for _, namespace := range split(annotations[namespacesAnnotation]) {
		p.Namespaces[namespace] = true
	}
	state, _, _ := unstructured.NestedString(m.Object, "data", stateKey)
	if records, err := unpack(state); err == nil {
		p.Records = records
	}
	return p
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Add notes that an object is part of the set.
func (p *Parent) Add(k manifest.Kind, namespace string) {
	p.Kinds[k.GroupKind()] = true
	if k.Namespaced && namespace != p.Namespace {
		p.Namespaces[namespace] = true
	}
}

// Include notes all that another parent contains.
func (p *Parent) Include(other *Parent) {
	maps.Copy(p.Kinds, other.Kinds)
	maps.Copy(p.Namespaces, other.Namespaces)
}

// Covers says whether all that another parent contains is noted here too.
func (p *Parent) Covers(other *Parent) bool {
	union := p.Clone()
	union.Include(other)
	return len(union.Kinds) == len(p.Kinds) && len(union.Namespaces) == len(p.Namespaces)
}

// Clone returns a parent that shares nothing with this one.
func (p *Parent) Clone() *Parent {
	c := NewParent(p.Set, p.Namespace)
	c.Include(p)
	maps.Copy(c.Records, p.Records)
	return c
}

// Equal says whether two parents contain the same, with the same records.
func (p *Parent) Equal(other *Parent) bool {
	return p.Covers(other) && other.Covers(p) && maps.EqualFunc(p.Records, other.Records, func(a, b Record) bool {
		return a.Manifest == b.Manifest && a.Live == b.Live && a.Lent == b.Lent && bytes.Equal(a.Fields, b.Fields)
	})
}

// Runs says whether the set has more than what is kept when it is taken down.
func (p *Parent) Runs() bool {
	for gk := range p.Kinds {
		if k, ok := manifest.ByGroupKind(gk); !ok || !k.Keep {
			return true
		}
	}
	return false
}

// Object returns the parent as it is applied.
func (p *Parent) Object() (*unstructured.Unstructured, error) {
	state, err := pack(p.Records)
	if err != nil {
		return nil, fmt.Errorf("packing the state of ApplySet %q: %w", p.Set, err)
	}
	var kinds []string
	for gk := range p.Kinds {
		kinds = append(kinds, gk.String())
	}
	slices.Sort(kinds)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{
			"name": p.Set, "namespace": p.Namespace,
			"labels": map[string]any{IDLabel: manifest.SetID(p.Set, p.Namespace), manifest.ManagedByLabel: manifest.FieldManager},
			"annotations": map[string]any{
				toolingAnnotation:    tooling,
				kindsAnnotation:      strings.Join(kinds, ","),
				namespacesAnnotation: strings.Join(slices.Sorted(maps.Keys(p.Namespaces)), ","),
			},
		},
		"data": map[string]any{stateKey: state},
	}}, nil
}

// Note takes down what the server made of an object that was applied.
func (r *Record) Note(live *unstructured.Unstructured) error {
	fields := Owned(live)
	print, err := imprint(live, fields)
	if err != nil {
		return fmt.Errorf("%s: %w", manifest.Name(live), err)
	}
	r.Live, r.Fields = print, fields
	return nil
}

// Holds says whether a live object still says what was applied.
func (r Record) Holds(live *unstructured.Unstructured) bool {
	now, err := imprint(live, r.Fields)
	return err == nil && now == r.Live
}

// pack compresses the records: field paths repeat themselves, and a Secret
// holds 1 MiB at most.
func pack(records map[string]Record) (string, error) {
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

func unpack(state string) (map[string]Record, error) {
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
	records := map[string]Record{}
	return records, json.Unmarshal(data, &records)
}
