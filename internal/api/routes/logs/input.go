package logs

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/logstore"
	"zr/pkg/logline"
)

// maxExpression bounds a regular expression: RE2 takes time in proportion to it
// and to the text, and memory in proportion to it.
const maxExpression = 500

// maxInstructions bounds what such an expression becomes: each line costs its
// length times this at worst, for 64 KiB some 0.3 s. [a-z]{1000} has 1,000.
const maxInstructions = 1000

// compile returns an expression, or a problem.
func compile(expression string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, invalid("query.regexp", err.Error())
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, invalid("query.regexp", err.Error())
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, invalid("query.regexp", err.Error())
	}
	if len(program.Inst) > maxInstructions {
		return nil, invalid("query.regexp", "the repetitions make it too long to be tried on every line")
	}
	return re, nil
}

// Filter says which lines are wanted, in history and live.
type Filter struct {
	Services []string `query:"service,explode" maxItems:"50" doc:"Only lines of these services."`
	Level    string   `query:"level" enum:"debug,info,warning,error" doc:"The least severe level. Lines that name none count as info."`
	Text     string   `query:"text" maxLength:"500" doc:"A text that the line contains, in any case."`
	Regexp   string   `query:"regexp" maxLength:"500" doc:"A regular expression (RE2) that matches the line: its message, then its fields as key=value."`
	Fields   []string `query:"field,explode" maxItems:"10" doc:"key=value of a field, which the line has; several are all there."`
}

// Range narrows to a time.
type Range struct {
	From time.Time `query:"from" doc:"Only lines from this time on."`
	To   time.Time `query:"to" doc:"Only lines up to this time."`
}

func invalid(location, message string) error {
	problem := contract.Refuse(http.StatusUnprocessableEntity, "invalid", "validation failed")
	problem.Errors = []contract.Fault{{Location: location, Message: message}}
	return problem
}

func (in *Filter) filter() (*logline.Filter, error) {
	f := &logline.Filter{Services: in.Services, Level: in.Level, Text: in.Text}
	if in.Regexp != "" {
		var err error
		if f.Regexp, err = compile(in.Regexp); err != nil {
			return nil, err
		}
	}
	for _, field := range in.Fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok || key == "" {
			return nil, invalid("query.field", "expected key=value")
		}
		f.Fields = append(f.Fields, logline.Field{Key: key, Value: value})
	}
	return f, nil
}

// filterOf reads a filter of a route that OpenAPI does not describe, within the
// same bounds.
func filterOf(q url.Values) (*logline.Filter, error) {
	in := Filter{Services: q["service"], Level: q.Get("level"), Text: q.Get("text"), Regexp: q.Get("regexp"), Fields: q["field"]}
	switch {
	case in.Level != "" && !slices.Contains(logline.Levels(), in.Level):
		return nil, invalid("query.level", "expected one of "+strings.Join(logline.Levels(), ", "))
	case len(in.Text) > maxExpression:
		return nil, invalid("query.text", "expected at most 500 bytes")
	case len(in.Regexp) > maxExpression:
		return nil, invalid("query.regexp", "expected at most 500 bytes")
	case len(in.Services) > 50 || len(in.Fields) > 10:
		return nil, invalid("query", "expected at most 50 services and 10 fields")
	}
	return in.filter()
}

// formatCursor writes a position; "" where there is none.
func formatCursor(p *logstore.Position) string {
	if p == nil {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(p.At.UnixNano()))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(p.ID)))
}

func parseCursor(cursor string) (*logstore.Position, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) != 16 {
		return nil, invalid("query.cursor", "not a cursor that the api has given")
	}
	return &logstore.Position{At: time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC(), ID: int64(binary.BigEndian.Uint64(b[8:]))}, nil
}
