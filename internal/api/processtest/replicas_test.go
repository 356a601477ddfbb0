package processtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/activity"
	"zr/internal/api/routes/health"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// outage is how long a server is away: ZR_OUTAGE, or three seconds.
func outage(t *testing.T) time.Duration {
	d, err := time.ParseDuration(os.Getenv("ZR_OUTAGE"))
	if err != nil && os.Getenv("ZR_OUTAGE") != "" {
		t.Fatal(err)
	}
	return max(d, 3*time.Second)
}

// kills is how often a replica is killed: ZR_KILLS, or twice. The first two are leaders, the
// others any.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("ZR_KILLS"))
	if err != nil && os.Getenv("ZR_KILLS") != "" {
		t.Fatal(err)
	}
	return max(n, 2)
}

// pair is two replicas that share everything.
type pair struct {
	t        *testing.T
	mount    map[string]string
	settings map[string]string

	mu  sync.Mutex
	all []*processtest.API
}

func (p *pair) running() []*processtest.API {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*processtest.API{}, p.all...)
}

func (p *pair) start() {
	a := processtest.Start(p.t, p.mount, p.settings)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, a)
}

// collects says whether a replica has begun to collect the logs.
func collects(a *processtest.API) bool {
	return strings.Contains(a.Log.String(), `"msg":"collecting logs"`)
}

// kill kills a replica, and has nobody ask it any more.
func (p *pair) kill(a *processtest.API) {
	p.mu.Lock()
	p.all = slices.DeleteFunc(p.all, func(other *processtest.API) bool { return other == a })
	p.mu.Unlock()
	a.Kill()
}

// killAny kills one of the replicas.
func (p *pair) killAny() {
	p.t.Helper()
	if all := p.running(); rand.IntN(2) == 0 {
		p.killLeader()
	} else {
		p.kill(all[rand.IntN(len(all))])
	}
}

// killLeader kills the replica that collects the logs, and waits for the other one to
// do that.
func (p *pair) killLeader() {
	p.t.Helper()
	var leader, other *processtest.API
	p.running()[0].Await("a leader", func() bool {
		for i, a := range p.running() {
			if collects(a) {
				leader, other = a, p.running()[1-i]
			}
		}
		return leader != nil
	})
	p.kill(leader)
	other.Await("the other leads", func() bool { return collects(other) })
}

// health waits until every replica says that it is so, and why.
func (p *pair) health(status, down string) {
	p.t.Helper()
	for _, a := range p.running() {
		a.Await("health "+status+", down "+down, func() bool {
			_, body := a.Get("/health", "")
			var h health.Health
			return json.Unmarshal(body, &h) == nil && h.Status == status && (down == "" || h.Checks[down].Status != "ok")
		})
	}
}

// TestReplicas kills replicas, Redis and PostgreSQL under load. Each numbered line is
// stored once, or counted as skipped; who watches sees it, or is told how many he does not,
// wherever he is connected; each
// refusal is in the audit log, or the log of a replica that was killed says that it waits
// for it; each change of the settings that was accepted is in the audit log, and is a
// revision.
func TestReplicas(t *testing.T) {
	l := newUnderLoad(t)
	l.refuse()
	for n := range kills(t) {
		if n < 2 {
			l.pair.killLeader()
		} else {
			l.pair.killAny()
		}
		l.pair.start()
		l.pair.health("ok", "")
		l.refuse()
	}
	l.outage("redis", l.redis.Stop, l.redis.Start)
	l.outage("postgres", l.server.Stop, l.server.Start)
	l.leaderKilledInOutage()
	accepted := l.changes.accepted() + 3
	l.pair.running()[0].Await("changes after it", func() bool { return l.changes.accepted() >= accepted })
	lines := l.checkLines()
	refusals := l.checkRefusals()
	revisions, recorded := l.changes.kept(l.client)
	t.Logf("%s; %s; of %d changes of the settings that were accepted %d are revisions, and %d are in the audit log", lines, refusals, l.changes.accepted(), revisions, recorded)
}

// underLoad is a pair of replicas with somebody who writes lines, somebody who watches them,
// and somebody who changes the settings.
type underLoad struct {
	t             *testing.T
	server        *storetest.Postgres
	redis         *storetest.Redis
	pair          *pair
	client        *processtest.Client
	changes       *changer
	end           func() // of all of them
	endWriting    func()
	written, seen atomic.Int64                // the number of the newest line
	shown         map[int]bool                // numbers of lines that were watched
	missed        int                         // lines of which the one who watches was told that they were skipped
	refused       map[string]*processtest.API // by the id of the request: who has refused it
}

func newUnderLoad(t *testing.T) *underLoad {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	l := &underLoad{t: t, server: storetest.NewPostgres(t), redis: storetest.NewRedis(t), shown: map[int]bool{}, refused: map[string]*processtest.API{}}
	l.server.Start()
	l.redis.Start()
	l.pair = &pair{t: t, mount: c.Mount(), settings: map[string]string{"DATABASE_URL": l.server.URL("postgres"), "REDIS_URL": l.redis.URL()}}
	l.pair.start()
	l.pair.start()
	first := l.pair.running()[0]
	l.client = processtest.NewClient(t, first.Token(), l.pair.running)

	ctx, cancel := context.WithCancel(t.Context())
	writing, cancelWriting := context.WithCancel(ctx)
	var working, writer sync.WaitGroup
	l.endWriting = func() { cancelWriting(); writer.Wait() }
	l.end = func() { cancel(); l.endWriting(); working.Wait() }
	t.Cleanup(l.end)
	writer.Go(func() { l.write(writing, kubelet) })
	working.Go(func() { l.client.Watch(ctx, l.watched) })
	first.Await("lines are watched", func() bool { return l.seen.Load() > 0 })
	l.changes = change(ctx, t, l.pair, c.Namespace)
	working.Go(l.changes.run)
	first.Await("a change of the settings", func() bool { return l.changes.accepted() > 0 })
	return l
}

