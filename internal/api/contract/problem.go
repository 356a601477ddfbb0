package contract

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// problemPrefix makes a code of a problem a URI, as RFC 9457 wants its type.
const problemPrefix = "urn:zr:problem:"

// Problem is what a request that was refused or failed is answered with (RFC
// 9457, application/problem+json).
type Problem struct {
	Type   string `json:"type" example:"urn:zr:problem:not_found" doc:"What went wrong, for programs; it never changes for the same cause."`
	Title  string `json:"title" doc:"The status in words."`
	Status int    `json:"status" doc:"The status of the answer."`
	// Detail never carries what a dependency said.
	Detail    string  `json:"detail" doc:"What went wrong, for people."`
	RequestID string  `json:"requestId" doc:"The id under which the request is in the log of the api."`
	Errors    []Fault `json:"errors,omitempty" doc:"What is wrong with the request, place by place."`
	// Dependents are why an action wants a confirmation.
	Dependents []string `json:"dependents,omitempty" doc:"The services that depend on the one that was to be changed."`
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Location string `json:"location" doc:"Where: query.limit, body.replicas, ..."`
	Message  string `json:"message"`
	Line     int    `json:"line,omitempty" doc:"The line of a text, from 1."`
	Column   int    `json:"column,omitempty" doc:"The column of a text, from 1."`
}

// Refuse returns the problem of a code.
func Refuse(status int, code, detail string) *Problem {
	return &Problem{Type: problemPrefix + code, Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the type of a problem in JSON.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// codes are the problems that huma finds by itself.
var codes = map[int]string{
	http.StatusBadRequest:            "bad_request",
	http.StatusNotAcceptable:         "not_acceptable",
	http.StatusRequestTimeout:        "timeout",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
	http.StatusUnprocessableEntity:   "invalid",
}

// invalid turns what huma found in a request into a problem. Values are not
// repeated: they may be secret.
func invalid(status int, detail string, errs []error) *Problem {
	code, known := codes[status]
	if !known {
		code = "internal"
	}
	p := Refuse(status, code, detail)
	for _, err := range errs {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, Fault{Location: d.Location, Message: d.Message})
		}
	}
	return p
}

func isProblem(err error) bool {
	_, ok := errors.AsType[*Problem](err)
	return ok
}

// addRequestID puts the id of the request into a problem.
func addRequestID(ctx huma.Context, _ string, body any) (any, error) {
	if p, ok := body.(*Problem); ok {
		with := *p // it may be one that several requests share
		with.RequestID = RequestID(ctx.Context())
		return &with, nil
	}
	return body, nil
}

// Write answers a request with a problem, outside of a described route.
func Write(w http.ResponseWriter, r *http.Request, p *Problem) {
	with := *p
	with.RequestID = RequestID(r.Context())
	body, err := json.Marshal(with)
	if err != nil {
		panic(err) // a Problem is strings and numbers
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

type requestIDKey struct{}

// WithRequestID returns a context that carries the id of a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx is of, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
