// Package logs answers what containers wrote: what is stored, and what comes.
package logs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/logstore"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/pkg/logline"
)

// Source is what the answers are made of.
type Source struct {
	Environments *environments.Set
	Store        logstore.Store
	Origins      []string // of pages that may watch
}

type routes struct {
	source Source
	log    *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, source Source, log *slog.Logger) {
	r := &routes{source, log}
	read := contract.Rules{Class: contract.Read, Role: contract.Viewer}
	refusals := []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	contract.Add(a, contract.Route{
		Rules: read, ID: "searchLogs", Method: http.MethodGet, Path: contract.Base + "/logs", Group: "logs",
		Summary: "Lines that containers wrote, newest first",
		Description: "A search looks for two seconds at most. A page that is not complete has what was found until then, and the next page goes on from there, " +
			"however few lines it has.",
		Refusals: refusals,
	}, r.search)
	contract.Add(a, contract.Route{
		Rules: read, ID: "countLogs", Method: http.MethodGet, Path: contract.Base + "/logs/counts", Group: "logs",
		Summary:  "How many lines of each level there are over time",
		Refusals: refusals,
	}, r.counts)
	stream := contract.Rules{Class: contract.Stream, Role: contract.Viewer}
	a.AddPlain("GET "+contract.Base+"/logs/live", stream, http.HandlerFunc(r.live))
	a.AddPlain("GET "+contract.Base+"/logs/export", stream, http.HandlerFunc(r.export))
}

// Line is one record. A line with a count in skipped stands for lines that are
// missing there.
type Line struct {
	ID        int64             `json:"id,string" doc:"Orders the lines by their arrival; the cursor of a live view."`
	Time      time.Time         `json:"time"`
	Service   string            `json:"service"`
	Pod       string            `json:"pod,omitempty"`
	Container string            `json:"container,omitempty"`
	Level     string            `json:"level,omitempty" enum:"debug,info,warning,error"`
	Message   string            `json:"message"`
	Fields    map[string]string `json:"fields,omitempty"`
	Styles    []Style           `json:"styles,omitempty" doc:"The colours of a plain line, which its message is without."`
	Skipped   int               `json:"skipped,omitempty" doc:"How many lines are missing here."`
}

// Style is a change of how a terminal writes.
type Style struct {
	At   int    `json:"at" doc:"The byte of the message before which it takes effect."`
	Code string `json:"code" doc:"The parameters of SGR; empty resets."`
}

func lineOf(l *logline.Line) Line {
	out := Line{ID: l.ID, Time: l.Time, Service: l.Service, Pod: l.Pod, Container: l.Container, Level: l.Level, Message: l.Message, Skipped: l.Skipped}
	for _, f := range l.Fields {
		if out.Fields == nil {
			out.Fields = map[string]string{}
		}
		out.Fields[f.Key] = f.Value
	}
	for _, s := range l.Styles {
		out.Styles = append(out.Styles, Style{s.At, s.Code})
	}
	return out
}

func linesOf(lines []*logline.Line) []Line {
	out := make([]Line, len(lines)) // an empty list is [] in JSON
	for i, l := range lines {
		out[i] = lineOf(l)
	}
	return out
}

type searchInput struct {
	env.Scope
	Filter
	Range
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many lines to answer with."`
	Cursor  string `query:"cursor" maxLength:"64" doc:"The next of the page before this one; the first page has none."`
	Context int    `query:"context" minimum:"0" maximum:"20" doc:"How many lines of the same container to add on each side of a line."`
	Order   string `query:"order" enum:"newest,oldest" default:"newest"`
}

// Found is a page of what a search finds.
type Found struct {
	Lines    []Line    `json:"lines"`
	Context  []Context `json:"context,omitempty" doc:"What is around each of the lines, where it was asked for."`
	Next     string    `json:"next,omitempty" doc:"The cursor of the page after this one."`
	Complete bool      `json:"complete" doc:"Whether the page is full or the last. Otherwise the time of a search was used up."`
}

// Context are the lines around one, the nearest first.
type Context struct {
	Before []Line `json:"before"`
	After  []Line `json:"after"`
}

type searchOutput struct{ Body Found }

func (r *routes) search(ctx context.Context, in *searchInput) (*searchOutput, error) {
	collector, err := r.collector(in.Environment)
	if err != nil {
		return nil, err
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	q := logstore.Query{Environment: collector.Environment(), Filter: filter, From: in.From, To: in.To,
		Limit: in.Limit, Context: in.Context, Oldest: in.Order == "oldest"}
	if q.Beyond, err = parseCursor(in.Cursor); err != nil {
		return nil, err
	}
	page, err := logstore.NewSearcher(r.source.Store).Search(ctx, q)
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	found := Found{Lines: linesOf(page.Lines), Complete: page.Complete, Next: formatCursor(page.Next)}
	for _, c := range page.Context {
		found.Context = append(found.Context, Context{linesOf(c.Before), linesOf(c.After)})
	}
	return &searchOutput{found}, nil
}

type countsInput struct {
	env.Scope
	Range
	Services []string `query:"service,explode" maxItems:"50" doc:"Only lines of these services."`
	Level    string   `query:"level" enum:"debug,info,warning,error" doc:"The least severe level."`
	Every    int      `query:"every" minimum:"60" maximum:"86400" default:"60" doc:"The length of an interval, in seconds."`
}

// Counts are the bars of a histogram.
type Counts struct {
	Counts []Count `json:"counts"`
}

// Count is how many lines of a level there are in an interval.
type Count struct {
	At      time.Time `json:"at" doc:"When the interval begins."`
	Level   string    `json:"level,omitempty" doc:"Empty for lines that name none."`
	Lines   int64     `json:"lines"`
	Skipped bool      `json:"skipped,omitempty" doc:"These lines are missing."`
}

type countsOutput struct{ Body Counts }

func (r *routes) counts(ctx context.Context, in *countsInput) (*countsOutput, error) {
	collector, err := r.collector(in.Environment)
	if err != nil {
		return nil, err
	}
	scope := logstore.Scope{Services: in.Services, Level: in.Level, From: in.From, To: in.To}
	counts, err := r.source.Store.Counts(ctx, collector.Environment(), scope, time.Duration(in.Every)*time.Second)
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	out := Counts{Counts: []Count{}}
	for _, c := range counts {
		out.Counts = append(out.Counts, Count{c.At, c.Level, c.Lines, c.Skipped})
	}
	return &countsOutput{out}, nil
}

// collector returns that of the environment that a request is about.
func (r *routes) collector(environment string) (*logstore.Collector, error) {
	e, err := env.Of(r.source.Environments, environment)
	if err != nil {
		return nil, err
	}
	return e.Logs, nil
}

func (r *routes) unavailable(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	r.log.Warn("the logs were not read", "error", err, "requestId", contract.RequestID(ctx))
	return contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: "+reason.Of(err))
}
