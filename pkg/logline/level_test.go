package logline

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct{ line, level, text string }{
		{`{"time":"2026-01-02T15:04:05Z","level":"INFO","msg":"listening","addr":":3001","tls":false}`, Info, `listening addr=:3001 tls=false`},
		{`{"time":"2026-01-02T15:04:05Z","level":"INFO+2","msg":"x"}`, Info, "x"},
		{`{"level":30,"time":1531171074631,"pid":657,"hostname":"h","msg":"hello world"}`, Info, "hello world pid=657 hostname=h"},
		{`{"level":60,"time":1,"err":{"type":"Error","stack":"a\nb"},"msg":"boom"}`, Error, `boom err={"type":"Error","stack":"a\nb"}`},
		{`{"level":"warn","ts":1.5,"caller":"a.go:1","msg":"low on disk","left":"3 GB"}`, Warning, `low on disk caller=a.go:1 left="3 GB"`},
		{`{"severity":"CRITICAL","message":"line one\nline two"}`, Error, "line one\nline two"},
		{`{"message":"no level","@timestamp":"x"}`, "", "no level"},
		{`{"level":"debug","detail":1}`, Debug, `detail=1`},
		{`{"event":"request","msg":"done"}`, "", "done event=request"},
		{`{"a":1}`, "", `{"a":1}`},
		{`{not json}`, "", `{not json}`},
		{`{"msg":"tricky \u001b[31mred\u001b[0m"}`, "", "tricky red"},
		{`time=2026-01-02T15:04:05Z level=ERROR msg="no such table" table=x`, Error, `no such table table=x`},
		{`lvl=warn msg=x`, Warning, `x`},
		{`lvl=warn and prose, msg=x`, Warning, `lvl=warn and prose, msg=x`},
		{`ts=1 msg="a \"b\"" k="c d" e= f={"g": [1, "h i"]} j=[x`, "", `a "b" k="c d" e="" f={"g": [1, "h i"]} j="[x"`},
		{`{"msg":"","a b":"c=d","":"e","f":{"g":"h i"},"i":"{no json"}`, "", `"a b"="c=d" ""=e f={"g":"h i"} i="{no json"`},
		{`{"msg":"x","nul":"a\u0000b","bad":"\ud800"}`, "", "x nul=ab bad=\uFFFD"},
		{`I0102 15:04:05.000000       1 server.go:10] Starting`, Info, `I0102 15:04:05.000000       1 server.go:10] Starting`},
		{`E0102 15:04:05.000000       1 server.go:10] error in level=info`, Error, `E0102 15:04:05.000000       1 server.go:10] error in level=info`},
		{`2026-01-02 15:04:05.000 UTC [1] LOG:  database system is ready to accept connections`, Info, `2026-01-02 15:04:05.000 UTC [1] LOG:  database system is ready to accept connections`},
		{`2026-01-02 15:04:05.000 UTC [70] FATAL:  password authentication failed for user "x"`, Error, `2026-01-02 15:04:05.000 UTC [70] FATAL:  password authentication failed for user "x"`},
		{`2026-01-02 15:04:05.000 UTC [70] zr@zr WARNING:  there is no transaction`, Warning, `2026-01-02 15:04:05.000 UTC [70] zr@zr WARNING:  there is no transaction`},
		{`1:M 02 Jan 2026 15:04:05.000 * Ready to accept connections tcp`, Info, `1:M 02 Jan 2026 15:04:05.000 * Ready to accept connections tcp`},
		{`1:C 02 Jan 2026 15:04:05.000 # WARNING Memory overcommit must be enabled!`, Warning, `1:C 02 Jan 2026 15:04:05.000 # WARNING Memory overcommit must be enabled!`},
		{`1:M 02 Jan 2026 15:04:05.000 - Accepted 127.0.0.1:1`, Debug, `1:M 02 Jan 2026 15:04:05.000 - Accepted 127.0.0.1:1`},
		{`[ERROR] plugin/errors: 2 name. A: no`, Error, `[ERROR] plugin/errors: 2 name. A: no`},
		{`2026/01/02 15:04:05 [warn] 7#7: conflicting name`, Warning, `2026/01/02 15:04:05 [warn] 7#7: conflicting name`},
		{`2026-01-02T15:04:05.000Z ERROR main something`, Error, `2026-01-02T15:04:05.000Z ERROR main something`},
		{`WARNING:root:watch out`, Warning, `WARNING:root:watch out`},
		{`error: unknown flag`, Error, `error: unknown flag`},
		{`error handling is tested`, "", `error handling is tested`},
		{`information: none`, Info, `information: none`},
		{`TypeError: x is not a function`, Error, `TypeError: x is not a function`},
		{`panic: runtime error`, Error, `panic: runtime error`},
		{` ⨯ ./app/page.tsx`, Error, ` ⨯ ./app/page.tsx`},
		{"\x1b[32m ✓\x1b[0m Ready in 1s", Info, " ✓ Ready in 1s"},
		{"10%\r50%\r100%\r", "", "100%"},
		{"bad \xff byte", "", "bad \uFFFD byte"},
		{"a\tb\x07\x00c\u009b31m", "", "a\tbc31m"},
		{"\x1b]0;title\x07text", "", "text"},
		{"", "", ""},
		{"GET /health 200", "", "GET /health 200"},
	} {
		r := Parse(tc.line)
		if r.Level != tc.level || r.Text() != tc.text {
			t.Errorf("Parse(%q)\n got %q %q\nwant %q %q", tc.line, r.Level, r.Text(), tc.level, tc.text)
		}
		if got := SplitFields(strings.TrimPrefix(r.Text(), r.Message)); !slices.Equal(got, r.Fields) {
			t.Errorf("Parse(%q): the fields of %q read as %q", tc.line, r.Text(), got)
		}
	}
}

