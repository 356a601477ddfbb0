package recipe

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The contract of the official image that manifests rely on, as far as it is
// about the first start: see the head of the entry point.
func TestPostgresFirstStart(t *testing.T) {
	e := newEngine(t)
	ref := e.image("postgres:15")

	if out, err := e.try("run", "--rm", ref); err == nil || !strings.Contains(out, "POSTGRES_PASSWORD") {
		t.Errorf("without a password: %v\n%s", err, out)
	}
	if out := e.must("run", "--rm", ref, "postgres", "--version"); !strings.Contains(out, "PostgreSQL) 15") {
		t.Errorf("--version = %s", out)
	}
	if out := e.must("run", "--rm", ref, "id", "-un"); out != "root" {
		t.Errorf("another command runs as %s", out)
	}

	dir := t.TempDir()
	write(t, dir, "password", "se'cret\n", 0o644)
	write(t, dir, "1-sourced.sh", "run_as=$(id -un); run_sql -c \"create table scripts (n int, what text)\"; run_sql -c \"insert into scripts values (1, '$run_as')\"\n", 0o644)
	write(t, dir, "2-program.sh", "#!/bin/bash\nset -e\npsql -U \"$POSTGRES_USER\" \"$POSTGRES_DB\" -c \"insert into scripts values (2, 'program')\"\n", 0o755)
	write(t, dir, "3.sql", "insert into scripts values (3, 'sql');\n", 0o644)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("insert into scripts values (4, 'gz');\n"))
	_ = z.Close()
	write(t, dir, "4.sql.gz", zipped.String(), 0o644)
	write(t, dir, "5.txt", "not a script", 0o644)

	args := []string{"-v", e.volume() + ":/var/lib/postgresql/data", "-v", dir + "/password:/run/secrets/password:ro",
		"-e", "POSTGRES_PASSWORD_FILE=/run/secrets/password", "-e", "POSTGRES_USER=owner", "-e", "POSTGRES_DB=shop",
		"-e", "POSTGRES_INITDB_ARGS=--data-checksums"}
	for _, script := range []string{"1-sourced.sh", "2-program.sh", "3.sql", "4.sql.gz", "5.txt"} {
		args = append(args, "-v", filepath.Join(dir, script)+":/docker-entrypoint-initdb.d/"+script+":ro")
	}
	c := e.container(append(args, ref, "-c", "max_connections=42")...)
	query := func(sql string) string {
		// The container's own address is no loopback: the password counts.
		return e.eventually(c, "sh", "-c", `PGPASSWORD="se'cret" psql -h "$(hostname -i | cut -d" " -f1)" -U owner -Atc "$1" shop`, "-", sql)
	}
	if got := query("select string_agg(n || what, ',' order by n) from scripts"); got != "1postgres,2program,3sql,4gz" {
		t.Errorf("the scripts did %q", got)
	}
	for setting, want := range map[string]string{
		"max_connections": "42", "data_checksums": "on", "server_encoding": "UTF8", "lc_collate": "en_US.utf8", "password_encryption": "scram-sha-256",
	} {
		if got := query("show " + setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if out, err := e.try("exec", c, "sh", "-c", `PGPASSWORD=wrong psql -h "$(hostname -i | cut -d" " -f1)" -U owner -c "select 1" shop`); err == nil {
		t.Errorf("a wrong password let in: %s", out)
	}
	if out := e.must("exec", c, "stat", "-c", "%u %a", "/var/lib/postgresql/data"); out != "999 700" {
		t.Errorf("the data belongs to %s", out)
	}
	if out := e.must("exec", c, "cat", "/proc/1/comm"); out != "postgres" {
		t.Errorf("process 1 is %s", out)
	}

	e.must("stop", c)
	if logs, _ := e.try("logs", c); !strings.Contains(logs, "received fast shutdown request") {
		t.Errorf("it was not stopped by SIGINT:\n%s", logs)
	}
	e.must("start", c)
	if got := query("select count(*) from scripts"); got != "4" {
		t.Errorf("after a restart there are %s rows", got)
	}
}

// As the restricted Pod Security profile has it: another user from the start,
// nothing writable but what is mounted. No init files, so no server runs first.
func TestPostgresRestricted(t *testing.T) {
	e := newEngine(t)
	ref := e.image("postgres:15")
	volume := e.volume()
	e.must("run", "--rm", "-v", volume+":/data", ref, "sh", "-c", "chmod 0777 /data")
	run := func() string {
		return e.container("--read-only", "--read-only-tmpfs=false", "--user=999:999", "--cap-drop=ALL", "-v", volume+":/data",
			"-e", "POSTGRES_PASSWORD=x", "-e", `POSTGRES_DB=odd"name`, "-e", "PGDATA=/data/pg", ref)
	}
	c := run()
	e.eventually(c, "psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "create table kept (x int)", `odd"name`)
	e.must("kill", c) // SIGKILL: the log recovers it
	e.must("run", "--rm", "-v", volume+":/data", ref, "sh", "-c", "chmod 2770 /data/pg")
	c = run() // as after a fsGroup changed the mode
	e.eventually(c, "psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "select * from kept", `odd"name`)
}

// A container that is killed while it makes the database starts over; the
// official image would take the half-made one for whole.
func TestPostgresKilledWhileItInitialises(t *testing.T) {
	e := newEngine(t)
	ref := e.image("postgres:15")
	dir, volume := t.TempDir(), e.volume()
	write(t, dir, "1.sql", "create table half (x int);\n", 0o644)
	write(t, dir, "2.sh", "echo now; while [ ! -e /go/on ]; do sleep 0.1; done\n", 0o644)
	run := func(more ...string) string {
		args := append(more, "-v", volume+":/var/lib/postgresql/data", "-v", dir+":/docker-entrypoint-initdb.d:ro", "-e", "POSTGRES_PASSWORD=x", ref)
		return e.container(args...)
	}
	c := run()
	e.logged(c, "now")
	e.must("kill", c)

	goOn := t.TempDir()
	write(t, goOn, "on", "", 0o644)
	c = run("-v", goOn+":/go:ro")
	e.logged(c, "starting over")
	e.eventually(c, "psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "select * from half")
}

func write(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
