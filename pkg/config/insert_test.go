package config

import "testing"

func TestInsert(t *testing.T) {
	for name, c := range map[string]struct{ file, key, want string }{
		"behind the last":        {"a: 1\nlist:\n  - x # why\n\n# of b\nb: 2\n", "list", "a: 1\nlist:\n  - x # why\n  - y\n\n# of b\nb: 2\n"},
		"not indented":           {"list:\n- x\n", "list", "list:\n- x\n- y\n"},
		"deeper":                 {"list:\n    - x\nb: 2", "list", "list:\n    - x\n    - y\nb: 2\n"},
		"an entry of many lines": {"list:\n  - |\n    one\n    two\n", "list", "list:\n  - |\n    one\n    two\n  - y\n"},
		"of objects":             {"list:\n  - a: 1\n    b:\n      c: 2\nd: 3\n", "list", "list:\n  - a: 1\n    b:\n      c: 2\n  - y\nd: 3\n"},
		"nothing yet":            {"list:\nb: 2\n", "list", "list:\n  - y\nb: 2\n"},
		"no such key":            {"b: 2\n", "list", "b: 2\nlist:\n  - y\n"},
		"in brackets":            {"list: [x] # why\nb: 2\n", "list", "list: # why\n  - x\n  - y\nb: 2\n"},
		"empty brackets":         {"list: []\n", "list", "list:\n  - y\n"},
		"lines of Windows":       {"a: 1\r\nlist:\r\n- x\r\nb: 2\r\n", "list", "a: 1\r\nlist:\r\n- x\r\n- y\r\nb: 2\r\n"},
		"brackets on Windows":    {"list: [x]\r\n", "list", "list:\r\n  - x\r\n  - y\r\n"},
		"behind a mark":          {"---\nlist:\n  - x\n...\n", "list", "---\nlist:\n  - x\n  - y\n...\n"},
		"with an anchor":         {"list:\n  - &a x\nb: *a\n", "list", "list:\n  - &a x\n  - y\nb: *a\n"},
		"without a last newline": {"list:\n  - x", "list", "list:\n  - x\n  - y\n"},
	} {
		got, err := Insert([]byte(c.file), c.key, "  - y\n")
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	for name, file := range map[string]string{"no list": "list: text\n", "a map": "list: {a: 1}\n", "no map": "- list\n", "no YAML": "\t: {\n"} {
		if got, err := Insert([]byte(file), "list", "  - y\n"); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got, err := Insert([]byte("services:\n  api: {}\n"), "services", "  api:\n    build: {go: .}\n"); err == nil {
		t.Errorf("a key twice: got %q", got)
	}
}
