package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"zr/pkg/diagnose"
	kubeclient "zr/pkg/kube"
	"zr/pkg/probe"
)

// server is a store that a gate asks through its own driver.
type server struct {
	port    int32
	dial    func(ctx context.Context) (net.Conn, error)
	secrets map[string]string // those that its kind names; what is not set is missing
}

// stores ask the kinds of probes that no manifest has. Their errors are
// probe.Unready with the server's own words, or say why there was no answer.
var stores = map[string]func(context.Context, server) (probe.Answer, error){
	probe.Postgres:  askPostgres,
	probe.Redis:     askRedis,
	probe.MySQL:     askMySQL,
	probe.Memcached: askMemcached,
}

// ask probes a pod once.
func ask(ctx context.Context, t Target, via *kubeclient.Forward, podIP string) diagnose.Answer {
	start := time.Now()
	answer, err := asked(ctx, t, via, podIP)
	a := diagnose.Answer{OK: err == nil, Text: answer.Text, Build: answer.Build, Took: time.Since(start)}
	if err != nil {
		a.Text = failureText(ctx, t.Port, err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		via.Redial()
	}
	return a
}

func asked(ctx context.Context, t Target, via *kubeclient.Forward, podIP string) (probe.Answer, error) {
	// Dialled before, as a TCP probe times the opening of the port.
	if err := via.Connect(ctx); err != nil {
		return probe.Answer{}, err
	}
	if store := stores[t.Probe]; store != nil {
		secrets, err := t.secrets()
		if err != nil {
			return probe.Answer{}, probe.Unready(fmt.Sprintf("reading the credentials: %v", err))
		}
		return store(ctx, server{t.Port, func(ctx context.Context) (net.Conn, error) { return via.Dial(ctx, t.Port) }, secrets})
	}
	p := probe.Probe{Kind: t.Probe, Port: t.Port, Path: t.Path, Headers: t.Headers}
	if t.TLS {
		p.Scheme = "HTTPS"
	}
	asker, err := probe.New(p, probe.Options{Host: podIP, Dial: via.Dial, Forwarded: true})
	if err != nil {
		return probe.Answer{}, err
	}
	return asker.Ask(ctx)
}

// secrets are the credentials that the kind of the probe names.
func (t Target) secrets() (map[string]string, error) {
	named := map[string]string{}
	if t.Credentials == nil {
		return named, nil
	}
	all, err := t.Credentials()
	for _, name := range probe.Of(t.Probe).Secrets {
		if value, ok := all[name]; ok {
			named[name] = value
		}
	}
	return named, err
}

// failureText says what was answered, or why nothing was.
func failureText(ctx context.Context, port int32, err error) string {
	var said probe.Unready
	if errors.As(err, &said) {
		return said.Error()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("port %d: no answer in time", port)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Sprintf("port %d: closed the connection without an answer", port)
	}
	// Drivers wrap it into words of their own.
	var refused kubeclient.PortError
	if errors.As(err, &refused) {
		err = refused
	}
	return fmt.Sprintf("port %d: %s", port, err)
}
