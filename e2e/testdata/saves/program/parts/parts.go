// Package parts knows the values that its other files add, under their names.
package parts

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
)

var values = map[string]string{}

func add(value string) {
	_, file, _, _ := runtime.Caller(1)
	values[strings.TrimSuffix(path.Base(file), ".go")] = value
}

// All returns a line name=value for each file.
func All() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s=%s\n", name, values[name])
	}
	return b.String()
}
