package processtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"zr/internal/api/contract"
	"zr/internal/api/fleet"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// times are what was measured. It is safe for concurrent use.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (s *times) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, d)
}

func (s *times) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

func (s *times) at(percent float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return 0
	}
	slices.Sort(s.all)
	return s.all[max(int(math.Ceil(percent/100*float64(len(s.all)))), 1)-1]
}

func (s *times) String() string {
	return fmt.Sprintf("median %v, p95 %v, p99 %v, n=%d", s.at(50).Round(10*time.Microsecond), s.at(95).Round(10*time.Microsecond), s.at(99).Round(10*time.Microsecond), len(s.all))
}

// load is what the machine does beside.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// served is an api with servers of its own.
func served(b *testing.B, mount map[string]string) (*processtest.API, *processtest.Client) {
	server, redis := storetest.NewPostgres(b), storetest.NewRedis(b)
	server.Start()
	redis.Start()
	a := processtest.Start(b, mount, map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()})
	return a, processtest.NewClient(b, a.Token(), func() []*processtest.API { return []*processtest.API{a} })
}

// BenchmarkLineToFrame follows a pod that writes 1,000 lines a second, through the api
// and by one more request for its log, as `kubectl logs -f` makes it.
func BenchmarkLineToFrame(b *testing.B) {
	c := processtest.New(b, kubetest.Server(b))
	kubelet := c.Node()
	c.Pod("web")
	kubelet.Write("web", "a first line")
	a, client := served(b, c.Mount())
	ctx, stop := context.WithCancel(b.Context())
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	var here, bare times
	working.Go(func() {
		client.Watch(ctx, func(lines []logs.Line) {
			now := time.Now()
			for _, l := range lines {
				here.add(now.Sub(l.Time))
			}
		})
	})
	working.Go(func() { c.Follow(ctx, "web", func(at time.Time) { bare.add(time.Since(at)) }) })
	a.Await("both readers", func() bool {
		kubelet.Write("web", "another")
		return here.at(50) > 0 && bare.at(50) > 0
	})
	here.forget()
	bare.forget()
	for b.Loop() {
		write(kubelet, 1000, 20*time.Second, new(atomic.Int64))
	}
	time.Sleep(time.Second) // the last lines are on their way
	b.Logf("a line → the frame of a WebSocket, at 1,000 lines/s: %v", &here)
	b.Logf("the same line → a reader of the same log, as kubectl has it: %v (load %s)", &bare, load())
}

// write writes numbered lines at a rate.
func write(kubelet *processtest.Kubelet, perSecond int, during time.Duration, written *atomic.Int64) {
	begin, first := time.Now(), written.Load()
	for time.Since(begin) < during {
		due := int64(time.Since(begin).Seconds()*float64(perSecond)) - (written.Load() - first)
		var lines []string
		for range due {
			n := written.Add(1)
			lines = append(lines, fmt.Sprintf(`{"level":"info","msg":"line %d","path":"/api/v1/orders/%d","status":200,"ms":%d}`, n, n%1000, n%300))
		}
		if len(lines) > 0 {
			kubelet.Write("web", lines...)
		}
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkFlood writes 20,000 lines a second for a minute, and then ever more until
// some are skipped.
func BenchmarkFlood(b *testing.B) {
	c := processtest.New(b, kubetest.Server(b))
	kubelet := c.Node()
	c.Pod("web")
	kubelet.Write("web", "line 0")
	a, client := served(b, c.Mount())
	var written atomic.Int64
	for b.Loop() {
		health := askHealth(a, func() { write(kubelet, 20_000, time.Minute, &written) })
		stored, skipped := allStored(a, client, written.Load())
		b.Logf("20,000 lines/s for 60 s: %d written = %d stored + %d skipped; memory of the api at most %d MB (load %s)",
			written.Load(), stored, skipped, a.PeakMemory()>>20, load())
		b.Logf("/health meanwhile: %v", health)
	}
	ceiling(b, a, client, kubelet, &written)
}

// ceiling writes more and more lines in a second until some are skipped, or no more can
// be written by this process.
func ceiling(b *testing.B, a *processtest.API, client *processtest.Client, kubelet *processtest.Kubelet, written *atomic.Int64) {
	const seconds = 10
	_, before := allStored(a, client, written.Load())
	kept := int64(0)
	for wanted := int64(20_000); ; wanted += wanted / 4 {
		from := written.Load()
		write(kubelet, int(wanted), seconds*time.Second, written)
		_, skipped := allStored(a, client, written.Load())
		rate := (written.Load() - from) / seconds
		b.Logf("%d lines/s for %d s: %d skipped (load %s)", rate, seconds, skipped-before, load())
		switch {
		case skipped > before:
			b.Logf("the ceiling without loss is between %d and %d lines/s", kept, rate)
			return
		case rate < wanted*9/10:
			b.Logf("the ceiling without loss is above %d lines/s, which is what can be written here", rate)
			return
		}
		kept = rate
	}
}

// askHealth asks the api how it is, 50 times a second, while something is done.
func askHealth(a *processtest.API, do func()) *times {
	var took times
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			begin := time.Now()
			if a.Status("/health") == http.StatusOK {
				took.add(time.Since(begin))
			}
		}
	})
	do()
	stop()
	asking.Wait()
	return &took
}

