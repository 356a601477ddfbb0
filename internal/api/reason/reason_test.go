package reason

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestOf(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, errs := range map[string][]error{
		"":          {nil, With(Auth, nil)},
		Refused:     {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))},
		Unreachable: {dial(syscall.EHOSTUNREACH), dial(syscall.ENETUNREACH)},
		Timeout:     {context.DeadlineExceeded, os.ErrDeadlineExceeded, dial(syscall.ETIMEDOUT), &net.DNSError{IsTimeout: true}},
		NotFound:    {dial(&net.DNSError{IsNotFound: true, Name: "postgres"})},
		Reset:       {io.EOF, io.ErrUnexpectedEOF, dial(syscall.ECONNRESET), net.ErrClosed},
		Certificate: {&tls.CertificateVerificationError{Err: errors.New("x")}, x509.UnknownAuthorityError{}},
		Auth:        {With(Auth, io.EOF)},
		Starting:    {&Err{Reason: Starting}},
		Error:       {errors.New("password of zr is hunter2")},
	} {
		for _, err := range errs {
			if got := Of(err); got != want {
				t.Errorf("%v: got %q, want %q", err, got, want)
			}
			if err != nil {
				if got := Of(fmt.Errorf("checking: %w", err)); got != want {
					t.Errorf("wrapped %v: got %q, want %q", err, got, want)
				}
			}
		}
	}
}
