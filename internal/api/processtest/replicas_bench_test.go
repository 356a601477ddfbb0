package processtest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// BenchmarkLineToFrameOfAnother follows a pod that writes 1,000 lines a second, through a
// replica that does not collect its log: with Redis, and without.
func BenchmarkLineToFrameOfAnother(b *testing.B) {
	c := processtest.New(b, kubetest.Server(b))
	kubelet := c.Node()
	c.Pod("web")
	kubelet.Write("web", "a first line")
	server, redis := storetest.NewPostgres(b), storetest.NewRedis(b)
	server.Start()
	redis.Start()
	settings := map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()}
	mount := c.Mount()
	leader := processtest.Start(b, mount, settings)
	leader.Await("it collects", func() bool { return strings.Contains(leader.Log.String(), `"msg":"collecting logs"`) })
	other := processtest.Start(b, mount, settings)
	client := processtest.NewClient(b, other.Token(), func() []*processtest.API { return []*processtest.API{other} })
	ctx, stop := context.WithCancel(b.Context())
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	var took times
	working.Go(func() {
		client.Watch(ctx, func(lines []logs.Line) {
			now := time.Now()
			for _, l := range lines {
				took.add(now.Sub(l.Time))
			}
		})
	})
	other.Await("a frame", func() bool {
		kubelet.Write("web", "another")
		return took.at(50) > 0
	})
	measure := func(how string) {
		write(kubelet, 1000, time.Second, new(atomic.Int64))
		took.forget()
		write(kubelet, 1000, 20*time.Second, new(atomic.Int64))
		time.Sleep(2 * time.Second) // the last lines are on their way
		b.Logf("a line → the frame of a WebSocket of another replica, at 1,000 lines/s, %s: %v (load %s)", how, &took, load())
	}
	for b.Loop() {
		measure("with Redis")
		redis.Stop()
		measure("without Redis")
		redis.Start()
	}
}

// BenchmarkFirstList starts a replica, and asks it for 300 services until it has them.
func BenchmarkFirstList(b *testing.B) {
	c := processtest.New(b, kubetest.Server(b))
	for n := range 300 {
		c.Workload(fmt.Sprintf("service-%d", n))
	}
	mount := c.Mount()
	server, redis := storetest.NewPostgres(b), storetest.NewRedis(b)
	server.Start()
	redis.Start()
	var took times
	for b.Loop() {
		for range 10 {
			a := processtest.Start(b, mount, map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()})
			begin, there := time.Now(), 0
			for there < 300 {
				_, body := a.Get(contract.Base+"/services", "")
				there = strings.Count(string(body), `"StatefulSet"`)
			}
			took.add(time.Since(begin))
			a.Kill()
		}
	}
	b.Logf("a new replica listens → its first list of 300 services: %v (load %s)", &took, load())
}
