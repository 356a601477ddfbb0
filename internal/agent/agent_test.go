package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

func TestMain(m *testing.M) { agenttest.Main(m) }

// client speaks the protocol by hand.
type client struct {
	t    testing.TB
	raw  net.Conn
	conn *wire.Conn
	next uint32
}

func connect(t testing.TB, a *agenttest.Agent) *client {
	t.Helper()
	var raw net.Conn
	agenttest.Eventually(t, "the agent listens", func() bool {
		var err error
		raw, err = net.Dial("tcp", a.Addr)
		return err == nil
	})
	t.Cleanup(func() { raw.Close() })
	c := &client{t: t, raw: raw, conn: wire.NewConn(raw)}
	c.conn.Raise()
	return c
}

func (c *client) hello(token string, version int) {
	c.t.Helper()
	if err := c.conn.WriteJSON(wire.TypeHello, wire.Hello{Version: version, Token: token}); err != nil {
		c.t.Fatal(err)
	}
}

// until reads frames up to one of the given type, into message.
func (c *client) until(want wire.Type, message any) error {
	_ = c.raw.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		typ, b, err := c.conn.Read(nil)
		if err != nil {
			return err
		}
		if typ == want {
			return json.Unmarshal(b, message)
		}
		if typ == wire.TypeBye {
			return errors.New("bye: " + string(b))
		}
	}
}

func welcomed(t testing.TB, a *agenttest.Agent) (*client, wire.Welcome) {
	t.Helper()
	c := connect(t, a)
	c.hello(a.Token, wire.Version)
	var w wire.Welcome
	if err := c.until(wire.TypeWelcome, &w); err != nil {
		t.Fatal(err)
	}
	return c, w
}

// await reads statuses until one suits.
func (c *client) await(what string, ok func(wire.Status) bool) wire.Status {
	c.t.Helper()
	for {
		var s wire.Status
		if err := c.until(wire.TypeStatus, &s); err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(s) {
			return s
		}
	}
}

// send commits the file "app" from the given local file, as a whole.
func (c *client) send(path string, held wire.Tree, commit wire.Commit) {
	c.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.next++
	leaves := wire.AppendLeaves(nil, b)
	file := wire.File{Size: int64(len(b)), Exec: true, Sum: wire.SumOf(leaves)}
	held["app"] = file
	commit.Tx, commit.Sums, commit.Tree = c.next, []wire.Sum{file.Sum}, held.Sum()
	c.must(c.conn.WriteJSON(wire.TypeBegin, wire.Begin{Tx: c.next, Files: []wire.NewFile{{Path: "app", Size: file.Size, Exec: true}}}))
	for at := 0; at < len(b); at += wire.MaxChunk {
		part := b[at:min(at+wire.MaxChunk, len(b))]
		chunk := wire.Chunk{Tx: c.next, Offset: int64(at), Size: int64(len(part)), Body: part}
		c.must(c.conn.Write(wire.TypeChunk, chunk.Head(), chunk.Body))
	}
	c.must(c.conn.WriteJSON(wire.TypeCommit, commit))
}

