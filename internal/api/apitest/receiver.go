package apitest

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver is a receiver of OpenTelemetry: OTLP over HTTP, in protobuf.
type Receiver struct {
	URL string

	t       testing.TB
	mu      sync.Mutex
	refuses int
	header  http.Header
	raw     bytes.Buffer
	spans   []*tracepb.Span
	about   map[string]string
}

// NewReceiver starts one, until the test ends. It is busy for the first messages, of which
// refuses says how many.
func NewReceiver(t testing.TB, refuses int) *Receiver {
	t.Helper()
	r := &Receiver{t: t, refuses: refuses, about: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuses > 0 {
		r.refuses--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var body io.Reader = req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		packed, err := gzip.NewReader(req.Body)
		if err != nil {
			r.t.Error(err)
			return
		}
		body = packed
	}
	raw, err := io.ReadAll(body)
	var said tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(raw, &said)
	}
	if err != nil || req.URL.Path != "/v1/traces" || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/x-protobuf" {
		r.t.Errorf("not OTLP: %s %s %v %v", req.Method, req.URL, req.Header, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.header = req.Header.Clone()
	r.raw.Write(raw)
	for _, of := range said.GetResourceSpans() {
		for _, a := range of.GetResource().GetAttributes() {
			r.about[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range of.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
}

// Span is a span as it was told.
type Span struct {
	Trace, ID, Parent, Name string
	Failed                  bool
	Attributes              map[string]any
	Nanoseconds             int64
}

// Spans returns those that were received.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Span
	for _, s := range r.spans {
		one := Span{
			Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()), Name: s.GetName(),
			Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, Attributes: map[string]any{}, Nanoseconds: int64(s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano()),
		}
		for _, a := range s.GetAttributes() {
			one.Attributes[a.GetKey()] = a.GetValue().GetStringValue()
			if n := a.GetValue().GetIntValue(); n != 0 {
				one.Attributes[a.GetKey()] = n
			}
		}
		all = append(all, one)
	}
	return all
}

// Told returns the bytes that were received, the headers of the last message, and what the
// messages say of their sender.
func (r *Receiver) Told() (raw string, header http.Header, about map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.raw.String(), r.header, r.about
}
