package overview_test

import (
	"maps"
	"os"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/overview"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

const path = "/api/v1/overview"

// serve runs the api with servers of its own, and with more settings.
func serve(t *testing.T, more map[string]string) (*apitest.App, *storetest.Postgres) {
	t.Helper()
	db, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	db.Start()
	redis.Start()
	settings := map[string]string{"DATABASE_URL": db.URL("postgres"), "REDIS_URL": redis.URL(), "LOGIN_KEY": apitest.LoginKey}
	maps.Copy(settings, more)
	return apitest.Run(t, settings), db
}

// await asks until the answer is as wanted.
func await(t *testing.T, a *apitest.App, session []string, wanted func(overview.ServicesOverview) bool) (o overview.ServicesOverview) {
	t.Helper()
	a.AwaitAs(path, session, func(r apitest.Response) bool {
		if r.Status != 200 {
			t.Fatalf("got %d %s", r.Status, r.Body)
		}
		o = overview.ServicesOverview{}
		r.Decode(t, &o)
		return wanted(o)
	})
	return o
}

// of is a service of an answer.
func of(o overview.ServicesOverview, name string) (s overview.ServiceOverview) {
	for _, each := range o.Services {
		if each.Name == name {
			s = each
		}
	}
	return s
}
