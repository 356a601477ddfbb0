package api_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/ticket"
)

// TestHostileRequests sends what an attacker would, byte by byte, to the whole api
// with real servers. Each request is refused as the table says, under its own id in
// the log of requests, and in the audit log where it is about who may. An answer
// that takes longer than its class allows is a 504, which no line of the table has.
func TestHostileRequests(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	s := &stranger{App: a, t: t, address: strings.TrimPrefix(a.URL(), "http://"), cookies: map[string]string{"": ""}}
	s.cookies["viewer"], s.cookies["operator"] = a.LogIn("viewer")[1], a.LogIn("operator")[1]
	var slow sync.WaitGroup // two wait until the server has had enough of them
	for i := range attacks {
		attack := &attacks[i]
		attack.text = s.text(attack)
		if attack.waits {
			slow.Go(func() { s.send(attack) })
		} else {
			s.send(attack)
		}
	}
	slow.Wait()
	if got := a.Get("/health/live"); got.Status != http.StatusOK {
		t.Fatalf("the api does not answer any more: %d %s", got.Status, got.Body)
	}
	audited := s.audited()
	if len(attacks) < 40 {
		t.Errorf("there are %d requests", len(attacks))
	}
	for i := range attacks {
		attack := &attacks[i]
		if attack.status != attack.want || attack.got != attack.code {
			t.Errorf("%s: got %d %s, want %d %s: %s", attack.name, attack.status, attack.got, attack.want, attack.code, attack.answer)
			continue
		}
		s.awaitLog(attack)
		if attack.audited && !audited[attack.id()] {
			t.Errorf("%s: it is not in the audit log", attack.name)
		}
	}
}

// awaitLog waits for the line of a request that was refused. It is written after the
// answer.
func (s *stranger) awaitLog(a *attack) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, line := range s.Log.Lines(s.t) {
			if a.code == "" && line["address"] == a.address || line["msg"] == "request" && line["requestId"] == a.id() && line["status"] == float64(a.want) {
				return
			}
		}
	}
	s.t.Errorf("%s: the log does not say that it was refused", a.name)
}

// attack is a request, and how it is to be refused.
type attack struct {
	name    string
	as      string // whose session it has: viewer, operator, or nobody's
	line    string // "GET /path", without the version; whole where it names one
	headers string // further ones, and those that replace the usual ones
	body    string
	make    func(s *stranger) (headers, body string) // what only a running api has
	want    int                                      // 0: the connection ends without an answer
	code    string                                   // of the problem; empty where no route was asked
	audited bool
	repeat  bool // until it is refused
	waits   bool // sends no more, and waits

	text, address, answer, got string
	status                     int
}

func (a *attack) id() string { return "hostile." + hex.EncodeToString(hashOf(a.name))[:16] }

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// stranger sends requests as they are, whatever is wrong with them.
type stranger struct {
	*apitest.App
	t       *testing.T
	address string
	cookies map[string]string
}

// text is what is sent.
func (s *stranger) text(a *attack) string {
	headers, body := a.headers, a.body
	if a.make != nil {
		headers, body = a.make(s)
	}
	line := a.line
	if !strings.Contains(line, " HTTP/") {
		line += " HTTP/1.1"
	}
	all := []string{line, "X-Request-Id: " + a.id()}
	usual := func(name, value string) {
		if !strings.Contains("\n"+headers, "\n"+name+":") && value != "" {
			all = append(all, name+": "+value)
		}
	}
	usual("Host", "localhost:3001")
	usual("Cookie", s.cookies[a.as])
	usual("Connection", "close")
	if a.as != "" {
		usual("Origin", "http://localhost:3000")
	}
	if body != "" {
		usual("Content-Type", "application/json")
		if !strings.Contains(headers, "Transfer-Encoding:") {
			usual("Content-Length", itoa(len(body)))
		}
	}
	if headers != "" {
		all = append(all, strings.ReplaceAll(headers, "\n", "\r\n"))
	}
	text := strings.Join(all, "\r\n")
	if !a.waits || a.want != 0 {
		text += "\r\n\r\n" + body
	}
	return text
}

