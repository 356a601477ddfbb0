package cli

import (
	"strings"
	"testing"
)

func TestALongValueIsCut(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ä", n) }
	for _, test := range []struct {
		before, after any
		old, new      string
	}{
		{nil, "short", "(none)", `"short"`},
		{map[string]any{"a": 1}, long(valueLimit - 2), `{"a":1}`, `"` + long(valueLimit-2) + `"`},
		{nil, long(900_000), "(none)", `"` + long(valueLimit-1) + "… (of 900002 characters)"},
		{long(900_000), long(800_000) + "b" + long(99_999),
			"…" + long(valueLimit) + "… (of 900002 characters)", "…" + long(valueContext) + "b" + long(valueLimit-valueContext-1) + "… (of 900002 characters)"},
		{long(900_000), long(900_000) + "b",
			"…" + long(valueLimit-1) + `" (of 900002 characters)`, "…" + long(valueLimit-2) + `b" (of 900003 characters)`},
	} {
		if old, new := values(test.before, test.after); old != test.old || new != test.new {
			t.Errorf("printed is\n%.900s\n%.900s", old, new)
		}
	}
}
