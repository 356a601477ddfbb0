package processtest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// hostileLines is how many are written: ZR_LOG_LINES, or 1,500.
func hostileLines(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("ZR_LOG_LINES"))
	if err != nil && os.Getenv("ZR_LOG_LINES") != "" {
		t.Fatal(err)
	}
	return max(n, 1500)
}

// mark is the number that each line has, once.
var mark = regexp.MustCompile(`#(\d+)#`)

// hostile is the n-th line.
func hostile(random *rand.Rand, n int) string {
	m := fmt.Sprintf("#%d#", n)
	switch random.IntN(16) {
	case 0:
		return "invalid \xff\xfe\xc0\xaf " + m + " \xf0\x9f"
	case 1:
		return "NUL \x00\x00" + m + "\x00\x1b[31mred\x1b[0m\x9b"
	case 2:
		return "10%\r50%\r" + m // what a terminal shows in the end
	case 3:
		return m + strings.Repeat("long \xe4 ", random.IntN(1<<20/7)) // up to 1 MB
	case 4:
		return m + strings.Repeat("y", 16<<10-len(m)+random.IntN(3)-1) // where the runtime splits
	case 5:
		return "\tat com.example.Trace(" + m + ")"
	case 6:
		return "panic: " + m
	case 7:
		return "Traceback (most recent call last): " + m
	case 8:
		return `{"level":"error","msg":"` + m + `\u0000\ud800","nested":{"a":[1,{"b":"}"}]},"x":1e999}`
	case 9:
		return `{"msg":"cut ` + m + `"`
	case 10:
		return `level=warn msg="a ` + m + ` \" b" k="` + strings.Repeat(`\\`, random.IntN(50))
	case 11:
		return strings.Repeat("[", random.IntN(20_000)) + m
	case 12:
		return `{"msg":` + strings.Repeat("[", random.IntN(12_000)) + `"` + m + `"}`
	case 13:
		return "   " + m
	case 14:
		return "goroutine 1 [running]: " + m + "\r"
	}
	return m
}

// TestHostileLines writes lines of every kind, breaks off connections in the middle of
// them, and restarts their container. Each line is stored once, in its place.
func TestHostileLines(t *testing.T) {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	a := processtest.Start(t, c.Mount(), map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()})
	client := processtest.NewClient(t, a.Token(), func() []*processtest.API { return []*processtest.API{a} })
	settled := func(last int) {
		a.Await(fmt.Sprint("line ", last), func() bool {
			var page logs.Found
			client.Get(contract.Base+fmt.Sprintf("/logs?limit=1&text=%%23%d%%23", last), &page)
			return len(page.Lines) == 1
		})
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	total, runs := hostileLines(t), 0
	for n, restartAt := 0, 200; n < total; {
		var lines []string
		for range min(1+random.IntN(40), total-n) {
			n++
			lines = append(lines, hostile(random, n))
		}
		if random.IntN(4) == 0 {
			kubelet.Cut()
		}
		kubelet.Write("web", lines...)
		if n >= restartAt && n < total {
			restartAt = n + total/5
			settled(n) // of the runs before, only one is kept
			runs++
			kubelet.Write("web", hostile(random, n+1))
			n++
			kubelet.Restart("web")
			c.SetPod("web", fmt.Sprintf(`{"containerStatuses":[{"name":"main","ready":true,"restartCount":%d,"image":"none:1","imageID":"none",
				"state":{"running":{"startedAt":"2026-01-02T15:04:05Z"}},"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-01-02T15:04:05Z"}}}]}`, runs))
		}
	}
	settled(total)
	next := 1
	for _, l := range client.Stored() {
		text := l.Message
		for key, value := range l.Fields {
			text += " " + key + "=" + value
		}
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\x1b") {
			t.Errorf("line %d cannot be shown: %.100q", next, text)
		}
		for _, m := range mark.FindAllStringSubmatch(text, -1) {
			if m[1] != fmt.Sprint(next) {
				t.Fatalf("after line %d comes %d bytes at %v: %.100q (%d runs)", next-1, len(text), l.Time, text, runs+1)
			}
			next++
		}
	}
	if next != total+1 {
		t.Errorf("%d lines of %d are stored", next-1, total)
	}
}
