// Package fault is the error that a user sees: what happened and where (the
// wrapped error), what to do about it (the hint), and the exit code.
package fault

import (
	"context"
	"errors"
)

// The exit codes of zr.
const (
	Failed      = 1   // something that zr did went wrong
	Usage       = 2   // bad flags, bad configuration
	NotHealthy  = 3   // a service was not healthy in time
	Interrupted = 130 // Ctrl-C
)

// Fault is an error with a hint and an exit code. Err holds what, where and
// why, in the grammar `doing X "name": cause: deeper cause`.
type Fault struct {
	Err  error
	Hint string // one sentence or command that fixes it; empty where none is known
	Code int    // exit code; 0 means Failed
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns the error without its hint.
func (f *Fault) Unwrap() error { return f.Err }

// Hint wraps err with what to do about it. It returns nil for a nil err.
func Hint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Fault{Err: err, Hint: hint, Code: Code(err)}
}

// WithCode wraps err with an exit code and a hint. It returns nil for a nil err.
func WithCode(err error, code int, hint string) error {
	if err == nil {
		return nil
	}
	return &Fault{Err: err, Hint: hint, Code: code}
}

// Code returns the exit code of err: 0 for nil, that of the outermost Fault
// which carries one, Interrupted for a cancelled context, otherwise Failed.
func Code(err error) int {
	if err == nil {
		return 0
	}
	for e := err; ; {
		var f *Fault
		if !errors.As(e, &f) {
			break
		}
		if f.Code != 0 {
			return f.Code
		}
		e = f.Err
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	return Failed
}

// HintOf returns the outermost hint of err, or "".
func HintOf(err error) string {
	for e := err; ; {
		var f *Fault
		if !errors.As(e, &f) {
			return ""
		}
		if f.Hint != "" {
			return f.Hint
		}
		e = f.Err
	}
}
