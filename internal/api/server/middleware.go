package server

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/metrics"
	"zr/internal/api/traces"
)

// identify gives each request an id: the one that the caller sent, where that
// is fit for a log line, otherwise a new one.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !validID(id) {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(contract.WithRequestID(r.Context(), id)))
	})
}

func validID(id string) bool {
	return len(id) > 0 && len(id) <= 64 && strings.IndexFunc(id, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}) < 0
}

// logRequests counts and traces each request, and writes one line for it. Probes ask every few seconds
// for ever, so what they are told shows at level debug only; what changes in health is
// logged where it is noticed.
func logRequests(log *slog.Logger, counted *metrics.Set, traced *traces.Tracer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, seen := time.Now(), &statusWriter{ResponseWriter: w}
		span := traces.Request{}
		if !probes(r) && r.Header.Get("Upgrade") == "" { // a stream has no end to wait for
			r, span = traced.Begin(r)
		}
		next.ServeHTTP(seen, r)
		span.End(method(r), route(r), seen.status, contract.RequestID(r.Context()))
		took := time.Since(begin)
		counted.Request(method(r), route(r), seen.status, took)
		level := slog.LevelInfo
		switch {
		case probes(r) && (seen.status == http.StatusOK || seen.status == http.StatusServiceUnavailable):
			level = slog.LevelDebug
		case seen.status >= 500:
			level = slog.LevelWarn
		}
		log.LogAttrs(r.Context(), level, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", seen.status),
			slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("requestId", contract.RequestID(r.Context())))
	})
}

// probes says whether a request is one of the kubelet's.
func probes(r *http.Request) bool { return r.URL.Path == "/health" || r.URL.Path == "/health/live" }

// route is the pattern of the route that a request was led to, without its method, or
// "none". It is known when the request was answered.
func route(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	if !found { // of no route
		return "none"
	}
	return path
}

// method is one of those that routes have, or "other": strangers may send any word.
func method(r *http.Request) string {
	if slices.Contains(methods, r.Method) {
		return r.Method
	}
	return "other"
}

// countStreams counts those that are open.
func countStreams(counted *metrics.Set, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer counted.Stream(route(r))()
		next.ServeHTTP(w, r)
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recoverPanics answers 500 and keeps the process.
func recoverPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				log.Error("a handler panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()), "requestId", contract.RequestID(r.Context()))
				contract.Write(w, r, contract.Refuse(http.StatusInternalServerError, "internal", "the api made a mistake; its log says which"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers that keep a browser from doing more with an answer
// than reading it.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-site")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// checkHost refuses names that a stranger's DNS may have pointed here (DNS rebinding).
// A page of evil.example that resolves to 127.0.0.1 is of the same origin for the
// browser, and its requests carry that name.
func checkHost(allowed []string, gate *access.Gate, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(r.Host, allowed) {
			p := contract.Refuse(http.StatusMisdirectedRequest, "unknown_host", "the api does not go by this name; ALLOWED_HOSTS names further ones")
			gate.Refused(r, "", p)
			contract.Write(w, r, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownHost accepts addresses (the kubelet's probes), localhost, and names that
// only the cluster's DNS can resolve.
func ownHost(hostport string, allowed []string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host != "" && (!strings.Contains(host, ".") ||
		strings.HasSuffix(host, ".localhost") ||
		strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local") ||
		slices.Contains(allowed, host))
}

// checkOrigin lets the pages of allowed origins, and the api's own, read the answers, and refuses
// those of others. What is not a page (curl, the frontend's server) sends no
// Origin.
func checkOrigin(allowed []string, gate *access.Gate, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		if !slices.Contains(allowed, strings.ToLower(origin)) && !sameOrigin(r, origin) {
			p := contract.Refuse(http.StatusForbidden, "origin_not_allowed", "pages of this origin may not use the api; ALLOWED_ORIGINS names those that may")
			gate.Refused(r, "", p)
			contract.Write(w, r, p)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Request-Id")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
			h.Set("Access-Control-Allow-Headers", "Content-Type, X-Request-Id")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin says whether a page is one of the api's own. Its name was checked
// before.
func sameOrigin(r *http.Request, origin string) bool {
	return origin == "http://"+r.Host || origin == "https://"+r.Host
}
