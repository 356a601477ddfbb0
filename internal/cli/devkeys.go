package cli

import (
	"context"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"zr/internal/devloop"
	"zr/internal/ui"
	"zr/pkg/event"
)

// commands turns the keys of the development view into orders to the loop, and
// does by itself what is none of the loop's business. quit ends the session,
// also while nobody takes orders.
func (s *stack) commands(ctx context.Context, keys <-chan ui.Command, quit context.CancelCauseFunc) chan devloop.Command {
	orders := make(chan devloop.Command)
	go func() {
		var waiting []devloop.Command
		for {
			var next devloop.Command
			var out chan<- devloop.Command
			if len(waiting) > 0 {
				next, out = waiting[0], orders
			}
			select {
			case <-ctx.Done():
				return
			case out <- next:
				waiting = waiting[1:]
			case key, ok := <-keys:
				if !ok {
					return
				}
				order := devloop.Command{Unit: key.Service, Action: event.Rebuild}
				switch key.Kind {
				case ui.Quit:
					quit(errQuit)
				case ui.Open:
					s.openDashboard()
				case ui.Restart:
					order.Action = event.Restart
					fallthrough
				case ui.Rebuild:
					if !slices.Contains(waiting, order) {
						waiting = append(waiting, order)
					}
				}
			}
		}
	}()
	return orders
}

// openDashboard shows the first service of the stack, by port, in a browser.
func (s *stack) openDashboard() {
	f := s.facts.Load()
	if f == nil || f.dashboard == "" {
		return // not known yet, or there is none
	}
	url := f.dashboard
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if err := exec.Command(opener, url).Start(); err != nil {
		s.sink.Emit(event.Notice{Text: "no browser could be opened", Hint: strings.TrimSpace("the dashboard is at " + url)})
	}
}
