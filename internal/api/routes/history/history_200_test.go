package history_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
)

type eventList struct{ Events []postgres.Event }

func TestHistory200TellsThatADependencyWentAndCame(t *testing.T) {
	db, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	db.Start()
	redis.Start()
	a := apitest.Run(t, map[string]string{"DATABASE_URL": db.URL("postgres"), "REDIS_URL": redis.URL(), "ZR_BUILD_HASH": "b1"})
	has := func(state string) func(apitest.Response) bool {
		return func(r apitest.Response) bool {
			var list eventList
			r.Decode(t, &list)
			return len(list.Events) > 0 && list.Events[0].State == state
		}
	}
	a.Await("/api/v1/history?service=redis", has("healthy"))
	redis.Stop()
	a.Await("/api/v1/history?service=redis", has("unhealthy"))
	redis.Start()
	got := a.Await("/api/v1/history?service=redis&limit=2", has("healthy"))
	var list eventList
	got.Decode(t, &list)
	if len(list.Events) != 2 || list.Events[0].Previous != "unhealthy" || list.Events[1].Reason != "unreachable" || list.Events[1].Previous != "healthy" {
		t.Errorf("got %s", got.Body)
	}
	// What happens while the database itself is away is written afterwards.
	db.Stop()
	a.Await("/health", func(apitest.Response) bool {
		return strings.Contains(a.Log.String(), `"service":"postgres","was":"healthy"`)
	})
	db.Start()
	a.Await("/api/v1/history?service=postgres", func(r apitest.Response) bool {
		return r.Status == 200 && has("healthy")(r) && strings.Contains(r.Body, `"unhealthy"`)
	})
}

func TestHistory200WithoutEvents(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	got := a.Await("/api/v1/history?service=nobody", apitest.Status(200))
	if got.Body != "{\"events\":[]}\n" {
		t.Errorf("got %s", got.Body)
	}
}
