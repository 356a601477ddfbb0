package cli

import (
	"context"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/event"
)

// commands turns the keys of the development view into commands to the `zr dev`.
// The others are done here: quit ends the `zr dev`, also while it takes no
// commands, and open shows its dashboard.
func commands(ctx context.Context, keys <-chan ui.Command, quit context.CancelCauseFunc, open func()) chan stack.Command {
	orders := make(chan stack.Command)
	go func() {
		var waiting []stack.Command
		for {
			var next stack.Command
			var out chan<- stack.Command
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
				order := stack.Command{Unit: key.Service, Action: event.Rebuild}
				switch key.Kind {
				case ui.Quit:
					quit(errQuit)
				case ui.Open:
					open()
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

// openDashboard shows a page in a browser. There is none while url is empty.
func openDashboard(url string, sink event.Sink) {
	if url == "" {
		return
	}
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if err := exec.Command(opener, url).Start(); err != nil {
		sink.Emit(event.Notice{Text: "no browser could be opened", Hint: strings.TrimSpace("the dashboard is at " + url)})
	}
}
