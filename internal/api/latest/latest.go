// Package latest shares one answer between everybody who asks at about the
// same time, so that many probes and dashboards cost a dependency no more
// than one.
package latest

import (
	"context"
	"sync"
	"time"
)

// Value is the result of a function that runs at most once at a time and
// whose result is handed out until it is too old. It is safe for concurrent
// use.
type Value[T any] struct {
	get       func(context.Context) T
	keep      func(T) time.Duration
	meanwhile func(T) time.Duration // nil: no longer
	timeout   time.Duration

	mu      sync.Mutex
	value   T
	until   time.Time
	last    time.Time     // how long it may be handed out while a new one is made
	running chan struct{} // closed when the running call is done; nil without one
}

// New returns the Value of get. A call of get is given timeout, and its
// result is handed out for keep(result) afterwards.
func New[T any](timeout time.Duration, get func(context.Context) T, keep func(T) time.Duration) *Value[T] {
	return &Value[T]{get: get, keep: keep, timeout: timeout}
}

// Meanwhile lets a result that is too old be handed out for so much longer, while a new
// one is made: who asks often never waits. It returns v.
func (v *Value[T]) Meanwhile(longer func(T) time.Duration) *Value[T] {
	v.meanwhile = longer
	return v
}

// Get returns the latest result, after waiting for a new one where that is
// too old. It fails only with ctx; the call goes on for the others.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	v.mu.Lock()
	now := v.renew()
	if now.Before(v.last) {
		defer v.mu.Unlock()
		return v.value, nil
	}
	done := v.running
	v.mu.Unlock()

	select {
	case <-done:
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.value, nil
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Peek returns the latest result and whether there is one, which is at most longer too
// old. It never waits: where the result is too old, a new one is made meanwhile.
func (v *Value[T]) Peek(longer time.Duration) (value T, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.renew(); now.Before(v.until.Add(longer)) {
		return v.value, true
	}
	return value, false
}

// renew has a new result made where the latest is too old, and returns the time. v.mu is
// held.
func (v *Value[T]) renew() time.Time {
	now := time.Now()
	if v.running == nil && !now.Before(v.until) {
		v.running = make(chan struct{})
		go v.run(v.running)
	}
	return now
}

// run is not bound to the caller that happened to be first: its leaving must
// not fail the others.
func (v *Value[T]) run(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), v.timeout)
	defer cancel()
	value := v.get(ctx)

	v.mu.Lock()
	defer v.mu.Unlock()
	v.value, v.until, v.running = value, time.Now().Add(v.keep(value)), nil
	if v.last = v.until; v.meanwhile != nil {
		v.last = v.until.Add(v.meanwhile(value))
	}
	close(done)
}
