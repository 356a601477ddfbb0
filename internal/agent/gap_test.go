package agent_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/pkg/agentspec/wire"
)

// Under constant load, requests fail only while neither version has the port.
// The test logs for how long that was, which depends on the machine.
func TestGap(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "v0"})
	stop := make(chan struct{})
	var mu sync.Mutex
	var first, last time.Time // failures of this round
	sent, failed := 0, 0
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", a.AppPort))
				if err == nil {
					res.Body.Close()
				}
				mu.Lock()
				sent++
				if err != nil {
					var op *net.OpError
					if !errors.As(err, &op) || op.Op != "dial" {
						// A connection that waits in the queue of a listener
						// that closes is reset by the kernel.
						t.Logf("not refused: %v", err)
					}
					failed++
					last = time.Now()
					if first.IsZero() {
						first = last
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range 8 {
		id := fmt.Sprint("v", i+1)
		c.send(agenttest.App(t, agenttest.Behaviour{"id": id}, 15<<20), held, wire.Commit{Restart: true, Build: id})
		r := c.result()
		if r.Outcome != wire.Done {
			t.Fatalf("result %+v", r)
		}
		agenttest.Eventually(t, id+" answers", func() bool { return a.Get("/") == id })
		mu.Lock()
		t.Logf("%s: refused for %v; stopped %v, started %v, healthy %v", id, last.Sub(first), r.Times.Stopped, r.Times.Started, r.Times.Healthy)
		first, last = time.Time{}, time.Time{}
		mu.Unlock()
	}
	close(stop)
	load.Wait()
	t.Logf("%d of %d requests failed in 8 swaps", failed, sent)
}
