package processtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
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

// TestReplicas kills the leader, Redis and PostgreSQL under load. Each numbered line is
// stored once, or counted as skipped; who watches sees it, wherever he is connected;
// each refusal is in the audit log, and each change of the settings that was accepted too, and
// is a revision.
func TestReplicas(t *testing.T) {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	p := &pair{t: t, mount: c.Mount(), settings: map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()}}
	p.start()
	p.start()
	client := processtest.NewClient(t, p.running()[0].Token(), p.running)

	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	var written, watched atomic.Int64 // the number of the newest line
	seen := map[int]bool{} // by the one who watches
	working.Go(func() {
		client.Watch(ctx, func(lines []logs.Line) {
			for _, l := range lines {
				n := number(t, l)
				seen[n] = true
				watched.Store(int64(n))
			}
		})
	})
	writing, stopWriting := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		for ; writing.Err() == nil; time.Sleep(10 * time.Millisecond) {
			var lines []string
			for range 5 {
				lines = append(lines, fmt.Sprintf("line %d", written.Add(1)))
			}
			kubelet.Write("web", lines...)
		}
	})
	p.running()[0].Await("lines are watched", func() bool { return watched.Load() > 0 })

	changes := change(ctx, t, p, c.Namespace)
	working.Go(changes.run)
	p.running()[0].Await("a change of the settings", func() bool { return changes.accepted() > 0 })

	refused := 0
	refuse := func() {
		for _, a := range p.running() {
			if a.Status(contract.Base+"/tokens") != 401 {
				t.Error("a stranger is let in")
			}
			refused++
		}
	}
	audited := func() {
		t.Helper()
		var audit activity.Activity
		p.running()[0].Await("all refusals are in the audit log", func() bool {
			client.Get(contract.Base+"/activity?outcome=refused&target="+url.QueryEscape(contract.Base+"/tokens")+"&limit=500", &audit)
			return len(audit.Records) >= refused
		})
		if len(audit.Records) != refused {
			t.Errorf("%d refusals are %d records", refused, len(audit.Records))
		}
	}
	refuse()
	for n := range kills(t) {
		if n < 2 {
			p.killLeader()
		} else {
			p.killAny()
		}
		p.start()
		p.health("ok", "") // what waits for the database ends with the process
		refuse()
	}
	for _, away := range []struct {
		name        string
		stop, start func()
	}{{"redis", redis.Stop, redis.Start}, {"postgres", server.Stop, server.Start}} {
		p.health("ok", "")
		away.stop()
		p.health("degraded", away.name)
		refuse()
		time.Sleep(outage(t)) // under load
		refuse()
		away.start()
		p.health("ok", "")
	}
	audited() // those that wait in the memory of a process end with it
	// Both at once: whoever collects next goes on where the last stored line was.
	changes.pause()
	server.Stop()
	p.health("degraded", "postgres")
	leader := slices.IndexFunc(p.running(), collects)
	p.kill(p.running()[max(leader, 0)])
	p.start()
	time.Sleep(outage(t)) // under load
	server.Start()
	p.health("ok", "")
	changes.goOn()
	refuse()
	accepted := changes.accepted() + 3
	p.running()[0].Await("changes after it", func() bool { return changes.accepted() >= accepted })
	stopWriting()
	writer.Wait()

	last := int(written.Load())
	p.running()[0].Await("all lines are stored", func() bool {
		var page logs.Found
		client.Get(contract.Base+"/logs?limit=1", &page)
		return len(page.Lines) == 1 && number(t, page.Lines[0]) == last
	})
	p.running()[0].Await("all lines are watched", func() bool { return watched.Load() == int64(last) })
	stop()
	working.Wait()
	stored, skipped := map[int]int{}, 0
	for _, l := range client.Stored() {
		if skipped += l.Skipped; l.Skipped == 0 {
			stored[number(t, l)]++
		}
	}
	for n, times := range stored {
		if times != 1 {
			t.Errorf("line %d is stored %d times", n, times)
		}
	}
	if len(stored)+skipped != last {
		t.Errorf("of %d lines %d are stored, and %d were skipped", last, len(stored), skipped)
	}
	first := slices.Min(slices.Collect(maps.Keys(seen))) // he came when some were there
	for n := range stored {
		if !seen[n] && n > first {
			t.Errorf("line %d was not shown", n)
		}
	}
	audited()
	revisions, recorded := changes.kept(client)
	t.Logf("%d lines: %d stored, %d skipped; %d refusals recorded; of %d changes of the settings that were accepted %d are revisions, and %d are in the audit log",
		last, len(stored), skipped, refused, changes.accepted(), revisions, recorded)
}

// number is that of a line.
func number(t *testing.T, l logs.Line) (n int) {
	if _, err := fmt.Sscanf(l.Message, "line %d", &n); err != nil && l.Skipped == 0 {
		t.Errorf("an unknown line: %q", l.Message)
	}
	return n
}
