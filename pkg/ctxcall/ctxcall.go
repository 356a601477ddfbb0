// Package ctxcall calls functions of libraries that take no context.
package ctxcall

import "context"

// Do runs f, and stops waiting for it when ctx ends. f goes on then, and late gets
// what it returns without an error; nil is for what nobody has to close.
// The error is that of f, or the cause of the end of ctx.
func Do[T any](ctx context.Context, f func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		if late != nil {
			go func() {
				if r := <-done; r.err == nil {
					late(r.value)
				}
			}()
		}
		var none T
		return none, context.Cause(ctx)
	}
}
