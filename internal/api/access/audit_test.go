package access_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/internal/testkit"
	"zr/pkg/ticket"
)

// key is that of the login links.
const key = "0123456789abcdef0123456789abcdef"

// room is a gate with servers that can be stopped.
type room struct {
	*testing.T

	server *storetest.Postgres
	store  *postgres.Store
	gate   *access.Gate
	log    testkit.Buffer
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{T: t, server: storetest.NewPostgres(t)}
	r.server.Start()
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	store, err := postgres.Open(r.server.URL("postgres"), 8, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	redis := storetest.NewRedis(t)
	redis.Start()
	shared, err := cache.Open(redis.URL(), 8, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.Close() })
	r.store, r.gate = store, access.New(key, shared, store, log)
	r.run(store.Run)
	r.await("the database", func() bool { return store.Check(t.Context()) == nil })
	return r
}

// run runs a job until the test ends, or what is returned is called.
func (r *room) run(job func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		job(ctx)
	}()
	end = func() { cancel(); <-done }
	r.Cleanup(end)
	return end
}

func (r *room) await(what string, is func() bool) {
	r.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("it does not come: %s\n%s", what, &r.log)
		}
	}
}

// written has what waits be written, and how many were skipped.
func (r *room) written() {
	r.Helper()
	end := r.run(r.gate.Run)
	r.await("what waits is written", func() bool {
		waiting, _ := r.gate.Audited()
		return waiting == 0
	})
	end() // it tells of those that were skipped
}

// recorded are the records of an action, the oldest first.
func (r *room) recorded(action string) []postgres.AuditRecord {
	r.Helper()
	records, err := r.store.AuditLog(r.Context(), postgres.AuditFilter{Action: action}, 0, 10_000)
	if err != nil {
		r.Fatal(err)
	}
	slices.Reverse(records)
	return records
}

// What a session of an operator asks for is not done while the database is away; what it
// reads is read.
func TestNothingIsDoneWithoutTheDatabase(t *testing.T) {
	r := newRoom(t)
	text, err := ticket.Make(key, "ada", string(contract.Operator), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := r.gate.LogIn(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	guarded := r.gate.Guard(contract.Operator, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	ask := func(method string) int {
		req := httptest.NewRequest(method, "/anything", nil)
		req.Header = http.Header{"Cookie": {contract.SessionCookie + "=" + secret}, "Origin": {"http://localhost:3000"}}
		answer := httptest.NewRecorder()
		guarded.ServeHTTP(answer, req)
		return answer.Code
	}
	if status := ask(http.MethodPost); status != http.StatusOK || served != 1 {
		t.Fatalf("%d, served %d times", status, served)
	}
	r.server.Stop()
	if status := ask(http.MethodPost); status != http.StatusServiceUnavailable || served != 1 {
		t.Errorf("%d, served %d times", status, served)
	}
	if status := ask(http.MethodGet); status != http.StatusOK || served != 2 {
		t.Errorf("%d, served %d times", status, served)
	}
}

// What was done while the database went away is not answered as done, and is recorded
// once when it is back.
func TestAnActIsDoneWhenItsRecordIsStored(t *testing.T) {
	r := newRoom(t)
	act := func(detail string) error {
		return r.gate.RecordAct(t.Context(), postgres.AuditRecord{Actor: "ada", Action: "act", Outcome: postgres.Done, Detail: detail}, nil)
	}
	if err := act("first"); err != nil || len(r.recorded("act")) != 1 {
		t.Fatalf("%v; %v", err, r.recorded("act"))
	}
	r.server.Stop()
	p, refused := act("second").(*contract.Problem)
	if !refused || p.Status != http.StatusServiceUnavailable || !strings.HasSuffix(p.Type, ":not_recorded") {
		t.Fatalf("an act that is not recorded is answered with %v", p)
	}
	broken := contract.Refuse(http.StatusBadGateway, "job_failed", "it failed")
	if err := r.gate.RecordAct(t.Context(), postgres.AuditRecord{Action: "act", Detail: "third", Outcome: postgres.Failed}, broken); err != error(broken) {
		t.Fatalf("an act that failed is answered with %v", err)
	}
	if waiting, _ := r.gate.Audited(); waiting != 2 {
		t.Fatalf("%d wait", waiting)
	}
	r.server.Start()
	r.await("the database", func() bool { return r.store.Check(t.Context()) == nil })
	if err := act("fourth"); err != nil {
		t.Fatal(err)
	}
	var details []string
	for _, record := range r.recorded("act") {
		details = append(details, record.Detail)
	}
	if got := strings.Join(details, " "); got != "first second third fourth" {
		t.Fatalf("recorded are %q", got)
	}
}

// What is sent again, since the answer was lost, is stored once.
func TestARecordIsStoredOnce(t *testing.T) {
	r := newRoom(t)
	one := postgres.AuditRecord{Actor: "ada", Action: "once", Outcome: postgres.Done, At: time.Now(), Key: [16]byte{1}}
	other := one
	other.Key = [16]byte{2}
	if err := r.store.Audit(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := r.store.Audit(t.Context(), one, other); err != nil {
		t.Fatal(err)
	}
	if all := r.recorded("once"); len(all) != 2 {
		t.Fatalf("recorded are %v", all)
	}
}

// What does not fit into the memory is in the log, and the audit log says how much that is.
func TestWhatIsSkippedIsCounted(t *testing.T) {
	r := newRoom(t)
	r.server.Stop()
	const waiting, more = 2000, 7
	for n := range waiting + more {
		r.gate.Record(t.Context(), postgres.AuditRecord{Actor: "eve", Action: "flood", Outcome: postgres.Refused, Detail: fmt.Sprint(n)})
	}
	if waits, skipped := r.gate.Audited(); waits != waiting || skipped != more {
		t.Fatalf("%d wait, %d were skipped", waits, skipped)
	}
	if n := strings.Count(r.log.String(), `msg="a record is not in the audit log"`); n != more {
		t.Errorf("the log has %d of them", n)
	}
	r.server.Start()
	r.written()
	all := r.recorded("flood")
	if len(all) != waiting || all[0].Detail != "0" || all[waiting-1].Detail != fmt.Sprint(waiting-1) {
		t.Errorf("%d are recorded", len(all))
	}
	told := r.recorded("audit")
	if len(told) != 1 || !strings.HasPrefix(told[0].Detail, fmt.Sprintf("%d records are in the log of the api alone", more)) {
		t.Errorf("the audit log says %v", told)
	}
}

// A stranger who is refused more often than is recorded is counted.
func TestAFloodOfRefusalsIsCounted(t *testing.T) {
	r := newRoom(t)
	const asked = 300
	for range asked {
		r.gate.Refused(httptest.NewRequest(http.MethodGet, "/nowhere", nil), "", contract.Refuse(http.StatusUnauthorized, "not_logged_in", "log in"))
	}
	r.written()
	_, skipped := r.gate.Audited()
	if kept := len(r.recorded(http.MethodGet)); skipped == 0 || kept+int(skipped) != asked {
		t.Errorf("of %d refusals %d are recorded, and %d counted", asked, kept, skipped)
	}
}
