package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"zr/pkg/apiclient"
	"zr/pkg/event"
)

// historyWithin is how long the api may take to let zr in: where it is away, the
// containers have the lines.
const historyWithin = 3 * time.Second

// errNoHistory says that there is no history to be asked.
var errNoHistory = errors.New("no history of the logs")

// history emits the lines that the api of the environment has kept. The error is an
// errNoHistory, with the reason, where nothing was emitted and the containers are to be
// asked.
func (p *project) history(ctx context.Context, o LogOptions) error {
	entering, cancel := context.WithTimeout(ctx, historyWithin)
	defer cancel()
	var session *apiclient.Session
	at, err := p.apiAddress(entering)
	if err == nil {
		session, err = apiclient.LogIn(entering, at)
	}
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("%w: %w", errNoHistory, err))
	}
	q := apiclient.LogQuery{Environment: p.rendered.Namespace, Services: o.Services, Level: o.Level, Regexp: o.Grep.String()}
	if o.Since > 0 {
		q.From = time.Now().Add(-o.Since)
	}
	told := false
	err = session.Logs(ctx, q, func(l event.LogLine) {
		if !told {
			told = true
			p.sayHistory(at)
		}
		p.sink.Emit(l)
	})
	if err == nil && !told {
		p.sayHistory(at)
	}
	refused, ok := errors.AsType[*apiclient.Refused](err)
	if ok && refused.Status != http.StatusUnprocessableEntity {
		return fmt.Errorf("%w: %w", errNoHistory, err)
	}
	return err
}

func (p *project) sayHistory(at apiclient.Address) {
	p.sink.Emit(event.Notice{Text: "from the history of the api at " + at.Base + ", also of containers that are gone"})
}
