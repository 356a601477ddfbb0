package traces

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields of opentelemetry/proto/trace/v1/trace.proto and of those that
// it imports.
const (
	resourceSpans protowire.Number = 1 // of TracesData

	ofResource protowire.Number = 1 // of ResourceSpans
	scopeSpans protowire.Number = 2

	resourceAttributes protowire.Number = 1 // of Resource

	ofScope protowire.Number = 1 // of ScopeSpans
	ofSpan  protowire.Number = 2

	scopeName protowire.Number = 1 // of InstrumentationScope

	traceID        protowire.Number = 1 // of Span
	spanID         protowire.Number = 2
	parentSpanID   protowire.Number = 4
	spanName       protowire.Number = 5
	spanKind       protowire.Number = 6
	startTime      protowire.Number = 7
	endTime        protowire.Number = 8
	spanAttributes protowire.Number = 9
	spanStatus     protowire.Number = 15

	statusMessage protowire.Number = 2 // of Status
	statusCode    protowire.Number = 3

	key   protowire.Number = 1 // of KeyValue
	value protowire.Number = 2

	stringValue protowire.Number = 1 // of AnyValue
	intValue    protowire.Number = 3
)

// statusError is STATUS_CODE_ERROR.
const statusError = 2

// encode writes spans, all of which are of one resource and one scope, as TracesData, which
// is an ExportTraceServiceRequest as well.
func encode(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	within := message(nil, ofScope, text(nil, scopeName, spans[0].InstrumentationScope().Name))
	for _, s := range spans {
		within = message(within, ofSpan, span(s))
	}
	all := message(nil, ofResource, attributes(nil, resourceAttributes, spans[0].Resource().Attributes()))
	return message(nil, resourceSpans, message(all, scopeSpans, within))
}

func span(s sdk.ReadOnlySpan) []byte {
	of, parent := s.SpanContext(), s.Parent()
	trace, own := of.TraceID(), of.SpanID()
	b := message(nil, traceID, trace[:])
	b = message(b, spanID, own[:])
	if parent.IsValid() {
		before := parent.SpanID()
		b = message(b, parentSpanID, before[:])
	}
	b = text(b, spanName, s.Name())
	b = number(b, spanKind, uint64(s.SpanKind())) // the same numbers
	b = at(b, startTime, s.StartTime())
	b = at(b, endTime, s.EndTime())
	b = attributes(b, spanAttributes, s.Attributes())
	if status := s.Status(); status.Code == codes.Error {
		b = message(b, spanStatus, number(text(nil, statusMessage, status.Description), statusCode, statusError))
	}
	return b
}

func attributes(b []byte, field protowire.Number, all []attribute.KeyValue) []byte {
	for _, a := range all {
		said := text(nil, stringValue, a.Value.String())
		if a.Value.Type() == attribute.INT64 {
			said = number(nil, intValue, uint64(a.Value.AsInt64()))
		}
		b = message(b, field, message(text(nil, key, string(a.Key)), value, said))
	}
	return b
}

func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func number(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func at(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(t.UnixNano()))
}
