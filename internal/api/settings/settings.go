// Package settings is what the environment says to the api.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zr/internal/api/kube"
	"zr/pkg/ticket"
)

// The defaults of the settings.
const (
	defaultPort            = 3001
	defaultService         = "api"
	defaultShutdownTimeout = 10 * time.Second
	defaultOrigin          = "http://localhost:3000"
)

// The default sizes of the pools. Those of PostgreSQL, times a few replicas, stay far below
// the server's default of 100.
const (
	defaultPostgres = 8
	defaultLogs     = 8
	defaultRedis    = 16
	mostConnections = 1000
)

// The values of ENVIRONMENTS.
const (
	environmentsOwn     = "own"
	environmentsGranted = "granted"
)

// The values of READERS.
const (
	readersViewers = "viewers"
	readersAnybody = "anybody"
)

// Settings are what the environment says. In the cluster they come from the
// ConfigMap "settings" and the Secret "secrets".
type Settings struct {
	Port            int           // PORT
	LogLevel        slog.Level    // LOG_LEVEL: debug, info, warning or error
	DatabaseURL     string        // DATABASE_URL, secret
	RedisURL        string        // REDIS_URL, secret
	ShutdownTimeout time.Duration // SHUTDOWN_TIMEOUT: how long requests in flight may take
	// AllowedOrigins are the origins of the pages that may read the answers:
	// ALLOWED_ORIGINS, separated by commas.
	AllowedOrigins []string
	// AllowedHosts are further names under which the api may be called:
	// ALLOWED_HOSTS, separated by commas. Addresses, localhost and names
	// inside the cluster need not be listed.
	AllowedHosts []string
	LoginKey     string // LOGIN_KEY, secret: what login links are made with; without it there are none
	// ControlRoom says that the api serves the namespaces that it was given rights on,
	// and not its own: ENVIRONMENTS=granted; the default is ENVIRONMENTS=own.
	ControlRoom bool
	// Kubelets says that the kubelets are asked what containers use, where the cluster has
	// no metrics API: KUBELET_STATS=on; the default is off. See docs/security.md.
	Kubelets bool
	// Guests says that health, services and the history of their states can be read
	// without logging in: READERS=anybody; the default is READERS=viewers.
	Guests bool
	// ServiceAccount is the folder with the credentials of the pod: SERVICE_ACCOUNT_DIR;
	// the default is where the kubelet mounts them.
	ServiceAccount string
	// SecretsDir is a folder with values, one a file, that are taken out of logs:
	// SECRETS_DIR, where somebody mounts a Secret; without it there are none.
	SecretsDir string
	// Connections are how many each pool has at most: POSTGRES_CONNECTIONS,
	// LOGS_CONNECTIONS (also to PostgreSQL) and REDIS_CONNECTIONS.
	Connections struct{ Postgres, Logs, Redis int }
	Service     string // SERVICE_NAME: the name of the api's own workload
	Build       string // ZR_BUILD_HASH: what it was built from, set by zr
}

