package manifest

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"zr/pkg/kube/object"
)

// FieldManager is the owner of the fields that are applied.
const FieldManager = "zr"

// The labels by which an object is known as zr's.
const (
	PartOfLabel    = object.SetLabel // its value is a SetID
	ManagedByLabel = "app.kubernetes.io/managed-by"
)

// SetID returns the ID of the set whose parent is the Secret of that name, as
// the KEP computes it.
func SetID(set, namespace string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{set, namespace, "Secret", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}
