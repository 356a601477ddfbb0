// Package traces tells a receiver of OpenTelemetry what requests of the api did, and how
// long each part of them took, where variables of the environment name one.
package traces

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names who makes the spans.
const scope = "zr/internal/api"

// Tracer makes the spans of requests. A nil Tracer makes none. It is safe for concurrent
// use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Open returns the Tracer that getenv says, or nil where it names no receiver. It does no
// I/O. The sampler, the batches and the attributes of the resource are those of the SDK's
// variables of the process; attributes are defaults of the last ones, names and values in turn.
func Open(getenv func(string) string, log *slog.Logger, attributes ...string) (*Tracer, error) {
	to, err := receiverOf(getenv)
	if to == nil || err != nil {
		return nil, err
	}
	defaults := resource.NewSchemaless(pairs(attributes)...)
	said, err := resource.New(context.Background(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	all, err := resource.Merge(defaults, said)
	if err != nil {
		return nil, err
	}
	to.log = log
	provider := sdk.NewTracerProvider(sdk.WithBatcher(to), sdk.WithResource(all))
	return &Tracer{provider, provider.Tracer(scope)}, nil
}

// Close sends what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) {
	if t != nil {
		_ = t.provider.Shutdown(ctx) // the receiver may be away, which was said
	}
}

// Request is a request that a handler answers.
type Request struct {
	span trace.Span // nil where it is not traced
}

// Begin begins the span of a request, within the trace that its headers name. It ends
// with End.
func (t *Tracer) Begin(r *http.Request) (*http.Request, Request) {
	if t == nil {
		return r, Request{}
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	return r.WithContext(ctx), Request{span}
}

// End ends the span, with what the request was and how it was answered. Route is a
// pattern.
func (r Request) End(method, route string, status int, id string) {
	if r.span == nil {
		return
	}
	r.span.SetName(method + " " + route)
	r.span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("zr.request_id", id))
	if status >= http.StatusInternalServerError {
		r.span.SetStatus(codes.Error, http.StatusText(status))
	}
	r.span.End()
}

// Call begins the span of a call of a server, where ctx is of a request that is traced: what
// the api does by itself is not. It is ended with the error of the call. Attributes are names
// and values in turn.
func Call(ctx context.Context, name string, attributes ...string) (context.Context, func(error)) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(pairs(attributes)...))
	return ctx, func(err error) {
		if err != nil { // of which the text may say what nobody is to know
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

func pairs(texts []string) []attribute.KeyValue {
	var all []attribute.KeyValue
	for i := 0; i+1 < len(texts); i += 2 {
		all = append(all, attribute.String(texts[i], texts[i+1]))
	}
	return all
}

// Transport returns a transport whose requests are calls.
func Transport(system string, next http.RoundTripper) http.RoundTripper {
	return transport{system, next}
}

type transport struct {
	system string
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, end := Call(req.Context(), t.system+" "+req.Method, "http.request.method", req.Method, "url.path", req.URL.Path)
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err == nil {
		trace.SpanFromContext(ctx).SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	}
	end(err)
	return resp, err
}

// Operation is the first word of a statement of SQL.
func Operation(sql string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return strings.ToUpper(strings.TrimSpace(first))
}
