package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"zr/internal/api/access"
	"zr/internal/api/contract"
)

// limit bounds what a request may send, and how long it and its answer may
// take. The server has limits of its own, which are those of a small request: a
// route of another class gets the deadlines of its class instead.
func limit(l contract.Limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, l.Body)
		connection := http.NewResponseController(w)
		if l.Time == 0 {
			_ = connection.SetReadDeadline(time.Time{}) // fails for a test's recorder only
			_ = connection.SetWriteDeadline(time.Time{})
			next.ServeHTTP(w, r)
			return
		}
		// A body that trickles in is as slow as a slow answer.
		_ = connection.SetReadDeadline(time.Now().Add(min(l.Time, readTimeout)))
		// The answer of a route that was cut short has to get out as well.
		_ = connection.SetWriteDeadline(time.Now().Add(l.Time + writeMargin))
		ctx, cancel := context.WithTimeout(r.Context(), l.Time)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// maxCallers is how many callers are told apart. Each costs some 200 bytes;
// when there are more, counting begins anew, which forgives and never refuses.
const maxCallers = 4096

type rateKey struct {
	class  contract.Class
	caller string
}

// rates count the requests of each caller in each class.
type rates struct {
	mu  sync.Mutex
	all map[rateKey]*rate.Limiter
}

func newRates() *rates { return &rates{all: map[rateKey]*rate.Limiter{}} }

func (s *rates) allow(class contract.Class, caller string) bool {
	l := class.Limits()
	if l.Rate == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := rateKey{class, caller}
	counted, known := s.all[key]
	if !known {
		if len(s.all) >= maxCallers {
			clear(s.all)
		}
		counted = rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
		s.all[key] = counted
	}
	return counted.Allow()
}

// limitRate refuses what a caller asks too often. Callers are told apart by
// their addresses.
func limitRate(counted *rates, class contract.Class, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !counted.allow(class, caller) {
			w.Header().Set("Retry-After", "1")
			contract.Write(w, r, contract.Refuse(http.StatusTooManyRequests, "too_many_requests", "too many requests of this kind: try again in a second"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// beyond are the refusals of limits, and of a body that a form of another site may have.
var beyond = map[int]string{
	http.StatusRequestTimeout:        "the body came too slowly",
	http.StatusRequestEntityTooLarge: "the body is too large",
	http.StatusUnsupportedMediaType:  "the body is not sent as JSON",
	http.StatusTooManyRequests:       "too many requests",
}

// recordLimits has the audit log have those, before they are answered.
func recordLimits(gate *access.Gate, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&limitWriter{w, func(status int) {
			if detail, refused := beyond[status]; refused {
				gate.Refused(r, "", contract.Refuse(status, "", detail))
			}
		}}, r)
	})
}

// limitWriter tells the status before it is written.
type limitWriter struct {
	http.ResponseWriter
	told func(status int)
}

func (w *limitWriter) WriteHeader(status int) {
	w.told(status)
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *limitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// open counts what each caller has open.
type open struct {
	mu  sync.Mutex
	all map[string]int
}

func newOpen() *open { return &open{all: map[string]int{}} }

// limitOpen refuses a caller who has most requests open already; 0 means any number.
func limitOpen(counted *open, most int, next http.Handler) http.Handler {
	if most == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !counted.add(caller, most) {
			w.Header().Set("Retry-After", "1")
			contract.Write(w, r, contract.Refuse(http.StatusTooManyRequests, "too_many_requests", "too many streams are open: close one first"))
			return
		}
		defer counted.remove(caller)
		next.ServeHTTP(w, r)
	})
}

// add counts one more of a caller, where that is within most.
func (o *open) add(caller string, most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all[caller] >= most {
		return false
	}
	o.all[caller]++
	return true
}

func (o *open) remove(caller string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all[caller]--; o.all[caller] == 0 {
		delete(o.all, caller)
	}
}
