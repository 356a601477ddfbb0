package stack

import (
	"slices"
	"testing"

	"zr/pkg/config"
)

// TestEveryKindOfTheConfigCanBeBuilt, and nothing else.
func TestEveryKindOfTheConfigCanBeBuilt(t *testing.T) {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	if want := config.Kinds(); !slices.Equal(names, want) {
		t.Errorf("zr builds %v, the config knows %v", names, want)
	}
}