// allStored waits until every line is stored or counted as skipped.
func allStored(a *processtest.API, client *processtest.Client, written int64) (stored, skipped int64) {
	a.Await("all lines are stored or counted", func() bool {
		var counts logs.Counts
		client.Get(contract.Base+"/logs/counts?every=3600", &counts)
		stored, skipped = 0, 0
		for _, n := range counts.Counts {
			if n.Skipped {
				skipped += n.Lines
			} else {
				stored += n.Lines
			}
		}
		return stored-1+skipped >= written // and the first one
	})
	return stored - 1, skipped
}

// BenchmarkServices changes the state of a pod among 300 services, and lists them.
func BenchmarkServices(b *testing.B) {
	c := processtest.New(b, kubetest.Server(b))
	for n := range 300 {
		c.Workload(fmt.Sprintf("service-%d", n))
	}
	asked, mount := count(b, c.Mount())
	a, client := served(b, mount)
	a.Await("all services", func() bool { return strings.Count(client.Text(contract.Base+"/services"), `"StatefulSet"`) == 300 })
	var event, list times
	conn, _, err := websocket.Dial(b.Context(), a.URL+contract.Base+"/live/services", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(-1)
	changed := make(chan time.Time, 100)
	go func() {
		for {
			_, frame, err := conn.Read(b.Context())
			if err != nil {
				return
			}
			var update struct{ Changed []fleet.Service }
			if json.Unmarshal(frame, &update) == nil {
				for _, s := range update.Changed {
					if s.Name == "service-7" {
						changed <- time.Now()
					}
				}
			}
		}
	}()
	for b.Loop() {
		for n := range 40 {
			ready := []string{"True", "False"}[n%2]
			begin := time.Now()
			c.SetPod("service-7-0", `{"phase":"Running","conditions":[{"type":"Ready","status":"`+ready+`"}]}`)
			event.add((<-changed).Sub(begin))
			for len(changed) > 0 {
				<-changed
			}
		}
		for range 500 {
			begin := time.Now()
			client.Text(contract.Base + "/services")
			list.add(time.Since(begin))
			time.Sleep(10 * time.Millisecond) // a caller has 200 in a second
		}
	}
	asked.take()
	time.Sleep(time.Minute)
	b.Logf("the state of a pod is written → a client of the WebSocket has it, of 300 services: %v", &event)
	b.Logf("a list of 300 services: %v (load %s)", &list, load())
	b.Logf("requests to the API server in a quiet minute: %v", asked.take())
}
