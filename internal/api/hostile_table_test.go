package api_test

import (
	"strconv"
	"strings"
	"time"

	"zr/internal/api/apitest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// upgrade are the headers by which a WebSocket is asked for.
const upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw=="

const (
	restart   = "POST /api/v1/services/web/restart"
	logIn     = "POST /api/v1/session" // a caller has ten of these, and twenty others that write
	makeToken = "POST /api/v1/tokens"
)

var attacks = []attack{
	// Who is it?
	{name: "no token", line: "GET /api/v1/logs", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, a write", line: restart, want: 401, code: "not_logged_in", audited: true},
	{name: "no token, a socket", line: "GET /api/v1/logs/live", headers: upgrade, want: 401, code: "not_logged_in", audited: true},
	{name: "token in the query", line: "GET /api/v1/logs?token=zrt_AAAA&access_token=zrt_AAAA", want: 401, code: "not_logged_in", audited: true},
	{name: "forged token", line: "GET /api/v1/logs", headers: "Authorization: Bearer zrt_AAAA", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, what the api counts", line: "GET /metrics", want: 401, code: "not_logged_in", audited: true},
	{name: "forged token, what the api counts", line: "GET /metrics", headers: "Authorization: Bearer zrt_AAAA", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, what a service is made of", line: "GET /api/v1/services/web/details", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, the doctor's findings", line: "GET /api/v1/dev/doctor", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, the settings", line: "GET /api/v1/configuration", want: 401, code: "not_logged_in", audited: true},
	{name: "no token, a secret is set", line: "PUT /api/v1/configuration/secrets/KEY", body: `{"value":"x"}`, want: 401, code: "not_logged_in", audited: true},
	{name: "SQL as a token", line: "GET /api/v1/logs", headers: "Authorization: Bearer ' OR 1=1 --", want: 401, code: "not_logged_in", audited: true},
	{name: "password", line: "GET /api/v1/logs", headers: "Authorization: Basic emo6enI=", want: 401, code: "not_logged_in", audited: true},
	{name: "forged cookie", line: "GET /api/v1/logs", headers: "Cookie: zr_session=AAAA", want: 401, code: "not_logged_in", audited: true},
	{name: "expired cookie", line: "GET /api/v1/logs", make: expired, want: 401, code: "not_logged_in", audited: true},
	{name: "replayed cookie", line: "GET /api/v1/logs", make: replayed, want: 401, code: "not_logged_in", audited: true},
	{name: "second cookie, set by a page of another port", as: "viewer", line: "GET /api/v1/logs", make: func(s *stranger) (string, string) {
		return "Cookie: " + s.cookies["viewer"] + "; zr_session=AAAA", ""
	}, want: 401, code: "not_logged_in", audited: true},
	{name: "login link used twice", line: logIn, make: usedTicket, want: 401, code: "used_ticket", audited: true},
	{name: "forged login link", line: logIn, make: ticketOf(strings.Repeat("x", 32), "operator", 0), want: 401, code: "bad_ticket", audited: true},
	{name: "expired login link", line: logIn, make: ticketOf(apitest.LoginKey, "operator", time.Hour), want: 401, code: "bad_ticket", audited: true},
	{name: "login link of no role", line: logIn, make: ticketOf(apitest.LoginKey, "root", 0), want: 401, code: "bad_ticket", audited: true},

	// Which page, under which name?
	{name: "wrong Origin", as: "operator", line: restart, headers: "Origin: https://evil.example", want: 403, code: "origin_not_allowed", audited: true},
	{name: "almost the Origin", as: "operator", line: restart, headers: "Origin: http://localhost:3000.evil.example", want: 403, code: "origin_not_allowed", audited: true},
	{name: "Origin of a sandbox", as: "operator", line: restart, headers: "Origin: null", want: 403, code: "origin_not_allowed", audited: true},
	{name: "no Origin", as: "operator", line: restart, headers: "Origin:", want: 403, code: "origin_missing", audited: true},
	{name: "two Origins", as: "operator", line: restart, headers: "Origin: http://localhost:3000\nOrigin: https://evil.example", want: 422, code: "invalid"},
	{name: "form of another site", as: "operator", line: makeToken, headers: "Content-Type: text/plain", body: `{"name":"x","role":"operator"}`, want: 415, code: "unsupported_media_type", audited: true},
	{name: "socket of another site", as: "viewer", line: "GET /api/v1/logs/live", headers: upgrade + "\nOrigin: https://evil.example", want: 403, code: "origin_not_allowed", audited: true},
	{name: "socket without an Origin", as: "viewer", line: "GET /api/v1/logs/live", headers: upgrade + "\nOrigin:", want: 403, code: "origin_missing", audited: true},
	{name: "foreign Host", as: "viewer", line: "GET /api/v1/logs", headers: "Host: rebound.example:3001", want: 421, code: "unknown_host", audited: true},
	{name: "foreign Host as a proxy", as: "viewer", line: "GET http://evil.example/api/v1/logs", want: 421, code: "unknown_host", audited: true},
	{name: "no Host", line: "GET /health HTTP/1.0", headers: "Host:", want: 421, code: "unknown_host", audited: true},
	{name: "two Hosts", line: "GET /health", headers: "Host: localhost\nHost: evil.example", want: 400},

	// What may he?
	{name: "viewer's write", as: "viewer", line: restart, want: 403, code: "role_too_low", audited: true},
	{name: "viewer reads tokens", as: "viewer", line: "GET /api/v1/tokens", want: 403, code: "role_too_low", audited: true},
	{name: "viewer makes himself an operator", as: "viewer", line: makeToken, body: `{"name":"x","role":"operator"}`, want: 403, code: "role_too_low", audited: true},
	{name: "viewer has zr dev read a folder", as: "viewer", line: "POST /api/v1/dev/propose", body: `{"folder":"."}`, want: 403, code: "role_too_low", audited: true},
	{name: "viewer sets a secret", as: "viewer", line: "PUT /api/v1/configuration/secrets/KEY", body: `{"value":"x"}`, want: 403, code: "role_too_low", audited: true},
	{name: "another environment, its details", as: "operator", line: "GET /api/v1/services/coredns/details?environment=kube-system", want: 404, code: "not_found"},
	{name: "another environment, its settings", as: "operator", line: "GET /api/v1/configuration?environment=kube-system", want: 404, code: "not_found"},
	{name: "another environment, its doctor", as: "operator", line: "GET /api/v1/dev/doctor?environment=kube-system", want: 404, code: "not_found"},
	{name: "another environment", as: "operator", line: "GET /api/v1/logs?environment=kube-system", want: 404, code: "not_found"},
	{name: "write in another environment", as: "operator", line: restart + "?environment=kube-system", want: 404, code: "not_found"},
	{name: "environment above the namespaces", as: "operator", line: "GET /api/v1/logs?environment=../secrets", want: 422, code: "invalid"},
	{name: "secret read", as: "operator", line: "GET /api/v1/secrets", want: 404, code: "not_found"},
	{name: "secret read by its key", as: "operator", line: "GET /api/v1/configuration/secrets/LOGIN_KEY", want: 405, code: "method_not_allowed"},
	{name: "secret read through a service", as: "operator", line: "GET /api/v1/services/..%2F..%2Fsecrets/events", want: 404, code: "not_found"},
	{name: "settings of the process", as: "operator", line: "GET /debug/pprof/cmdline", want: 404, code: "not_found"},

	// Where does the path lead?
	{name: "path traversal", line: "GET /../../../etc/passwd", want: 404, code: "not_found"},
	{name: "path traversal, encoded", line: "GET /docs/%2e%2e/%2e%2e/etc/passwd", want: 404, code: "not_found"},
	{name: "path traversal, encoded twice", line: "GET /docs/%252e%252e/etc/passwd", want: 404, code: "not_found"},
	{name: "redirect to another site", line: "GET //evil.example/%2e%2e", want: 404, code: "not_found"},
	{name: "header splitting in the path", line: "GET /login%0d%0aSet-Cookie:zr_session=x", want: 422, code: "invalid"},
	{name: "NUL in the path", line: "GET /docs%00.html", want: 422, code: "invalid"},

	// Which method?
	{name: "method override", as: "operator", line: "GET /api/v1/tokens/1", headers: "X-HTTP-Method-Override: DELETE", want: 405, code: "method_not_allowed"},
	{name: "TRACE", as: "operator", line: "TRACE /api/v1/session", want: 405, code: "method_not_allowed"},
	{name: "CONNECT", line: "CONNECT 10.96.0.1:443", headers: "Host: 10.96.0.1:443", want: 404, code: "not_found"},
	{name: "OPTIONS of everything", line: "OPTIONS *", want: 404, code: "not_found"},
	{name: "DELETE of health", as: "operator", line: "DELETE /health", want: 405, code: "method_not_allowed"},

	// Is it one request?
	{name: "two lengths", line: logIn, headers: "Content-Length: 2\nContent-Length: 20", body: "{}", want: 400},
	{name: "unknown encoding of the body", line: logIn, headers: "Transfer-Encoding: chunked, gzip", body: "0\r\n\r\n", want: 501},
	{name: "header splitting", line: "GET /health", headers: "X-A: b\rSet-Cookie: zr_session=x", want: 400},
	{name: "header without a name", line: "GET /health", headers: ": x", want: 400},
	{name: "HTTP/2 without TLS", line: "PRI * HTTP/2.0", want: 404, code: "not_found"},
	{name: "unknown expectation", line: logIn, headers: "Expect: a-miracle", body: "{}", want: 417},
	{name: "huge header", line: "GET /health", headers: "X-A: " + strings.Repeat("a", 64<<10), want: 431},
	{name: "ten thousand headers", line: "GET /health", headers: strings.TrimSuffix(strings.Repeat("X-A: b\n", 10_000), "\n"), want: 431},

	// How much, and how slowly?
	{name: "oversized body", as: "operator", line: makeToken, body: `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, want: 413, code: "too_large", audited: true},
	{name: "oversized body in chunks", as: "operator", line: makeToken, headers: "Transfer-Encoding: chunked", body: strings.Repeat("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n", 64), want: 413, code: "too_large", audited: true},
	{name: "deep JSON", as: "operator", line: makeToken, body: strings.Repeat("[", 60_000), want: 400, code: "bad_request"},
	{name: "slow body", as: "operator", line: makeToken, headers: "Content-Length: 100", body: `{"name":`, want: 408, code: "timeout", audited: true, waits: true},
	{name: "slow headers", line: "GET /health", headers: "X-A: b", want: 0, waits: true},

	// What do the values do?
	{name: "SQL bomb", line: "GET /api/v1/history?service='%3B%20DROP%20TABLE%20audit%3B--", want: 422, code: "invalid"},
	{name: "SQL bomb in a cursor", line: "GET /api/v1/history?cursor=1%20OR%201%3D1", want: 422, code: "invalid"},
	{name: "SQL bomb in a body", as: "operator", line: makeToken, body: `{"name":"x'); DROP TABLE tokens;--","role":"operator"}`, want: 422, code: "invalid"},
	{name: "expression bomb", as: "viewer", line: "GET /api/v1/logs?regexp=(((a{1000}){1000}){1000})", want: 422, code: "invalid"},
	{name: "expression bomb of classes", as: "viewer", line: `GET /api/v1/logs?regexp=` + strings.Repeat(`\pL{1000}`, 50), want: 422, code: "invalid"},
	{name: "expression bomb, live", as: "viewer", line: `GET /api/v1/logs/live?regexp=(.?){1000}x`, headers: upgrade, want: 422, code: "invalid"},
	{name: "huge cursor", as: "viewer", line: "GET /api/v1/logs?cursor=" + strings.Repeat("A", 8000), want: 422, code: "invalid"},
	{name: "huge limit", as: "viewer", line: "GET /api/v1/logs?limit=1e308", want: 422, code: "invalid"},
	{name: "negative limit", line: "GET /api/v1/history?limit=-1", want: 422, code: "invalid"},
	{name: "half a query", as: "viewer", line: "GET /api/v1/logs?text=%zz", want: 422, code: "invalid"},
	{name: "NUL in a query", as: "viewer", line: "GET /api/v1/logs?text=a%00b", want: 422, code: "invalid"},
	{name: "invalid UTF-8", as: "viewer", line: "GET /api/v1/logs?field=a%3D%ff%fe", want: 422, code: "invalid"},
	{name: "NUL in a body", as: "operator", line: makeToken, body: `{"name":"a\u0000b","role":"viewer"}`, want: 422, code: "invalid"},
	{name: "invalid UTF-8 in a body", as: "operator", line: makeToken, body: "{\"name\":\"a\xff\",\"role\":\"viewer\"}", want: 422, code: "invalid"},
	{name: "a field that nobody asked for", as: "operator", line: makeToken, body: `{"name":"a","role":"viewer","createdBy":"root"}`, want: 422, code: "invalid"},
	{name: "a folder above zr dev's, with a NUL", as: "operator", line: "POST /api/v1/dev/propose", body: `{"folder":"../\u0000/etc"}`, want: 422, code: "invalid"},
	{name: "a window of a thousand years", as: "viewer", line: "GET /api/v1/dev/metrics?window=8760000h", want: 422, code: "invalid"},
	{name: "a revision that is none", as: "viewer", line: "GET /api/v1/configuration/revisions/-1", want: 422, code: "invalid"},
	{name: "a billion replicas", as: "operator", line: "POST /api/v1/services/web/scale", body: `{"replicas":1000000000}`, want: 422, code: "invalid"},
	{name: "huge request key", as: "operator", line: restart, headers: "Idempotency-Key: " + strings.Repeat("a", 8000), want: 422, code: "invalid"},

	// How often? These come last: what follows would be refused as well.
	{name: "too many logins", line: logIn, body: `{"ticket":"x"}`, want: 429, code: "too_many_requests", audited: true, repeat: true},
	{name: "too many sockets", as: "viewer", line: "GET /api/v1/logs/live", headers: upgrade, want: 429, code: "too_many_requests", audited: true, repeat: true},
	{name: "too many writes", as: "viewer", line: restart, want: 429, code: "too_many_requests", audited: true, repeat: true},
}