// send sends a request until it is refused, or once.
func (s *stranger) send(a *attack) {
	var open []net.Conn // sockets that are let in stay open
	for range 1000 {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			s.t.Error(err)
			return
		}
		open = append(open, conn)
		s.ask(a, conn)
		if !a.repeat || a.status == a.want {
			break
		}
	}
	for _, conn := range open {
		_ = conn.Close()
	}
}

func (s *stranger) ask(a *attack, conn net.Conn) {
	a.address = conn.LocalAddr().String()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	_, _ = io.WriteString(conn, a.text) // it may be answered before all was sent
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		a.status, a.answer = 0, err.Error()
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			a.status = -1
		}
		return
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if a.status == http.StatusSwitchingProtocols {
		return
	}
	body, _ := io.ReadAll(resp.Body)
	a.answer, a.got = string(body), ""
	var p contract.Problem
	if json.Unmarshal(body, &p) == nil && p.RequestID == a.id() && resp.Header.Get("X-Content-Type-Options") == "nosniff" {
		a.got = strings.TrimPrefix(p.Type, "urn:zr:problem:")
	}
	for _, told := range []string{"goroutine", "SQLSTATE", storetest.Password, apitest.LoginKey} {
		if strings.Contains(a.answer, told) {
			s.t.Errorf("%s: the answer tells %q: %s", a.name, told, a.answer)
		}
	}
}

// audited are the ids of the requests that the audit log calls refused.
func (s *stranger) audited() map[string]bool {
	s.t.Helper()
	got := s.Request("GET", "/api/v1/activity?outcome=refused&limit=500", "Cookie", s.cookies["operator"])
	var page struct{ Records []postgres.AuditRecord }
	got.Decode(s.t, &page)
	ids := map[string]bool{}
	for _, r := range page.Records {
		ids[r.RequestID] = true
	}
	return ids
}

// expired is the cookie of a session that has ended, and that Redis still holds.
func expired(s *stranger) (headers, body string) {
	s.t.Helper()
	shared, err := cache.Open(s.Env["REDIS_URL"], 8, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer shared.Close()
	value := `{"name":"ada","role":"operator","expiresAt":"2020-01-02T15:04:05Z"}`
	if err := shared.Set(s.t.Context(), "session:"+hex.EncodeToString(hashOf("old")), []byte(value), time.Hour); err != nil {
		s.t.Fatal(err)
	}
	return "Cookie: " + contract.SessionCookie + "=old", ""
}

// replayed is the cookie of a session that its owner has ended.
func replayed(s *stranger) (headers, body string) {
	s.t.Helper()
	page := s.LogIn("operator")
	if got := s.Request("DELETE", "/api/v1/session", page...); got.Status != http.StatusNoContent {
		s.t.Fatalf("logging out: %d %s", got.Status, got.Body)
	}
	return "Cookie: " + page[1], ""
}

// usedTicket is a login link that somebody has used.
func usedTicket(s *stranger) (headers, body string) {
	s.t.Helper()
	body = `{"ticket":"` + s.Ticket("operator") + `"}`
	if got := s.Send("POST", "/api/v1/session", body); got.Status != http.StatusOK {
		s.t.Fatalf("logging in: %d %s", got.Status, got.Body)
	}
	return "", body
}

// ticketOf is a login link that was made so.
func ticketOf(key, role string, age time.Duration) func(*stranger) (headers, body string) {
	return func(s *stranger) (headers, body string) {
		s.t.Helper()
		text, err := ticket.Make(key, "eve", role, time.Now().Add(-age))
		if err != nil {
			s.t.Fatal(err)
		}
		return "", `{"ticket":"` + text + `"}`
	}
}