// Load reads the environment and returns every problem at once. No
// problem shows the value of a secret.
func Load(getenv func(string) string) (Settings, error) {
	s := Settings{
		DatabaseURL:    getenv("DATABASE_URL"),
		RedisURL:       getenv("REDIS_URL"),
		LoginKey:       getenv(ticket.KeyName),
		ServiceAccount: or(getenv("SERVICE_ACCOUNT_DIR"), kube.MountPath),
		SecretsDir:     getenv("SECRETS_DIR"),
		Service:        or(getenv("SERVICE_NAME"), defaultService),
		Build:          getenv("ZR_BUILD_HASH"),
	}
	var problems []error
	problem := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf(name+": "+format, args...))
	}
	for _, required := range []string{"DATABASE_URL", "REDIS_URL"} {
		if getenv(required) == "" {
			problem(required, "is not set")
		}
	}
	var err error
	if s.Port, err = strconv.Atoi(or(getenv("PORT"), strconv.Itoa(defaultPort))); err != nil || s.Port < 0 || s.Port > 65535 {
		problem("PORT", "%q is not a port (0 to 65535; 0 takes a free one)", getenv("PORT"))
	}
	for _, pool := range []struct {
		name      string
		into      *int
		otherwise int
	}{{"POSTGRES_CONNECTIONS", &s.Connections.Postgres, defaultPostgres}, {"LOGS_CONNECTIONS", &s.Connections.Logs, defaultLogs}, {"REDIS_CONNECTIONS", &s.Connections.Redis, defaultRedis}} {
		if *pool.into, err = strconv.Atoi(or(getenv(pool.name), strconv.Itoa(pool.otherwise))); err != nil || *pool.into < 2 || *pool.into > mostConnections {
			problem(pool.name, "%q is not a number from 2 to %d", getenv(pool.name), mostConnections)
			*pool.into = pool.otherwise // so that the other problems are found
		}
	}
	switch which := or(getenv("ENVIRONMENTS"), environmentsOwn); which {
	case environmentsOwn, environmentsGranted:
		s.ControlRoom = which == environmentsGranted
	default:
		problem("ENVIRONMENTS", "%q is neither %s nor %s", which, environmentsOwn, environmentsGranted)
	}
	switch who := or(getenv("READERS"), readersViewers); who {
	case readersViewers, readersAnybody:
		s.Guests = who == readersAnybody
	default:
		problem("READERS", "%q is neither %s nor %s", who, readersViewers, readersAnybody)
	}
	switch which := or(getenv("KUBELET_STATS"), "off"); which {
	case "on", "off":
		s.Kubelets = which == "on"
	default:
		problem("KUBELET_STATS", "%q is neither on nor off", which)
	}
	if s.LogLevel, err = parseLevel(or(getenv("LOG_LEVEL"), "info")); err != nil {
		problem("LOG_LEVEL", "%w", err)
	}
	s.ShutdownTimeout, err = time.ParseDuration(or(getenv("SHUTDOWN_TIMEOUT"), defaultShutdownTimeout.String()))
	if err != nil || s.ShutdownTimeout < 0 {
		problem("SHUTDOWN_TIMEOUT", "%q is not a duration such as 10s", getenv("SHUTDOWN_TIMEOUT"))
	}
	for _, origin := range list(or(getenv("ALLOWED_ORIGINS"), defaultOrigin)) {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			problem("ALLOWED_ORIGINS", "%q is not an origin such as %s", origin, defaultOrigin)
			continue
		}
		s.AllowedOrigins = append(s.AllowedOrigins, strings.ToLower(origin))
	}
	if len(list(or(getenv("ALLOWED_ORIGINS"), defaultOrigin))) == 0 {
		problem("ALLOWED_ORIGINS", "names no origin such as %s", defaultOrigin)
	}
	for _, host := range list(getenv("ALLOWED_HOSTS")) {
		if strings.ContainsAny(host, "/:@ ") {
			problem("ALLOWED_HOSTS", "%q is not a host name", host)
			continue
		}
		s.AllowedHosts = append(s.AllowedHosts, strings.ToLower(host))
	}
	return s, errors.Join(problems...)
}

// levels are the names of LOG_LEVEL, which the log carries too.
var levels = map[string]slog.Level{
	"debug":   slog.LevelDebug,
	"info":    slog.LevelInfo,
	"warning": slog.LevelWarn,
	"error":   slog.LevelError,
}

func parseLevel(name string) (slog.Level, error) {
	level, ok := levels[name]
	if !ok {
		return 0, fmt.Errorf("%q is not a level (debug, info, warning, error)", name)
	}
	return level, nil
}

// Secrets are those that the api knows: the passwords of the database and the
// cache, which are those of their servers, the login key, and the values of the Secret
// that is mounted. One that changes is known when zr has replaced the pods that use it.
func (s Settings) Secrets() ([]string, error) {
	values := []string{s.DatabaseURL, s.RedisURL, s.LoginKey}
	if s.SecretsDir == "" {
		return values, nil
	}
	files, err := os.ReadDir(s.SecretsDir)
	if err != nil {
		return nil, fmt.Errorf("SECRETS_DIR: %w", err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "..") { // the kubelet's own, where the values are kept by version
			continue
		}
		value, err := os.ReadFile(filepath.Join(s.SecretsDir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("SECRETS_DIR: %w", err)
		}
		values = append(values, string(value))
	}
	return values, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// list splits at commas and leaves out what is empty.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
