package api

import (
	"strings"
	"testing"

	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
)

type eventList struct{ Events []postgres.Event }

func TestHistory200TellsThatADependencyWentAndCame(t *testing.T) {
	db, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	db.Start()
	redis.Start()
	a := run(t, map[string]string{"DATABASE_URL": db.URL("postgres"), "REDIS_URL": redis.URL(), "ZR_BUILD_HASH": "b1"})
	has := func(state string) func(response) bool {
		return func(r response) bool {
			var list eventList
			r.decode(t, &list)
			return len(list.Events) > 0 && list.Events[0].State == state
		}
	}
	a.await("/api/v1/history?service=redis", has("healthy"))
	redis.Stop()
	a.await("/api/v1/history?service=redis", has("unhealthy"))
	redis.Start()
	got := a.await("/api/v1/history?service=redis&limit=2", has("healthy"))
	var list eventList
	got.decode(t, &list)
	if len(list.Events) != 2 || list.Events[0].Previous != "unhealthy" || list.Events[1].Reason != "unreachable" || list.Events[1].Previous != "healthy" {
		t.Errorf("got %s", got.body)
	}
	// What happens while the database itself is away is written afterwards.
	db.Stop()
	a.await("/health", func(response) bool { return strings.Contains(a.log.String(), `"service":"postgres","was":"healthy"`) })
	db.Start()
	a.await("/api/v1/history?service=postgres", func(r response) bool {
		return r.status == 200 && has("healthy")(r) && strings.Contains(r.body, `"unhealthy"`)
	})
}

func TestHistory200WithoutEvents(t *testing.T) {
	a := run(t, withServers(t))
	got := a.await("/api/v1/history?service=nobody", status(200))
	if got.body != "{\"events\":[]}\n" {
		t.Errorf("got %s", got.body)
	}
}
