package migrations_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zr/internal/api/dev"
	"zr/internal/api/logstore"
	"zr/internal/api/migrations"
	"zr/internal/api/store/logdb"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/internal/api/uptime"
	"zr/internal/testkit"
	"zr/pkg/logline"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// TestUpgrade makes a database of every earlier version, with data as that version wrote
// it, brings it up to date, and reads all of it by the code of today. testdata has the
// data: <version>_<group>.sql is valid from its version on, until a later one of its group.
func TestUpgrade(t *testing.T) {
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	data := readData(t)
	for _, m := range all {
		if !slices.ContainsFunc(data, func(d datum) bool { return d.version == m.Version }) {
			t.Errorf("testdata has no %04d_<group>.sql: data as version %d writes it", m.Version, m.Version)
		}
	}
	for version := 1; version <= len(all); version++ {
		t.Run(fmt.Sprintf("from %d", version), func(t *testing.T) {
			url := storetest.Database(t)
			apply(t, url, all[:version])
			for _, d := range dataOf(data, version) {
				storetest.Exec(t, url, d.sql)
			}
			storetest.Exec(t, url, noTableIsEmpty)
			u := upgrade(t, url, version)
			if got := u.store.SchemaVersion(); got != int64(len(all)) {
				t.Fatalf("the version is %d", got)
			}
			for _, c := range checks {
				if version >= c.from {
					t.Run(c.name, func(t *testing.T) { c.check(&upgraded{t, version, u.store, u.lines}) })
				}
			}
		})
	}
}

// datum is a file of testdata.
type datum struct {
	version int
	group   string
	sql     string
}

func readData(t *testing.T) (all []datum) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.sql") // sorted
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		number, group, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, datum{version, group, string(sql)})
	}
	return all
}

// dataOf is the data of a version: of each group the newest that it knows.
func dataOf(all []datum, version int) (chosen []datum) {
	for i, d := range all {
		later := slices.ContainsFunc(all[i+1:], func(o datum) bool { return o.group == d.group && o.version <= version })
		if d.version <= version && !later {
			chosen = append(chosen, d)
		}
	}
	return chosen
}

// apply brings an empty database to a version, as the api of that version did.
func apply(t *testing.T, url string, all []migrations.Migration) {
	t.Helper()
	storetest.Exec(t, url, "CREATE TABLE schema_version (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())")
	for _, m := range all {
		storetest.Exec(t, url, fmt.Sprintf("BEGIN; %s; INSERT INTO schema_version (version, name) VALUES (%d, '%s'); COMMIT", m.SQL, m.Version, m.Name))
	}
}

// noTableIsEmpty fails where a table of the schema has no data.
const noTableIsEmpty = `
DO $$
DECLARE
    name text;
    has boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO has;
        IF NOT has THEN
            RAISE EXCEPTION 'testdata has nothing for the table %', name;
        END IF;
    END LOOP;
END $$`

// upgraded is a database that came from a version.
type upgraded struct {
	*testing.T

	version int
	store   *postgres.Store
	lines   *logdb.Store
}

// upgrade opens a database as two replicas do that begin at once, and waits until both can
// use it. One of them brings it up to date.
func upgrade(t *testing.T, url string, version int) *upgraded {
	t.Helper()
	var log testkit.Buffer
	told := slog.New(slog.NewTextHandler(&log, nil))
	store, other := open(t, url, told), open(t, url, told)
	for _, s := range []*postgres.Store{store, other} {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			err := s.Check(t.Context())
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%v\n%s", err, &log)
			}
		}
	}
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "msg=migrated"); n != len(all)-version {
		t.Errorf("there were %d migrations:\n%s", n, &log)
	}
	keeps := logdb.DefaultLimits()
	keeps.Age = 100 * 365 * 24 * time.Hour
	lines, err := logdb.Open(url, 8, keeps, store.Usable, told)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lines.Close)
	return &upgraded{t, version, store, lines}
}

// open runs a replica's store until the test ends.
func open(t *testing.T, url string, log *slog.Logger) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(url, 8, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		s.Close()
	})
	return s
}