func TestAtLeast(t *testing.T) {
	for _, tc := range []struct {
		level, min string
		want       bool
	}{{Debug, "", true}, {"", Info, true}, {"", Warning, false}, {Error, Warning, true}, {Debug, Info, false}} {
		if got := AtLeast(tc.level, tc.min); got != tc.want {
			t.Errorf("AtLeast(%q, %q) = %v", tc.level, tc.min, got)
		}
	}
}

func TestStyles(t *testing.T) {
	r := Parse("\x1b[1;31mred\x1b[0m and\x1b[2J plain")
	if want := []Style{{0, "1;31"}, {3, "0"}}; r.Message != "red and plain" || !slices.Equal(r.Styles, want) {
		t.Errorf("got %q %v", r.Message, r.Styles)
	}
}

// TestJoiner gives whole logs; each record of what it should make of them
// begins with "> ".
func TestJoiner(t *testing.T) {
	for name, log := range map[string]string{
		"go": `> starting
> panic: boom [recovered]
	panic: boom

goroutine 1 [running]:
main.(*server).handle(0xc000012120, {0x1, 0x2})
	/src/main.go:10 +0x1d
created by main.main in goroutine 1
	/src/main.go:5 +0x2
exit status 2
> starting again`,
		"python": `> INFO:root:before
> Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
KeyError: 'x'
> INFO:root:after`,
		"java": `> java.lang.IllegalStateException: no
	at a.B.c(B.java:1)
Caused by: java.io.IOException: gone
	at a.B.d(B.java:2)
	... 12 more
> 2026-01-02 INFO next`,
		"node": `> }
> TypeError: x is not a function
    at main (/app/server.js:3:1) {
  code: 'X'
}
> next`,
		"own lines": `> one
>  ✓ Ready in 1s
> {"msg":"two"}
>   ERROR indented, and yet a line of its own`,
	} {
		var j Joiner
		var got []string
		for raw := range strings.Lines(log) {
			raw = strings.TrimSuffix(raw, "\n")
			line, begins := strings.CutPrefix(raw, "> ")
			if j.Joins(time.Unix(1, 0), line) == begins {
				got = append(got, raw)
			}
		}
		if len(got) > 0 {
			t.Errorf("%s: wrong at %q", name, got)
		}
	}
	var j Joiner
	j.Joins(time.Unix(1, 0), "panic: x")
	if j.Joins(time.Unix(2, 0), "\tlate") {
		t.Error("a line joins one from long before")
	}
	if j.Joins(time.Unix(2, 0), "\t"+strings.Repeat("x", maxJoined)) {
		t.Error("a record has no bound")
	}
	j.End()
	if j.Joins(time.Unix(2, 0), "\tx") {
		t.Error("a line joins a record that ended")
	}
}

func TestFilter(t *testing.T) {
	l := &Line{Service: "api", Record: Parse(`{"level":"warn","msg":"Slow query","ms":120,"table":"a b"}`)}
	for _, tc := range []struct {
		filter Filter
		want   bool
	}{
		{Filter{}, true},
		{Filter{Services: []string{"api"}, Level: Warning, Text: "slow Q", Regexp: regexp.MustCompile(`ms=1\d+`), Fields: []Field{{"ms", "120"}, {"table", "a b"}}}, true},
		{Filter{Services: []string{"web"}}, false},
		{Filter{Level: Error}, false},
		{Filter{Text: "fast"}, false},
		{Filter{Regexp: regexp.MustCompile(`^ms`)}, false},
		{Filter{Fields: []Field{{"ms", "12"}}}, false},
	} {
		if got := tc.filter.Wants(l); got != tc.want {
			t.Errorf("%+v: %v", tc.filter, got)
		}
	}
	if gap := (&Line{Service: "api", Skipped: 3}); !(&Filter{Level: Error, Text: "x"}).Wants(gap) || (&Filter{Services: []string{"web"}}).Wants(gap) {
		t.Error("a gap is hidden from those who would miss its lines, or shown to others")
	}
}
