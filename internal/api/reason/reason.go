// Package reason says in a few fixed words why a dependency did not answer.
// The words go out to anybody who asks for /health, so they never carry an
// address, a name or what the server said.
package reason

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// The reasons.
const (
	Refused     = "connection refused"
	Reset       = "connection lost"
	Timeout     = "timeout"
	Unreachable = "unreachable"
	NotFound    = "name not found"
	Certificate = "certificate not trusted"
	Auth        = "authentication failed"
	Forbidden   = "access denied"
	Starting    = "starting up"
	Busy        = "too many connections"
	Conflict    = "changed meanwhile"
	NoDatabase  = "database does not exist"
	Migrating   = "migrations are pending"
	Migration   = "a migration failed"
	Newer       = "the schema is of a newer api"
	Stopping    = "shutting down"
	Error       = "error"
)

// Err is an error whose reason is known.
type Err struct {
	Reason string
	Err    error
}

func (e *Err) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Err) Unwrap() error { return e.Err }

// With attaches a reason to err. It returns nil for a nil err.
func With(reason string, err error) error {
	if err == nil {
		return nil
	}
	return &Err{Reason: reason, Err: err}
}

// Of returns the reason of err, and "" for nil.
func Of(err error) string {
	if err == nil {
		return ""
	}
	if known, ok := errors.AsType[*Err](err); ok {
		return known.Reason
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return NotFound
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timedOut(err):
		return Timeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return Reset
	case untrusted(err):
		return Certificate
	}
	return Error
}

func timedOut(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func untrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}