// checks read what each group of the testdata has, from the version on that began it.
var checks = []struct {
	name  string
	from  int
	check func(*upgraded)
}{
	{"health", 1, (*upgraded).health},
	{"health of another environment", 4, (*upgraded).otherEnvironment},
	{"audit", 2, (*upgraded).audit},
	{"tokens", 2, (*upgraded).tokens},
	{"logs", 3, (*upgraded).logs},
	{"logs that are packed", 3, (*upgraded).packed},
	{"logs go on", 3, (*upgraded).goOn},
	{"uptime", 5, (*upgraded).uptime},
	{"runs", 6, (*upgraded).runs},
	{"metrics of runs", 6, (*upgraded).delivery},
	{"revisions", 7, (*upgraded).revisions},
	{"last changes", 6, (*upgraded).lastChanges},
}

// equal compares what was read with what is wanted, as texts.
func (u *upgraded) equal(what string, got, want any) {
	u.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		u.Errorf("%s: got  %s\nwant %s", what, g, w)
	}
}

// must ends the test where something was not read.
func must[T any](u *upgraded, got T, err error) T {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
	return got
}

// at is a time of the testdata: minutes after three.
func at(minutes float64) time.Time {
	return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(minutes * float64(time.Minute)))
}

func (u *upgraded) history(environment string) (all []string) {
	u.Helper()
	events, err := u.store.History(u.Context(), environment, "", 0, 100)
	for _, e := range must(u, events, err) {
		all = append(all, fmt.Sprintf("%s %s>%s %s %s %s", e.Service, e.Previous, e.State, e.Reason, e.Build, e.At.UTC().Format("15:04")))
	}
	return all
}

func (u *upgraded) health() {
	u.equal("history", strings.Join(u.history(""), ", "), "web >unhealthy crash bbbb 03:06, api starting>healthy  aaaa 03:05, api >starting  aaaa 03:04")
	again := []postgres.Observation{{Service: "web", State: "unhealthy", Reason: "crash", Build: "bbbb", At: at(8)}, {Service: "api", State: "unhealthy", Reason: "crash", Build: "aaaa", At: at(8)}}
	n, err := u.store.Record(u.Context(), again)
	u.equal("changes since", must(u, n, err), 1) // of the api: web was so before
}

func (u *upgraded) otherEnvironment() {
	u.equal("history", u.history("shop"), "[web >healthy  cccc 03:07]")
}

func (u *upgraded) audit() {
	all, err := u.store.AuditLog(u.Context(), postgres.AuditFilter{}, 0, 10)
	var said []string
	for _, r := range must(u, all, err) {
		said = append(said, fmt.Sprintf("%s %s %s %s %s %s %s", r.At.UTC().Format("15:04"), r.Actor, r.Action, r.Target, r.Outcome, r.Detail, r.RequestID))
	}
	u.equal("records", strings.Join(said, ", "), "03:05 10.0.0.9 GET /api/v1/logs refused log in first r2, 03:04 ada restartService web done  r1")
	if err := u.store.Audit(u.Context(), postgres.AuditRecord{Actor: "ada", At: at(9), Key: [16]byte{9}}); err != nil {
		u.Error(err)
	}
}

func (u *upgraded) tokens() {
	hash := sha256.Sum256([]byte("secret of a test"))
	found, err := u.store.FindToken(u.Context(), hash[:])
	found = must(u, found, err)
	u.equal("token", []any{found.Name, found.Role, found.CreatedBy, found.CreatedAt.UTC().Format("15:04")}, "[prometheus viewer ada 03:04]")
}

func (u *upgraded) uptime() {
	reports, err := uptime.Reports(u.Context(), u.store, "shop", "web", uptime.Hour, at(10))
	if reports = must(u, reports, err); len(reports) != 1 {
		u.Fatalf("%d services", len(reports))
	}
	r := reports[0]
	u.equal("uptime", []any{r.State, r.Uptime.Hour.Healthy, r.Uptime.Hour.Unhealthy, r.Latency.Asked, r.Latency.Unanswered}, "[healthy 480 120 12 2]")
	if len(r.Outages) != 1 || r.Outages[0].Reason != "crash" || r.Outages[0].Seconds != 120 || r.Outages[0].End != "healthy" {
		u.Errorf("outages: %+v", r.Outages)
	}
	// The samples that were not added up yet are, and the hour is kept.
	if err := u.store.RollUp(u.Context(), "shop", at(10)); err != nil {
		u.Fatal(err)
	}
	for step, want := range map[time.Duration]string{
		time.Minute: "03:07 map[-1:2 150:10], 03:08 map[-1:1 150:11], 03:09 map[150:12]",
		time.Hour:   "02:00 map[150:720], 03:00 map[-1:3 150:33]",
	} {
		slices, err := u.store.Latencies(u.Context(), "shop", "web", step, at(-120))
		var said []string
		for _, s := range must(u, slices, err) {
			said = append(said, fmt.Sprint(s.At.UTC().Format("15:04"), " ", s.Histogram))
		}
		u.equal(step.String(), strings.Join(said, ", "), want)
	}
}