func (c *client) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) result() wire.Result {
	c.t.Helper()
	var r wire.Result
	if err := c.until(wire.TypeResult, &r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

func service(t testing.TB, b agenttest.Behaviour, o agenttest.Options) *agenttest.Agent {
	t.Helper()
	o.Seed = map[string]string{"app": agenttest.App(t, b, 0)}
	if o.Build == "" {
		o.Build = "seed"
	}
	return agenttest.Start(t, o)
}

func answers(t testing.TB, a *agenttest.Agent, id any) {
	t.Helper()
	agenttest.Eventually(t, fmt.Sprint("the service answers ", id), func() bool { return a.Get("/") == id })
}

func TestStrangers(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{})
	for name, c := range map[string]struct {
		say  func(*client)
		want string
	}{
		"wrong token":    {func(c *client) { c.hello("guess", wire.Version) }, "denied"},
		"no token":       {func(c *client) { c.hello("", wire.Version) }, "denied"},
		"another zr":     {func(c *client) { c.hello(a.Token, wire.Version+1) }, "version"},
		"not a hello":    {func(c *client) { c.must(c.conn.Write(wire.TypePing, make([]byte, 8))) }, "EOF"},
		"a browser":      {func(c *client) { io.WriteString(c.raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }, "EOF"},
		"a large hello":  {func(c *client) { c.must(c.conn.Write(wire.TypeHello, make([]byte, wire.HelloLimit+1))) }, "EOF"},
		"hello, no JSON": {func(c *client) { c.must(c.conn.Write(wire.TypeHello, []byte("token"))) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := connect(t, a)
			c.say(cl)
			err := cl.until(wire.TypeWelcome, new(wire.Welcome))
			if err == nil || !strings.Contains(err.Error(), c.want) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("it was answered with %v, want %s", err, c.want)
			}
		})
	}
	if _, w := welcomed(t, a); w.Status.Build != "seed" || len(w.Files) != 1 {
		t.Errorf("welcome %+v", w)
	}
}

func TestProtocolErrors(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{})
	for name, say := range map[string]func(*client) error{
		"unknown frame":          func(c *client) error { return c.conn.Write(99) },
		"commit without a begin": func(c *client) error { return c.conn.WriteJSON(wire.TypeCommit, wire.Commit{Tx: 1}) },
		"begin that is no JSON":  func(c *client) error { return c.conn.Write(wire.TypeBegin, []byte("{")) },
		"short chunk":            func(c *client) error { return c.conn.Write(wire.TypeChunk, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := welcomed(t, a)
			c.must(say(c))
			if err := c.until(wire.TypeResult, new(wire.Result)); err == nil || !strings.Contains(err.Error(), "protocol") {
				t.Errorf("it was answered with %v", err)
			}
		})
	}
	c, _ := welcomed(t, a)
	c.must(c.conn.WriteJSON(wire.TypeBegin, wire.Begin{Tx: 1, Files: []wire.NewFile{{Path: "../x", Size: 1}}}))
	c.must(c.conn.WriteJSON(wire.TypeCommit, wire.Commit{Tx: 1, Sums: make([]wire.Sum, 1)}))
	if r := c.result(); r.Outcome != wire.Failed || !strings.Contains(r.Error, "../x") {
		t.Errorf("a path that leads out: %+v", r)
	}
}

// TestSenselessTransactions: whatever a transaction says, the agent and the
// connection live on.
func TestSenselessTransactions(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{})
	c, _ := welcomed(t, a)
	for i, begin := range []wire.Begin{
		{},
		{Files: []wire.NewFile{{Path: "x", Size: 1 << 62}}},
		{Files: []wire.NewFile{{Path: "x", Size: -1}}},
		{Files: []wire.NewFile{{Path: "x", Size: 4}, {Path: "x", Size: 4}}},
	} {
		begin.Tx = uint32(i + 1)
		c.must(c.conn.WriteJSON(wire.TypeBegin, begin))
		for range 100 {
			chunk := wire.Chunk{Tx: begin.Tx, File: 7, Size: 4, Body: []byte("1234")}
			c.must(c.conn.Write(wire.TypeChunk, chunk.Head(), chunk.Body))
		}
		c.must(c.conn.WriteJSON(wire.TypeCommit, wire.Commit{Tx: begin.Tx}))
		if r := c.result(); r.Outcome != wire.Failed {
			t.Errorf("%+v: %+v", begin, r)
		}
	}
}

func TestNewestClientWins(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{})
	first, _ := welcomed(t, a)
	second, _ := welcomed(t, a)
	if err := first.until(wire.TypeResult, new(wire.Result)); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("the first client: %v", err)
	}
	second.must(second.conn.Write(wire.TypePing, []byte("12345678")))
	if typ, b, err := second.conn.Read(nil); err != nil || (typ == wire.TypePong && string(b) != "12345678") {
		t.Errorf("the second client: %v", err)
	}
}

