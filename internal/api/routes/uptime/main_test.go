package uptime_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	routes "zr/internal/api/routes/uptime"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/internal/api/uptime"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

var quiet = slog.New(slog.DiscardHandler)

// recorded serves the uptime of an environment of which this was recorded.
func recorded(t *testing.T, periods []uptime.Period, samples []uptime.Sample) *apitest.App {
	t.Helper()
	db, err := postgres.Open(storetest.Database(t), 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { db.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		db.Close()
	})
	for deadline := time.Now().Add(time.Minute); db.Check(t.Context()) != nil && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	for _, err := range []error{db.StorePeriods(t.Context(), "dev", periods), db.StoreSamples(t.Context(), "dev", samples), db.RollUp(t.Context(), "dev", time.Now())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return apitest.Serve(t, func(a *contract.API) {
		routes.Add(a, environments.Only(&environments.Environment{Name: "dev"}), db, quiet)
	})
}