func (u *upgraded) runs() {
	events, err := u.store.RunEvents(u.Context(), dev.EventFilter{Environment: "shop"}, 0, 10)
	events = must(u, events, err)
	var said []string
	for _, e := range events {
		said = append(said, fmt.Sprintf("%s %s %s %s %s %s", e.At.Format("15:04"), e.Run, e.Verb, e.User, e.Type, e.Service))
	}
	u.equal("events", strings.Join(said, ", "), "03:07 two dev ada reload web, 03:06 two dev ada reload web, 03:05 one up ada ready , 03:04 one up ada step.done ")
	u.equal("places", events[1].Places, []dev.Place{{File: "main.go", Line: 3, Column: 5, Message: "undefined: x"}})
	folder := ""
	if u.version >= 9 {
		folder = "/home/ada/shop"
	}
	u.equal("folder", events[0].Folder, folder)
}

func (u *upgraded) delivery() {
	d, err := u.store.Delivery(u.Context(), "shop", at(0), at(60), 5*time.Minute)
	d = must(u, d, err)
	u.equal("reloads", []any{d.Reloads.Changes, d.Reloads.Failed, d.Reloads.Lead.Median, d.Reloads.Restore.Median, d.Reloads.Broken}, "[2 1 500 60000 0]")
	u.equal("deploys", []any{d.Deploys.Changes, d.Deploys.Failed, d.Deploys.Lead.Median}, "[1 0 60000]")
}

func (u *upgraded) lastChanges() {
	saved, err := u.store.LastRunChanges(u.Context(), "shop", []string{"web", "nobody"})
	u.equal("reloads", must(u, saved, err), "[{web reload ada 2026-01-02 03:07:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC}]")
	if u.version >= 13 {
		written, err := u.store.LastRunChanges(u.Context(), "lab", []string{"web"})
		u.equal("what was written", must(u, written, err), "[{web service.written eve 2026-01-02 03:04:30 +0000 UTC 2026-01-02 03:04:29 +0000 UTC}]")
	}
}

func (u *upgraded) revisions() {
	all, err := u.store.Revisions(u.Context(), "shop", 0, 10)
	var said []string
	for _, r := range must(u, all, err) {
		said = append(said, fmt.Sprintf("%d %s %s %s %d %v %s %s", r.ID, r.At.UTC().Format("15:04"), r.Author, r.Reason, r.Restores, r.Settings, r.Outcome, r.File))
	}
	file := ""
	if u.version >= 8 {
		file = "config/dev.yaml"
	}
	u.equal("revisions", strings.Join(said, ", "), "3 03:06 ada back 1 map[N:0] begun , 2 03:05 ada more of it 0 map[M:ä N:1] written "+file+", 1 03:04 config/dev.yaml found in the cluster 0 map[N:0] written ")
	if err := u.store.ConcludeRevision(u.Context(), "shop", 3, postgres.Written); err != nil {
		u.Error(err)
	}
	next, err := u.store.AddRevision(u.Context(), "shop", postgres.Revision{Author: "eve", Settings: map[string]string{}, Outcome: postgres.Begun})
	u.equal("the next one", must(u, next, err).ID, 4)
}

