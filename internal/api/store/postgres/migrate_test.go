package postgres

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"zr/internal/api/migrations"
	"zr/internal/api/reason"
	"zr/internal/api/store/storetest"
)

func TestReplicasMigrateOnce(t *testing.T) {
	url := storetest.Database(t)
	var wg sync.WaitGroup
	stores := make([]*Store, 8)
	for i := range stores {
		s, err := Open(url, 8, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores[i] = s
	}
	for _, s := range stores {
		wg.Go(func() {
			if err := s.migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	var applied, locks int
	if err := stores[0].pool.QueryRow(t.Context(), "SELECT count(*) FROM schema_version").Scan(&applied); err != nil {
		t.Fatal(err)
	}
	if err := stores[0].pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").Scan(&locks); err != nil {
		t.Fatal(err)
	}
	if applied != len(all) || locks != 0 {
		t.Fatalf("%d migrations applied, want %d; %d locks held, want 0", applied, len(all), locks)
	}
}

func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	s, err := Open(storetest.Database(t), 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	good := migrations.Migration{Version: 1, Name: "good", SQL: "CREATE TABLE kept (); CREATE TABLE also_kept ()"}
	bad := migrations.Migration{Version: 2, Name: "bad", SQL: "CREATE TABLE half (); SELECT 1/0"}
	err = s.migrateLocked(t.Context(), []migrations.Migration{good, bad})
	if reason.Of(err) != reason.Migration {
		t.Fatalf("got %v", err)
	}
	version, _, err := schemaVersion(t.Context(), s.pool)
	if err != nil || version != 1 {
		t.Fatalf("version %d, %v; want 1", version, err)
	}
	var half bool
	if err := s.pool.QueryRow(t.Context(), "SELECT to_regclass('half') IS NOT NULL").Scan(&half); err != nil || half {
		t.Fatalf("half of a migration stays: %v, %v", half, err)
	}
	// The fixed one goes on from there.
	bad.SQL = "CREATE TABLE half ()"
	if err := s.migrateLocked(t.Context(), []migrations.Migration{good, bad}); err != nil {
		t.Fatal(err)
	}
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	url := storetest.Database(t)
	s := open(t, url)
	await(t, s, "")
	storetest.Exec(t, url, "INSERT INTO schema_version (version, name) VALUES (9999, 'of a later release')")
	await(t, open(t, url), "")
}

// A schema that this build cannot read is not used, neither when it begins nor when another
// replica brings it while this one runs, until the earlier one is put back.
func TestASchemaThatIsTooNewIsNotUsed(t *testing.T) {
	url := storetest.Database(t)
	s := open(t, url)
	await(t, s, "")
	if err := s.Audit(t.Context(), AuditRecord{Actor: "ada"}); err != nil {
		t.Fatal(err)
	}
	storetest.Exec(t, url, "INSERT INTO schema_version (version, name, breaks) VALUES (9998, 'of a later release', true), (9999, 'of a later one', false)")
	late := open(t, url)
	for _, s := range []*Store{s, late} {
		await(t, s, reason.Newer)
		if _, err := s.AuditLog(t.Context(), AuditFilter{}, 0, 1); reason.Of(err) != reason.Newer {
			t.Errorf("the audit log is read: %v", err)
		}
		if err := s.Usable(); !strings.Contains(fmt.Sprint(err), "version 9999, which needs an api that knows version 9998") {
			t.Errorf("it says %v", err)
		}
	}
	storetest.Exec(t, url, "DELETE FROM schema_version WHERE version > 9000")
	for _, s := range []*Store{s, late} {
		await(t, s, "")
		if records, err := s.AuditLog(t.Context(), AuditFilter{}, 0, 1); err != nil || len(records) != 1 {
			t.Errorf("the audit log is %v, %v", records, err)
		}
	}
}