// A save that a dev server picks up by itself is answered in one frame. On a
// busy machine a status may still come before a result: not before most.
func TestOneFrameForASave(t *testing.T) {
	_, c, held := running(t, agenttest.Behaviour{"id": "one"})
	app := agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0)
	const saves = 10
	statuses := 0
	for range saves {
		c.send(app, held, wire.Commit{Build: "two"})
		_ = c.raw.SetReadDeadline(time.Now().Add(30 * time.Second))
		for typ := wire.TypeCommit; typ != wire.TypeResult; {
			var err error
			if typ, _, err = c.conn.Read(nil); err != nil {
				t.Fatal(err)
			}
			if typ == wire.TypeStatus {
				statuses++
			}
		}
		time.Sleep(30 * time.Millisecond) // for a status that should not come
	}
	if statuses > saves/2 {
		t.Errorf("%d statuses beside %d results", statuses, saves)
	}
}

func TestEnvironment(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{})
	answers(t, a, "one")
	env := a.Get("/env")
	if strings.Contains(env, a.Token) || strings.Contains(env, "ZR_AGENT") || !strings.Contains(env, agentspec.EnvBuild+"=seed") {
		t.Errorf("the service sees %s", env)
	}
}

func TestPID1(t *testing.T) {
	if err := exec.Command("unshare", "-p", "-f", "--mount-proc", "true").Run(); err != nil {
		t.Skip("no process namespaces here:", err)
	}
	a := service(t, agenttest.Behaviour{"id": "one", "orphans": 20}, agenttest.Options{AsPID1: true})
	answers(t, a, "one")
	pid1 := child(t, a.Pid())
	agenttest.Eventually(t, "no zombies are left", func() bool { return len(children(pid1, "")) == 1 })
	if z := children(pid1, "Z"); len(z) > 0 {
		t.Errorf("zombies %v", z)
	}
	if err := syscall.Kill(pid1, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	agenttest.Eventually(t, "SIGHUP is passed on", func() bool { return strings.Contains(a.Output(), "got hangup") })
	if err := syscall.Kill(pid1, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := a.Wait(t); code != 0 || !strings.Contains(a.Output(), "got terminated") {
		t.Errorf("exit code %d", code)
	}
}

func TestTerminate(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one", "orphans": 3}, agenttest.Options{})
	answers(t, a, "one")
	agenttest.Eventually(t, "orphans come to the agent and are reaped", func() bool { return len(children(a.Pid(), "")) == 1 })
	c, _ := welcomed(t, a)
	a.Signal(syscall.SIGTERM)
	if err := c.until(wire.TypeResult, new(wire.Result)); err == nil || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("the client: %v", err)
	}
	if code := a.Wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// child returns the one child of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	var c []int
	agenttest.Eventually(t, "it has a child", func() bool { c = children(pid, ""); return len(c) == 1 })
	return c[0]
}

// children returns the children of a process that are in a state, or in any.
func children(pid int, state string) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, s := range stats {
		b, err := os.ReadFile(s)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // state, ppid, ...
		if fields[1] == strconv.Itoa(pid) && (state == "" || fields[0] == state) {
			id, _ := strconv.Atoi(strings.Split(s, "/")[2])
			found = append(found, id)
		}
	}
	return found
}

func TestBadEnvironment(t *testing.T) {
	token := agentspec.EnvToken + "=t"
	spec := agentspec.EnvSpec + `={"dir":"/x","volume":"` + t.TempDir() + `","command":["/x"]}`
	for name, given := range map[string][]string{
		"nothing":       {},
		"no token":      {spec},
		"not mounted":   {token, spec},
		"no spec":       {token},
		"bad port":      {token, spec, agentspec.EnvPort + "=x"},
		"bad probe":     {token, spec, agentspec.EnvProbe + "=x"},
		"unknown probe": {token, spec, agentspec.EnvProbe + `={"kind":"icmp"}`},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append([]string{"ZR_TEST_AS_AGENT=1"}, given...)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 2 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