// logs searches the 230 lines of the testdata in every way.
func (u *upgraded) logs() {
	among := func(wants func(n int64) bool) (ids []int64) {
		for n := int64(1); n <= 230; n++ {
			if wants(n) {
				ids = append(ids, n)
			}
		}
		return ids
	}
	slow := func(n int64) bool { return n%10 == 3 }
	panics := func(n int64) bool { return n%100 == 7 }
	for name, c := range map[string]struct {
		filter logline.Filter
		want   []int64
	}{
		"all":        {logline.Filter{}, among(func(int64) bool { return true })},
		"service":    {logline.Filter{Services: []string{"web"}}, among(func(n int64) bool { return n != 150 && (slow(n) || n%10 == 4) })},
		"level":      {logline.Filter{Level: logline.Warning}, among(func(n int64) bool { return slow(n) || panics(n) || n == 150 })},
		"text":       {logline.Filter{Text: "SLOW answer"}, among(slow)},
		"expression": {logline.Filter{Regexp: regexp.MustCompile(`Größe \d+`)}, among(panics)},
		"field":      {logline.Filter{Fields: []logline.Field{{Key: "ms", Value: "153"}}}, []int64{153}},
		"none":       {logline.Filter{Text: "what nobody wrote"}, nil},
	} {
		u.equal(name, ids(u.search(&c.filter)), c.want)
	}
	for _, l := range u.search(&logline.Filter{Services: []string{"web"}}) {
		switch l.ID {
		case 13:
			u.equal("line 13", []any{l.Time, l.Service, l.Pod, l.Container, l.Level, l.Message, l.Fields}, []any{at(4).Add(13 * time.Second), "web", "web-1", "main", logline.Warning, "slow answer", []logline.Field{{Key: "ms", Value: "13"}}})
		case 214:
			u.equal("line 214", []any{l.Level, l.Message, l.Styles}, []any{"", "plain 214", []logline.Style{{At: 0, Code: "32"}, {At: 5, Code: "0"}}})
		}
	}
	counts, err := u.lines.Counts(u.Context(), "shop", logstore.Scope{}, time.Hour)
	var said []string
	for _, c := range must(u, counts, err) {
		said = append(said, fmt.Sprintf("%s %q %v %d", c.At.Format("15:04"), c.Level, c.Skipped, c.Lines))
	}
	u.equal("counts", strings.Join(said, ", "), `03:00 "" false 23, 03:00 "info" false 180, 03:00 "warning" false 23, 03:00 "error" false 3, 03:00 "" true 12`)
	page, err := logstore.NewSearcher(u.lines).Search(u.Context(), logstore.Query{Environment: "shop", Filter: &logline.Filter{Regexp: regexp.MustCompile("Größe 107")}, Limit: 1, Context: 2})
	around := must(u, page, err).Context[0]
	u.equal("around line 107", []any{ids(around.Before), ids(around.After)}, "[[106 105] [108 109]]")
}

// packed packs the sealed tables, and searches the blocks.
func (u *upgraded) packed() {
	if err := u.lines.Upkeep(u.Context(), "shop"); err != nil {
		u.Fatal(err)
	}
	partitions, err := u.lines.Partitions(u.Context(), "shop", logstore.Scope{})
	packed := 0
	for _, p := range must(u, partitions, err) {
		if p.Blocks != 0 {
			packed++
		}
	}
	u.equal("partitions that are packed", []int{len(partitions), packed}, "[3 2]")
	u.logs()
}

// goOn collects on from where the earlier version was.
func (u *upgraded) goOn() {
	lease, err := u.lines.Lead(u.Context(), "shop", 0)
	lease = must(u, lease, err)
	defer lease.Release()
	u.equal("epoch", lease.Epoch(), 8)
	cursors, last, err := u.lines.Cursors(u.Context(), "shop")
	u.equal("cursor", must(u, cursors, err)[logstore.Container{PodUID: "uid-1", Name: "main"}].Last, at(7).Add(50*time.Second))
	line := &logline.Line{ID: last + 1, Time: at(9), Service: "web", Pod: "web-1", Container: "main", Record: logline.Parse("one more")}
	if err := u.lines.Append(u.Context(), logstore.Batch{Environment: "shop", Epoch: lease.Epoch(), Lines: []*logline.Line{line}}); err != nil {
		u.Fatal(err)
	}
	after, err := u.lines.After(u.Context(), "shop", 195, 100)
	u.equal("lines after 195", len(must(u, after, err)), 36)
	u.equal("the new line", ids(u.search(&logline.Filter{Text: "one more"})), "[231]")
}

func (u *upgraded) search(f *logline.Filter) []*logline.Line {
	u.Helper()
	page, err := logstore.NewSearcher(u.lines).Search(u.Context(), logstore.Query{Environment: "shop", Filter: f, Limit: logstore.MaxPage, Oldest: true})
	return must(u, page, err).Lines
}

func ids(lines []*logline.Line) (all []int64) {
	for _, l := range lines {
		all = append(all, l.ID)
	}
	return all
}
