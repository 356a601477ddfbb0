package kube

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"zr/pkg/kube/object"
)

// Key is what the audit log knows an act by.
type Key [16]byte

type actKey struct{}

// Act returns ctx for an act: what it changes has the key of its record in the audit log,
// by which it can be found who changed that last.
func Act(ctx context.Context) (context.Context, Key) {
	key := newKey()
	return context.WithValue(ctx, actKey{}, key), key
}

func newKey() (k Key) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// ParseKey reads the key in an annotation; what is none is the zero Key, which no record has.
func ParseKey(annotation string) (k Key) {
	if raw, err := hex.DecodeString(annotation); err == nil && len(raw) == len(k) {
		copy(k[:], raw)
	}
	return k
}

// marked is a patch, or an object, that says by which act it is. Without an act it has a key
// that no record has: that of an earlier act must not stay.
func marked(ctx context.Context, patch any) (any, error) {
	key, acts := ctx.Value(actKey{}).(Key)
	if !acts {
		key = newKey()
	}
	text := hex.EncodeToString(key[:])
	switch p := patch.(type) {
	case map[string]any:
		return with(p, text), nil
	case []map[string]any: // a JSON patch, of an object that has annotations
		path := "/metadata/annotations/" + strings.ReplaceAll(object.ActAnnotation, "/", "~1")
		return append(p[:len(p):len(p)], map[string]any{"op": "add", "path": path, "value": text}), nil
	}
	return nil, fmt.Errorf("nothing says by which act a %T is", patch)
}

// with is an object with the annotation, and leaves the one that is given as it is.
func with(o map[string]any, text string) map[string]any {
	o = maps.Clone(o)
	meta := child(o, "metadata")
	child(meta, "annotations")[object.ActAnnotation] = text
	return o
}

// child makes the map under a key the parent's own.
func child(parent map[string]any, key string) map[string]any {
	is, _ := parent[key].(map[string]any)
	own := maps.Clone(is)
	if own == nil {
		own = map[string]any{}
	}
	parent[key] = own
	return own
}
