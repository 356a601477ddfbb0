package migrations

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestAll(t *testing.T) {
	all, err := All()
	if err != nil || len(all) == 0 {
		t.Fatalf("got %d migrations, %v", len(all), err)
	}
	for i, m := range all {
		if m.Version != i+1 || m.Name == "" || strings.TrimSpace(m.SQL) == "" {
			t.Errorf("got %+v", m)
		}
	}
}

func TestRead(t *testing.T) {
	for name, files := range map[string][]string{
		"version 1 is expected here":      {"0002_b.sql"},
		"version 2 is expected here":      {"0001_a.sql", "0001_b.sql"},
		"version 3 is expected here":      {"0001_a.sql", "0002_b.sql", "0004_d.sql"},
		"not <four digits>_<name>.sql":    {"1_a.sql"},
		"is not <four digits>_<name>.sql": {"0001_.sql"},
		"":                                {"0001_a.sql", "0002_b.sql", "README.md"},
	} {
		dir := fstest.MapFS{}
		for _, f := range files {
			dir[f] = &fstest.MapFile{Data: []byte("SELECT 1")}
		}
		_, err := read(dir)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%v: got %v, want %q", files, err, name)
		}
	}
}