// write writes numbered lines, 500 a second, until ctx ends.
func (l *underLoad) write(ctx context.Context, kubelet *processtest.Kubelet) {
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		var lines []string
		for range 5 {
			lines = append(lines, fmt.Sprintf("line %d", l.written.Add(1)))
		}
		kubelet.Write("web", lines...)
	}
}

func (l *underLoad) watched(lines []logs.Line) {
	for _, line := range lines {
		if line.Skipped > 0 {
			l.missed += line.Skipped
			continue
		}
		n := number(l.t, line)
		l.shown[n] = true
		l.seen.Store(int64(n))
	}
}

// refuse has every replica refuse a stranger.
func (l *underLoad) refuse() {
	l.t.Helper()
	for _, a := range l.pair.running() {
		id := fmt.Sprintf("refusal-%d", len(l.refused))
		l.refused[id] = a
		req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, a.URL+contract.Base+"/tokens", nil)
		if err != nil {
			l.t.Fatal(err)
		}
		req.Header.Set("X-Request-Id", id)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			l.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			l.t.Errorf("a stranger is answered with %d", resp.StatusCode)
		}
	}
}

// outage has a server be away, under load.
func (l *underLoad) outage(name string, stop, start func()) {
	l.t.Helper()
	l.pair.health("ok", "")
	stop()
	l.pair.health("degraded", name)
	l.refuse()
	time.Sleep(outage(l.t))
	l.refuse()
	start()
	l.pair.health("ok", "")
	l.refuse() // what waits is written first
}

// leaderKilledInOutage kills the leader while PostgreSQL is away: whoever collects next
// goes on where the last stored line was.
func (l *underLoad) leaderKilledInOutage() {
	l.t.Helper()
	l.server.Stop()
	l.pair.health("degraded", "postgres")
	l.refuse()
	leader := slices.IndexFunc(l.pair.running(), collects)
	l.pair.kill(l.pair.running()[max(leader, 0)])
	l.pair.start()
	time.Sleep(outage(l.t)) // under load
	l.server.Start()
	l.pair.health("ok", "")
	l.refuse()
}

// checkLines ends the writing, and looks for every line in the history, and among those
// that were shown.
func (l *underLoad) checkLines() string {
	l.t.Helper()
	l.endWriting()
	last := int(l.written.Load())
	first := l.pair.running()[0]
	first.Await("all lines are stored", func() bool {
		var page logs.Found
		l.client.Get(contract.Base+"/logs?limit=1", &page)
		return len(page.Lines) == 1 && number(l.t, page.Lines[0]) == last
	})
	first.Await("all lines are watched", func() bool { return l.seen.Load() == int64(last) })
	l.end()
	stored, skipped := map[int]int{}, 0
	for _, line := range l.client.Stored() {
		if skipped += line.Skipped; line.Skipped == 0 {
			stored[number(l.t, line)]++
		}
	}
	unseen, came := 0, slices.Min(slices.Collect(maps.Keys(l.shown))) // he came when some were there
	for n, times := range stored {
		if times != 1 {
			l.t.Errorf("line %d is stored %d times", n, times)
		}
		if !l.shown[n] && n > came {
			unseen++
		}
	}
	if unseen > l.missed {
		l.t.Errorf("%d lines were not shown, and of %d that was told", unseen, l.missed)
	}
	if len(stored)+skipped != last {
		l.t.Errorf("of %d lines %d are stored, and %d were skipped", last, len(stored), skipped)
	}
	return fmt.Sprintf("%d lines: %d stored, %d skipped; %d not shown, and told to be", last, len(stored), skipped, unseen)
}

// checkRefusals looks for every refusal in the audit log, where each is once. One that
// ended with the memory of a replica that was killed is in the log of that.
func (l *underLoad) checkRefusals() string {
	l.t.Helper()
	recorded, waited := map[string]int{}, 0
	for _, r := range records(l.client, "outcome=refused&target="+url.QueryEscape(contract.Base+"/tokens")) {
		recorded[r.RequestID]++
	}
	for id, a := range l.refused {
		running := slices.Contains(l.pair.running(), a)
		switch {
		case recorded[id] == 1:
		case recorded[id] == 0 && !running && waits(a, id):
			waited++
		default:
			l.t.Errorf("%s is in the audit log %d times; its replica runs: %v", id, recorded[id], running)
		}
	}
	return fmt.Sprintf("of %d refusals %d are in the audit log, and %d in the log of a replica that was killed", len(l.refused), len(l.refused)-waited, waited)
}

// waits says whether the log of a replica has a record that was not stored by then.
func waits(a *processtest.API, requestID string) bool {
	for line := range strings.Lines(a.Log.String()) {
		if strings.Contains(line, `"msg":"a record waits for the audit log"`) && strings.Contains(line, `"requestId":"`+requestID+`"`) {
			return true
		}
	}
	return false
}

// records are those of the audit log that a query chooses.
func records(client *processtest.Client, query string) (all []postgres.AuditRecord) {
	for cursor := ""; ; {
		var page activity.Activity
		client.Get(contract.Base+"/activity?limit=500&"+query+"&cursor="+cursor, &page)
		all = append(all, page.Records...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// number is that of a line.
func number(t *testing.T, l logs.Line) (n int) {
	if _, err := fmt.Sscanf(l.Message, "line %d", &n); err != nil && l.Skipped == 0 {
		t.Errorf("an unknown line: %q", l.Message)
	}
	return n
}
