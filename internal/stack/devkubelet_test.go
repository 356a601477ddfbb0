package stack

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zr/internal/devloop"
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
				var said []event.Problem
				sink := event.SinkFunc(func(e event.Event) { said = append(said, e.(event.Problem)) })
				held := &health.Held{Workloads: []health.Workload{{Name: "web", Ready: tt.ready}}}
				ended := make(chan struct{})
				go func() {
					_ = compareVerdicts(ctx, sink, map[string]devloop.Container{"web": oneState{state: tt.phase}}, func() *health.Held { return held })
					close(ended)
				}()
				time.Sleep(verdictTolerance - verdictInterval)
				synctest.Wait()
				if len(said) > 0 {
					t.Errorf("said too early: %v", said)
				}
				time.Sleep(4 * verdictInterval)
				cancel()
				<-ended
				if tt.want == "" {
					if len(said) > 0 {
						t.Errorf("said %v", said)
					}
					return
				}
				if len(said) != 2 || !strings.Contains(said[0].Text, tt.want) || !said[1].Cleared {
					t.Errorf("said %v", said)
				}
			})
		})
	}
}

func phaseOf(phase wire.Phase) livesync.State {
	return livesync.State{Connected: true, Status: livesync.Status{Phase: phase}}
}
