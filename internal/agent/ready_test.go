package agent_test

import (
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/internal/testkit"
	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

// kubelet asks an agent over and over, as a kubelet does, and keeps what it was
// told.
type kubelet struct {
	mu      sync.Mutex
	asked   int
	answers []string
	stop    chan struct{}
	ended   chan struct{}
}

func asking(t *testing.T, a *agenttest.Agent, period time.Duration) *kubelet {
	t.Helper()
	k := &kubelet{stop: make(chan struct{}), ended: make(chan struct{})}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		defer close(k.ended)
		for {
			k.mu.Lock()
			k.asked++
			k.mu.Unlock()
			text := "no answer"
			if res, err := client.Get("http://" + a.Ready + agentspec.ReadyPath); err == nil {
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				text = res.Status + " " + string(body)
			}
			k.mu.Lock()
			k.answers = append(k.answers, text)
			k.mu.Unlock()
			select {
			case <-k.stop:
				return
			case <-time.After(period):
			}
		}
	}()
	t.Cleanup(k.end)
	return k
}

func (k *kubelet) end() {
	select {
	case <-k.stop:
	default:
		close(k.stop)
	}
	<-k.ended
}

// last returns what was told last, denied what was told that is not ready, and
// readyAt which question was the first that heard of it.
func (k *kubelet) last() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.answers) == 0 {
		return ""
	}
	return k.answers[len(k.answers)-1]
}

func (k *kubelet) readyAt() (question, asked int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.IndexFunc(k.answers, func(text string) bool { return strings.HasPrefix(text, "200 ") }) + 1, k.asked
}

func (k *kubelet) denied() (all []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, text := range k.answers {
		if !strings.HasPrefix(text, "200 ") {
			all = append(all, text)
		}
	}
	return all
}

// TestTheKubeletDoesNotMeetASwap: while a version is swapped for another, or
// taken back, the pod stays ready, so that its Service leads to whoever answers.
func TestTheKubeletDoesNotMeetASwap(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	k := asking(t, a, 2*time.Millisecond)
	for i := range 5 {
		c.send(agenttest.App(t, agenttest.Behaviour{"id": "slow", "startUp": 60 * time.Millisecond}, i), held, wire.Commit{Restart: true, Build: "slow"})
		if r := c.result(); r.Outcome != wire.Done {
			t.Fatalf("result %+v", r)
		}
	}
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "bad", "crash": true}, 0), held, wire.Commit{Restart: true, Build: "bad"})
	if r := c.result(); r.Outcome != wire.RolledBack {
		t.Fatalf("result %+v", r)
	}
	agenttest.Eventually(t, "an answer after that", func() bool { return strings.HasPrefix(k.last(), "200 ") })
	k.end()
	if denied := k.denied(); len(denied) > 0 {
		t.Errorf("the kubelet was told %q", denied)
	}
}

// TestTheKubeletDoesNotMeetARollbackThatIsCutShort by the next save.
func TestTheKubeletDoesNotMeetARollbackThatIsCutShort(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one", "startUp": 300 * time.Millisecond})
	k := asking(t, a, 2*time.Millisecond)
	agenttest.Eventually(t, "an answer", func() bool { return k.last() != "" })
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two", "crash": true}, 0), held, wire.Commit{Restart: true, Build: "two"})
	agenttest.Eventually(t, "the version before is started again", func() bool { return strings.Count(a.Output(), "starting one") == 2 })
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "three", "startUp": 100 * time.Millisecond}, 0), held, wire.Commit{Restart: true, Build: "three"})
	for _, want := range []wire.Outcome{wire.RolledBack, wire.Done} {
		if r := c.result(); r.Outcome != want {
			t.Fatalf("result %+v, want %s", r, want)
		}
	}
	k.end()
	if denied := k.denied(); len(denied) > 0 || a.Get("/") != "three" {
		t.Errorf("the kubelet was told %q; %q answers", denied, a.Get("/"))
	}
}

// TestTheKubeletHearsWhatTheAgentFound, and before zr does where it heard
// otherwise.
func TestTheKubeletHearsWhatTheAgentFound(t *testing.T) {
	sick := filepath.Join(t.TempDir(), "sick")
	testkit.WriteFile(t, sick, "")
	a := service(t, agenttest.Behaviour{"id": "one", "sickWith": sick}, agenttest.Options{})
	answers(t, a, "one")
	k := asking(t, a, 200*time.Millisecond)
	agenttest.Eventually(t, "not ready", func() bool { return strings.HasPrefix(k.last(), "503 ") })
	c, w := welcomed(t, a)
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two", "sickWith": sick + ".two"}, 0), w.Files, wire.Commit{Restart: true, Build: "two"})
	r := c.result()
	_, asked := k.readyAt()
	agenttest.Eventually(t, "ready", func() bool { return strings.HasPrefix(k.last(), "200 ") })
	if question, _ := k.readyAt(); r.Outcome != wire.Done || r.Status.Told != 1 || question > asked {
		t.Errorf("%s after %d questions, of which the kubelet heard at the %dth; it was told %d verdicts", r.Outcome, asked, question, r.Status.Told)
	}
	testkit.WriteFile(t, sick+".two", "")
	agenttest.Eventually(t, "not ready again, with the reason", func() bool {
		return strings.HasPrefix(k.last(), "503 ") && strings.Contains(k.last(), ": 503 ")
	})
	if _, w := welcomed(t, a); w.Status.Told != 2 {
		t.Errorf("zr is told of %d verdicts", w.Status.Told)
	}
}
