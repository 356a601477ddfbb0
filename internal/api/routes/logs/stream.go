package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/logstore"
	"zr/internal/api/socket"
	"zr/pkg/logline"
)

// exportPage is how many lines of an export are in memory.
const exportPage = logstore.MaxPage

// tooOld is the status by which a connection ends that wants to go on from a
// time of too many lines ago. Those from 4000 on are for applications.
const tooOld = 4010

// live sends the lines that come, as frames of JSON with a list of them. It
// goes on after the id that the parameter after names.
func (r *routes) live(w http.ResponseWriter, req *http.Request) {
	collector, err := r.collector(req.URL.Query().Get("environment"))
	if refuse(w, req, err) {
		return
	}
	filter, err := filterOf(req.URL.Query())
	after := collector.Newest()
	if text := req.URL.Query().Get("after"); text != "" && err == nil {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			err = invalid("query.after", "not the id of a line")
		}
	}
	if refuse(w, req, err) {
		return
	}
	conn := socket.Accept(w, req, r.source.Origins, "go on after the last id")
	if conn == nil {
		return
	}
	err = collector.Watch(conn.Context(), filter, after, func(lines []*logline.Line) error { return conn.Send(linesOf(lines)) })
	switch {
	case errors.Is(err, logstore.ErrTooOld):
		conn.Close(tooOld, err.Error())
	default:
		conn.Leave()
	}
}

func refuse(w http.ResponseWriter, req *http.Request, err error) bool {
	if err == nil {
		return false
	}
	problem, ok := errors.AsType[*contract.Problem](err)
	if !ok {
		problem = contract.Refuse(http.StatusInternalServerError, "internal", "the api made a mistake; its log says which")
	}
	contract.Write(w, req, problem)
	return true
}

// export writes all lines that a search finds, the oldest first: format ndjson
// (one object a line) or text. What ends early ends without its last page, and
// the connection breaks, so that nobody takes it for the whole.
func (r *routes) export(w http.ResponseWriter, req *http.Request) {
	params := req.URL.Query()
	collector, err := r.collector(params.Get("environment"))
	if refuse(w, req, err) {
		return
	}
	filter, err := filterOf(params)
	q := logstore.Query{Environment: collector.Environment(), Filter: filter, Limit: exportPage, Oldest: true}
	if err == nil {
		q.From, q.To, err = timesOf(params)
	}
	format := params.Get("format")
	if err == nil && format != "ndjson" && format != "text" {
		err = invalid("query.format", "expected ndjson or text")
	}
	if refuse(w, req, err) {
		return
	}
	searcher := logstore.NewSearcher(r.source.Store)
	for first := true; ; first = false {
		page, err := searcher.Search(req.Context(), q)
		if err != nil && first {
			refuse(w, req, r.unavailable(req.Context(), err))
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if first {
			w.Header().Set("Content-Type", map[string]string{"ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}[format])
			w.Header().Set("Content-Disposition", `attachment; filename="logs.`+format+`"`)
		}
		for _, l := range page.Lines {
			if err := write(w, format, l); err != nil {
				return // nobody reads any more
			}
		}
		if page.Next == nil {
			return
		}
		q.Beyond = page.Next
	}
}

func write(w http.ResponseWriter, format string, l *logline.Line) error {
	if format == "ndjson" {
		return json.NewEncoder(w).Encode(lineOf(l))
	}
	text := l.Text()
	if l.Skipped > 0 {
		text = fmt.Sprintf("[skipped %d]", l.Skipped)
	}
	_, err := fmt.Fprintf(w, "%s %s/%s %s %s\n", l.Time.Format(time.RFC3339Nano), l.Pod, l.Container, l.Level, text)
	return err
}

func timesOf(q url.Values) (from, to time.Time, err error) {
	for name, into := range map[string]*time.Time{"from": &from, "to": &to} {
		if text := q.Get(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return from, to, invalid("query."+name, "not a time such as 2026-01-02T15:04:05Z")
			}
		}
	}
	return from, to, nil
}
