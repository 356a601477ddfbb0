package stack

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zr/internal/devloop"
	"zr/internal/testkit"
	"zr/pkg/agentspec/wire"
	"zr/pkg/event"
	"zr/pkg/health"
	"zr/pkg/livesync"
)

// oneState is a container that is always in the same state.
type oneState struct {
	devloop.Container
	state livesync.State
}

func (c oneState) State() livesync.State { return c.state }

// TestZrAndTheKubeletOfTwoMinds: both words are shown once they have differed
// for longer than it takes to agree, and no longer than they do.
func TestZrAndTheKubeletOfTwoMinds(t *testing.T) {
	for name, tt := range map[string]struct {
		phase livesync.State
		ready int32
		want  string
	}{
		"agreed":                    {phaseOf(livesync.Healthy), 1, ""},
		"both say no":               {phaseOf(livesync.Unready), 0, ""},
		"only the agent says ready": {phaseOf(livesync.Healthy), 0, "its pod is not ready"},
		"only the kubelet does":     {phaseOf(livesync.Unready), 1, "the kubelet calls the pod ready"},
		"not connected":             {livesync.State{}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				said := &testkit.Recorder{}
				held := &health.Held{Workloads: []health.Workload{{Name: "web", Ready: tt.ready}}}
				ended := make(chan struct{})
				go func() {
					_ = compareVerdicts(ctx, said, map[string]devloop.Container{"web": oneState{state: tt.phase}}, func() *health.Held { return held })
					close(ended)
				}()
				time.Sleep(verdictTolerance - verdictInterval)
				synctest.Wait()
				if early := said.Events(); len(early) > 0 {
					t.Errorf("said too early: %v", early)
				}
				time.Sleep(4 * verdictInterval)
				cancel()
				<-ended
				got := said.Events()
				if tt.want == "" {
					if len(got) > 0 {
						t.Errorf("said %v", got)
					}
					return
				}
				if len(got) != 2 || !strings.Contains(got[0].(event.Problem).Text, tt.want) || !got[1].(event.Problem).Cleared {
					t.Errorf("said %v", got)
				}
			})
		})
	}
}

func phaseOf(phase wire.Phase) livesync.State {
	return livesync.State{Connected: true, Status: livesync.Status{Phase: phase}}
}
