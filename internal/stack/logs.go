package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/logline"
	"zr/pkg/logs"
)

// LogOptions say which lines are wanted.
type LogOptions struct {
	Services []string      // all where empty
	Follow   bool          // go on until the context ends
	Tail     int           // begin with the last of each container; 0 for all
	Since    time.Duration // begin with those that are younger; 0 for all
	Level    string        // the least severe one wanted; "" for all
	// Grep matches the lines that are wanted; nil for all. Where nothing is followed
	// and Tail is 0, they come from the history of the api, where that is there.
	Grep *regexp.Regexp
}

// Logs emits what the services write, a LogLine each.
func (s *Stack) Logs(ctx context.Context, o LogOptions) error {
	p, err := s.render(ctx)
	if err != nil {
		return err
	}
	known := p.workloads()
	for _, service := range o.Services {
		if !slices.Contains(known, service) {
			return fault.WithCode(fmt.Errorf("there is no service %q", service), fault.Usage,
				config.Suggest("services here: "+strings.Join(known, ", "), service, known))
		}
	}
	if o.Grep != nil && !o.Follow && o.Tail == 0 {
		err := p.history(ctx, o)
		if !errors.Is(err, errNoHistory) {
			return err
		}
		s.sink.Emit(event.Notice{Text: "from the logs that the containers have now: " + err.Error()})
	}
	on, err := p.attach(ctx)
	if err != nil {
		return err
	}
	defer on.close()
	options := logs.Options{Namespace: p.rendered.Namespace, Services: o.Services, Tail: o.Tail, Follow: o.Follow}
	if o.Since > 0 {
		options.Since = time.Now().Add(-o.Since)
	}
	err = logs.New(on.cluster.Client).Follow(ctx, options, func(l event.LogLine) {
		if logline.AtLeast(l.Level, o.Level) && (o.Grep == nil || o.Grep.MatchString(l.Text)) {
			s.sink.Emit(l)
		}
	})
	return cmp.Or(err, ctx.Err()) // Follow takes Ctrl-C for an end like any other
}
