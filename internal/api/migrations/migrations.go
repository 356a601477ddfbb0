// Package migrations holds the schema of the api's database: one file per
// version, <four digits>_<name>.sql, applied in order and never changed once
// released. There is no way down: what a version removes is gone, so the next
// version fixes instead.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed *.sql
var files embed.FS

// breaks begins a file after which an api of an earlier version would fail, or answer
// wrongly: it does not use the database any more.
const breaks = "-- breaks:"

// Migration is one version of the schema.
type Migration struct {
	Version int
	Name    string
	SQL     string
	Breaks  bool // earlier versions of the api cannot use it
}

// All returns the migrations in order.
func All() ([]Migration, error) { return read(files) }

// read fails where a file is badly named, or a version missing or there
// twice: both mean that two branches met.
func read(dir fs.FS) ([]Migration, error) {
	entries, err := fs.ReadDir(dir, ".") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	var all []Migration
	for _, entry := range entries {
		base, ok := strings.CutSuffix(entry.Name(), ".sql")
		if !ok {
			continue
		}
		number, name, ok := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if !ok || err != nil || len(number) != 4 || name == "" {
			return nil, fmt.Errorf("reading migration %q: the name is not <four digits>_<name>.sql", entry.Name())
		}
		if version != len(all)+1 {
			return nil, fmt.Errorf("reading migration %q: version %d is expected here", entry.Name(), len(all)+1)
		}
		sql, err := fs.ReadFile(dir, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading migration %q: %w", entry.Name(), err)
		}
		all = append(all, Migration{Version: version, Name: name, SQL: string(sql), Breaks: strings.HasPrefix(string(sql), breaks)})
	}
	return all, nil
}
