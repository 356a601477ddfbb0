package stack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"zr/internal/devloop"
	"zr/pkg/livesync"
)

// onePush is a container of which each push ends in the same way.
type onePush struct {
	devloop.Container
	result livesync.Result
}

func (c onePush) Push(context.Context, livesync.Change) (livesync.Result, error) {
	return c.result, nil
}

// TestAPodThatComesBackIntoItsService is not live before it is there.
func TestAPodThatComesBackIntoItsService(t *testing.T) {
	away := errors.New("its Service leads nowhere")
	for name, tt := range map[string]struct {
		result livesync.Result
		leads  error
		asked  bool
		reason string
	}{
		"it was there all the time": {result: livesync.Result{}},
		"it comes back":             {result: livesync.Result{Rejoins: true}, asked: true},
		"it does not":               {result: livesync.Result{Rejoins: true}, leads: away, asked: true, reason: away.Error()},
		"it was taken back":         {result: livesync.Result{Rejoins: true, Reason: "it ended", RolledBack: true}, reason: "it ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := false
				c := throughService{onePush{result: tt.result}, func(context.Context) error {
					asked = true
					time.Sleep(time.Second)
					return tt.leads
				}}
				r, err := c.Push(t.Context(), livesync.Change{})
				if err != nil || asked != tt.asked || r.Reason != tt.reason || (r.Healthy == time.Second) != tt.asked {
					t.Errorf("%+v, %v; asked %v", r, err, asked)
				}
			})
		})
	}
}
