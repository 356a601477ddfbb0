package folder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
)

// TestCopiesAreWhatIsThere, whatever a build makes of the names that were there
// before: files, folders in their place, and the other way round.
func TestCopiesAreWhatIsThere(t *testing.T) {
	from, copies := t.TempDir(), NewCopies(t.TempDir())
	for i, outputs := range []map[string]string{
		{"a": "1", "d/x": "1", "d/sub/y": "1", "f": "1"},
		{"a": "1", "d": "2", "f/x/y": "2"},       // a folder is a file, and a file a folder
		{"a": "1", "a.new": "1", "d/x": "3"},     // and back; the name of a copy that is not whole yet
		{"a": "2", "a.new": "1", "d/x": "3"},     // one of the two changed
		{"new": "1", "files/new": "1", "d": "4"}, // names of the folder's own
	} {
		if err := os.RemoveAll(from); err != nil {
			t.Fatal(err)
		}
		for name, content := range outputs {
			testkit.WriteFile(t, filepath.Join(from, name), content)
		}
		files, err := copies.Of(from, func(string) bool { return true })
		if err != nil {
			t.Fatalf("outputs %d: %v", i, err)
		}
		got := map[string]string{}
		for name, path := range files {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("outputs %d: %v", i, err)
			}
			got[name] = string(content)
		}
		if diff := cmp.Diff(outputs, got); diff != "" {
			t.Errorf("outputs %d: %s", i, diff)
		}
	}
}
