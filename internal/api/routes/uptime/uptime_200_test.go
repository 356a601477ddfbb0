package uptime_test

import (
	"testing"
	"time"

	"zr/internal/api/apitest"
	routes "zr/internal/api/routes/uptime"
	"zr/internal/api/store/storetest"
	"zr/internal/api/uptime"
)

func TestUptime200(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	a := recorded(t, []uptime.Period{
		{Service: "web", State: uptime.Healthy, From: ago(50 * time.Minute), To: ago(30 * time.Minute)},
		{Service: "web", State: uptime.Unhealthy, Reason: "crash", Message: "exit code 1", From: ago(30 * time.Minute), To: ago(25 * time.Minute)},
		{Service: "web", State: uptime.Healthy, From: ago(25 * time.Minute), To: ago(10 * time.Minute)},
		{Service: "web", State: uptime.Healthy, From: ago(5 * time.Minute), To: now.Add(time.Minute)}, // nobody looked in between
		{Service: "db", State: uptime.Unhealthy, Reason: "crash", Message: "exit code 2", From: ago(73 * time.Hour), To: ago(72 * time.Hour)},
		{Service: "db", State: uptime.Stopped, From: ago(72 * time.Hour), To: ago(48 * time.Hour)},
		{Service: "cache", State: uptime.Unhealthy, Reason: "unreachable", Message: "refused", From: ago(20 * time.Minute), To: ago(15 * time.Minute)},
		{Service: "cache", State: uptime.Stopped, From: ago(15 * time.Minute), To: now.Add(time.Minute)},
	}, []uptime.Sample{
		{Service: "web", At: ago(9 * time.Minute), Bucket: uptime.BucketOf(2 * time.Millisecond)},
		{Service: "web", At: ago(8 * time.Minute), Bucket: uptime.BucketOf(40 * time.Millisecond)},
		{Service: "web", At: ago(7 * time.Minute), Bucket: uptime.Unanswered},
	})
	got := a.Get("/api/v1/services/web/uptime?window=1h")
	if got.Status != 200 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	var web uptime.Report
	got.Decode(t, &web)
	near := func(what string, got, want float64) {
		t.Helper()
		if got < want-60 || got > want+60 { // the minute that the test may take
			t.Errorf("%s: got %v s, want about %v", what, got, want)
		}
	}
	near("healthy", web.Uptime.Hour.Healthy, 40*60)
	near("unknown", web.Uptime.Hour.Unknown, 15*60)
	near("unknown in a week", web.Uptime.Week.Unknown, (7*24-1)*3600+15*60)
	if web.State != uptime.Healthy || web.Uptime.Hour.Unhealthy != 300 || *web.Uptime.Week.Uptime >= 0.95 {
		t.Errorf("got %+v", web.Summary)
	}
	if l := web.Latency; l.Asked != 3 || l.Unanswered != 1 || *l.P50 < 1.9 || *l.P50 > 2.1 || *l.P99 < 38 || *l.P99 > 42 {
		t.Errorf("got %s", got.Body)
	}
	if len(web.Outages) != 1 || web.Outages[0].Reason != "crash" || web.Outages[0].Seconds != 300 || web.Outages[0].End != uptime.Healthy {
		t.Errorf("got %+v", web.Outages)
	}
	known, unhealthy := 0, 0
	for _, p := range web.Points {
		if p.Uptime != nil {
			known++
		}
		if (p.State == "unknown") != (p.Uptime == nil) {
			t.Errorf("%s: %s, uptime %v", p.At, p.State, p.Uptime)
		}
		if p.State == uptime.Unhealthy {
			unhealthy++
		}
	}
	if len(web.Points) != 60 || known < 44 || known > 49 || unhealthy < 5 || unhealthy > 6 {
		t.Errorf("%d points, %d of them known, %d unhealthy", len(web.Points), known, unhealthy)
	}
	var cache uptime.Report
	a.Get("/api/v1/services/cache/uptime?window=1h").Decode(t, &cache)
	if last := cache.Points[len(cache.Points)-1]; last.State != uptime.Stopped || last.Uptime != nil {
		t.Errorf("the last minute of what was stopped: %+v", last)
	}
	var all routes.Overview
	a.Get("/api/v1/uptime").Decode(t, &all)
	if len(all.Services) != 3 || all.Services[1].Service != "db" || all.Services[1].State != "unknown" || all.Services[1].Uptime.Day.Uptime != nil || len(all.Services[2].Points) != 24 {
		t.Errorf("got %+v", all.Services)
	}
	if o := all.Outages; len(o) != 2 || o[0].Service != "cache" || o[0].End != uptime.Stopped || o[1].Service != "web" || o[1].Message != "exit code 1" {
		t.Errorf("outages of a day, the newest first: %+v", all.Outages)
	}
}

// The api records what it sees: a dependency that goes away has an outage, which
// ends when it is back.
func TestUptime200OfADependency(t *testing.T) {
	db, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	db.Start()
	redis.Start()
	a := apitest.Run(t, map[string]string{"DATABASE_URL": db.URL("postgres"), "REDIS_URL": redis.URL()})
	is := func(ok func(uptime.Report) bool) func(apitest.Response) bool {
		return func(r apitest.Response) bool {
			var report uptime.Report
			if r.Status != 200 {
				return false
			}
			r.Decode(t, &report)
			return ok(report)
		}
	}
	const path = "/api/v1/services/redis/uptime?window=1h"
	a.Await(path, is(func(r uptime.Report) bool { return r.State == uptime.Healthy }))
	redis.Stop()
	a.Await(path, is(func(r uptime.Report) bool {
		return r.State == uptime.Unhealthy && len(r.Outages) == 1 && r.Outages[0].End == "lasting"
	}))
	redis.Start()
	a.Await(path, is(func(r uptime.Report) bool {
		return r.State == uptime.Healthy && len(r.Outages) == 1 && r.Outages[0].End == uptime.Healthy && r.Outages[0].Reason == "unreachable" && r.Outages[0].Seconds > 0
	}))
	a.Await(path, is(func(r uptime.Report) bool { return r.Latency.Asked > 0 && r.Latency.P99 != nil }))
}
