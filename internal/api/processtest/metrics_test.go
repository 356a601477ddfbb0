package processtest_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"zr/internal/api/processtest"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// scraped is a number of a page of metrics, 0 where it is not there.
func scraped(t *testing.T, client *processtest.Client, name string) float64 {
	t.Helper()
	for line := range strings.Lines(client.Text("/metrics")) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// TestMetricsOfWork moves the numbers of what the api does by itself: lines that are
// received, stored, waiting and skipped, who leads, and watches that break.
func TestMetricsOfWork(t *testing.T) {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	kubelet.Write("web", "line 1")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	asked, mount := count(t, c.Mount())
	a := processtest.Start(t, mount, map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()})
	client := processtest.NewClient(t, a.Token(), func() []*processtest.API { return []*processtest.API{a} })
	of := `{environment="` + c.Name + `"}`
	number := func(name string) float64 { return scraped(t, client, name) }
	await := func(what string, is func() bool) {
		t.Helper()
		a.Await(what+" in "+client.Text("/metrics"), is)
	}
	await("a stored line", func() bool {
		return number("zr_api_log_lines_received_total"+of) == 1 && number("zr_api_log_lines_stored_total"+of) == 1
	})
	leads := func(work, environment string) func() bool {
		name := fmt.Sprintf(`zr_api_leader{work=%q,environment=%q}`, work, environment)
		return func() bool { return number(name) == 1 }
	}
	await("who collects", leads("logs", c.Name))
	await("who writes the uptime", leads("uptime", ""))

	server.Stop()
	long := strings.Repeat("x", 60<<10)
	const most = 700 // some 40 MiB, of which 32 wait
	for n := range most {
		kubelet.Write("web", fmt.Sprintf("line %d %s", n+2, long))
	}
	await("lines that wait", func() bool {
		return number("zr_api_log_lines_received_total"+of) == most+1 && number("zr_api_log_waiting_bytes"+of) > 30<<20 && number("zr_api_log_lines_waiting"+of) > 400
	})
	server.Start()
	await("all lines are stored or skipped", func() bool {
		return number("zr_api_log_lines_stored_total"+of)+number("zr_api_log_lines_skipped_total"+of) == most+1
	})
	await("nothing waits", func() bool {
		return number("zr_api_log_lines_skipped_total"+of) > 0 && number("zr_api_log_lines_waiting"+of) == 0 && number("zr_api_log_waiting_bytes"+of) == 0
	})

	restarts := `zr_api_watch_restarts_total{environment="` + c.Name + `",resource="pods"}`
	before := number(restarts)
	asked.server.CloseClientConnections()
	await("a watch that began anew", func() bool { return number(restarts) > before })
}
