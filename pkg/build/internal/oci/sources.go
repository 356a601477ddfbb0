package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// WithoutSources hashes all of an image that Assemble made but its layers of
// sources and the given variables: images of the same hash differ in nothing
// else.
func WithoutSources(img v1.Image, variables ...string) (string, error) {
	file, err := img.ConfigFile()
	if err != nil {
		return "", fmt.Errorf("reading the config of an image: %w", err)
	}
	config := *file.Config.DeepCopy()
	config.Env = slices.DeleteFunc(config.Env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(variables, name)
	})
	var layers []v1.Hash
	at := 0
	for _, h := range file.History {
		if h.EmptyLayer {
			continue
		}
		if at < len(file.RootFS.DiffIDs) && h.Comment != sourcesMark {
			layers = append(layers, file.RootFS.DiffIDs[at])
		}
		at++
	}
	if at != len(file.RootFS.DiffIDs) {
		return "", fmt.Errorf("reading the config of an image: a history of %d layers for %d", at, len(file.RootFS.DiffIDs))
	}
	what, err := json.Marshal([]any{config, layers, file.OS, file.Architecture, file.Variant})
	if err != nil {
		return "", fmt.Errorf("reading the config of an image: %w", err)
	}
	sum := sha256.Sum256(what)
	return hex.EncodeToString(sum[:]), nil
}
