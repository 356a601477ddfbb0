// Package api is the backend of the dashboard: an HTTP server that says which
// services run in its namespace, how each of them is, and how it was.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/dev"
	"zr/internal/api/fleet"
	"zr/internal/api/kube"
	"zr/internal/api/logstore/redact"
	"zr/internal/api/metrics"
	"zr/internal/api/probe"
	devroutes "zr/internal/api/routes/dev"
	"zr/internal/api/routes/health"
	"zr/internal/api/routes/logs"
	"zr/internal/api/server"
	"zr/internal/api/settings"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/logdb"
	"zr/internal/api/store/postgres"
	"zr/internal/api/traces"
	"zr/internal/api/usage"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitConfig = 2 // the environment is wrong: starting again does not help
)

// lastTraces bounds the telling of the last spans.
const lastTraces = time.Second

// Main runs the api until it is told to stop by SIGTERM or SIGINT, and
// returns the exit code. A second signal ends the process at once. The log
// goes to out.
func Main(getenv func(string) string, out io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, getenv, out, nil)
}

// Run runs the api until ctx ends and returns the exit code. It tells its
// address to listening, where that is not nil, as soon as it can be called;
// everything else happens after that.
func Run(ctx context.Context, getenv func(string) string, out io.Writer, listening func(net.Addr)) int {
	started := time.Now()
	settings, err := settings.Load(getenv)
	log := newLogger(out, settings.LogLevel)

	var db *postgres.Store
	if settings.DatabaseURL != "" {
		var problem error
		if db, problem = postgres.Open(settings.DatabaseURL, settings.Connections.Postgres, log); problem != nil {
			err = errors.Join(err, fmt.Errorf("DATABASE_URL: %w", problem))
		} else {
			defer db.Close()
		}
	}
	var lines *logdb.Store
	if settings.DatabaseURL != "" && err == nil {
		if lines, err = logdb.Open(settings.DatabaseURL, settings.Connections.Logs, logdb.DefaultLimits(), db.Usable, log); err == nil {
			defer lines.Close()
		}
	}
	known, problem := settings.Secrets()
	err = errors.Join(err, problem)
	traced, problem := traces.Open(getenv, log, "service.name", "zr-api", "service.version", version)
	err = errors.Join(err, problem)
	var shared cache.Cache
	if settings.RedisURL != "" {
		var problem error
		if shared, problem = cache.Open(settings.RedisURL, settings.Connections.Redis, log); problem != nil {
			err = errors.Join(err, fmt.Errorf("REDIS_URL: %w", problem))
		} else {
			defer shared.Close()
		}
	}
	if err != nil {
		for _, problem := range flatten(err) {
			log.Error("bad configuration", "problem", problem.Error())
		}
		return exitConfig
	}

	secrets := redact.New(known)
	client, err := kube.InCluster(getenv, settings.ServiceAccount)
	if err != nil {
		log.Warn("the Kubernetes API is not used", "reason", err.Error())
	}
	probes := probe.NewSet(map[string]probe.Check{"postgres": db.Check, "redis": shared.Check})
	self := fleet.Self{Service: settings.Service, Build: settings.Build, Started: started.UTC()}
	hub := dev.NewHub(shared, log)
	gate := access.New(settings.LoginKey, shared, db, log)
	gate.Guests = settings.Guests
	room := &parts{settings: settings, gate: gate, client: client, probes: probes, self: self, shared: shared, db: db, lines: lines, devs: hub, secrets: secrets, log: log}
	if settings.Kubelets {
		room.kubelets = usage.NewKubelets(settings.ServiceAccount)
	}
	served := newEnvironments(room)
	counted := metrics.New()
	counted.Add(built(settings.Build), room.dependencies, room.pools, room.work(served, gate))
	app := &app{settings: settings, log: log, sources: sources{
		health:  &health.Source{Probes: probes, Version: version, Build: settings.Build, Started: started},
		served:  served,
		history: db,
		uptime:  db,
		changes: db,
		counted: counted, traced: traced,
		gate: gate, tokens: db, activity: db,
		keys:      shared,
		dashboard: settings.AllowedOrigins[0],
		logs:      logs.Source{Environments: served, Store: lines, Origins: settings.AllowedOrigins},
		dev:       devroutes.Source{Environments: served, Hub: hub, Store: db, Recorder: dev.NewRecorder(db, secrets), Gate: gate, Origins: settings.AllowedOrigins},
	}}
	return app.serve(ctx, listening, db.Run, served.Run, app.sources.gate.Run, hub.Run)
}

// app is the running api.
type app struct {
	settings settings.Settings
	log      *slog.Logger
	sources  sources
}

// serve listens, runs the background jobs, and stops everything when ctx ends.
func (a *app) serve(ctx context.Context, listening func(net.Addr), jobs ...func(context.Context)) int {
	log := a.log
	handler, err := newHandler(a.settings, a.sources, log)
	if err != nil {
		log.Error("the routes are badly described", "error", err)
		return exitFailed
	}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(a.settings.Port))
	if err != nil {
		log.Error("the api cannot listen", "error", err)
		return exitFailed
	}
	srv := server.New(handler, log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	log.Info("listening", "address", listener.Addr().String(), "version", version, "build", a.settings.Build, "ms", time.Since(a.sources.health.Started).Milliseconds())
	if listening != nil {
		listening(listener.Addr())
	}

	var background sync.WaitGroup
	jobCtx, stopJobs := context.WithCancel(ctx)
	for _, job := range jobs {
		background.Go(func() { job(jobCtx) })
	}
	defer background.Wait()
	defer stopJobs()

	select {
	case err := <-failed:
		log.Error("serving failed", "error", err)
		return exitFailed
	case <-ctx.Done():
	}
	return a.shutDown(srv)
}

func (a *app) shutDown(srv *server.Server) int {
	a.sources.health.Stopping.Store(true)
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), a.settings.ShutdownTimeout)
	defer cancel()
	err := srv.Stop(ctx)
	telling, told := context.WithTimeout(ctx, lastTraces)
	defer told()
	a.sources.traced.Close(telling)
	took := time.Since(begin).Milliseconds()
	if err != nil {
		a.log.Warn("stopped", "ms", took, "error", err)
	} else {
		a.log.Info("stopped", "ms", took)
	}
	return exitOK
}

// flatten returns the problems that were joined.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}
