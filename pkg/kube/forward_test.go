package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zr/internal/testkit"
	"zr/pkg/kube/forwardtest"
)

// forward returns a port-forward by way of a kubelet.
func forward(t *testing.T, k *forwardtest.Kubelet) *Forward {
	t.Helper()
	client, err := New(&Config{Host: k.URL})
	if err != nil {
		t.Fatal(err)
	}
	f := client.Forward("x", "pod")
	t.Cleanup(f.Close)
	return f
}

// TestForwardRepairs breaks the connection under a port-forward, and uses it from many
// goroutines.
func TestForwardRepairs(t *testing.T) {
	k := forwardtest.New(t)
	via := forward(t, k)
	echo := int32(testkit.Serve(t, func(c net.Conn) { _, _ = io.Copy(c, c) }).Port)
	speak := func(text string) error {
		conn, err := via.Dial(t.Context(), echo)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
			return fmt.Errorf("heard %q: %w", got, err)
		}
		return nil
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := speak(strings.Repeat(fmt.Sprint(i), 10_000)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if k.Cut(); via.conn != nil {
		<-via.conn.CloseChan()
	}
	if err := speak("again"); err != nil {
		t.Error(err)
	}
	via.Close()
	if err := speak("after the end"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestForwardCancelled(t *testing.T) {
	via := forward(t, forwardtest.New(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := via.Open(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestStream reads and writes without a copy between: what comes back, that
// nobody listens, and that a read ends when another goroutine closes.
func TestStream(t *testing.T) {
	via := forward(t, forwardtest.New(t))
	echo := int32(testkit.Serve(t, func(c net.Conn) { _, _ = io.Copy(c, c) }).Port)
	stream, err := via.Open(t.Context(), echo)
	if err != nil {
		t.Fatal(err)
	}
	const text = "across the API server"
	if _, err := io.WriteString(stream, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != text {
		t.Errorf("heard %q, %v", got, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := stream.Read(got)
		ended <- err
	}()
	if stream.Close(); <-ended == nil {
		t.Error("a read went on after Close")
	}

	free := int32(testkit.FreePort(t))
	if stream, err = via.Open(t.Context(), free); err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Read(got); !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != "connection refused" {
		t.Errorf("nobody listens: %v", err)
	}
}
