package logs

import "testing"

func TestParse(t *testing.T) {
	for _, tc := range []struct{ line, level, text string }{
		{`{"time":"2026-01-02T15:04:05Z","level":"INFO","msg":"listening","addr":":3001","tls":false}`, Info, `listening addr=:3001 tls=false`},
		{`{"time":"2026-01-02T15:04:05Z","level":"INFO+2","msg":"x"}`, Info, "x"},
		{`{"level":30,"time":1531171074631,"pid":657,"hostname":"h","msg":"hello world"}`, Info, "hello world pid=657 hostname=h"},
		{`{"level":60,"time":1,"err":{"type":"Error","stack":"a\nb"},"msg":"boom"}`, Error, `boom err={"type":"Error","stack":"a\nb"}`},
		{`{"level":"warn","ts":1.5,"caller":"a.go:1","msg":"low on disk","left":"3 GB"}`, Warning, `low on disk caller=a.go:1 left="3 GB"`},
		{`{"severity":"CRITICAL","message":"line one\nline two"}`, Error, "line one line two"},
		{`{"message":"no level","@timestamp":"x"}`, "", "no level"},
		{`{"level":"debug","detail":1}`, Debug, `{"level":"debug","detail":1}`},
		{`{"event":"request","msg":"done"}`, "", "done event=request"},
		{`{"a":1}`, "", `{"a":1}`},
		{`{not json}`, "", `{not json}`},
		{`{"msg":"tricky \u001b[31mred\u001b[0m"}`, "", "tricky red"},
		{`time=2026-01-02T15:04:05Z level=ERROR msg="no such table" table=x`, Error, `time=2026-01-02T15:04:05Z level=ERROR msg="no such table" table=x`},
		{`lvl=warn msg=x`, Warning, `lvl=warn msg=x`},
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
		level, text := Parse(tc.line)
		if level != tc.level || text != tc.text {
			t.Errorf("Parse(%q)\n got %q %q\nwant %q %q", tc.line, level, text, tc.level, tc.text)
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
