package stack

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// newAttachment returns the channel by which a run on the project of a folder tells the
// api what happens.
func newAttachment(verb, folder string) *attachment.Attachment {
	machine, _ := os.Hostname() // without a name, it has none there
	return attachment.New(devattach.Hello{Run: rand.Text(), Verb: verb, Machine: machine, Folder: folder, Process: os.Getpid(), Since: time.Now()})
}

// both is a sink that tells two.
func both(first, second event.Sink) event.Sink {
	return event.SinkFunc(func(e event.Event) {
		first.Emit(e)
		second.Emit(e)
	})
}

// tellFailure tells the api how a run failed; the terminal is told by who called it. One
// that the user ended is no failure.
func (s *Stack) tellFailure(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.attachment.Emit(event.Failure{Error: err.Error(), Hint: fault.HintOf(err), Code: fault.Code(err)})
	}
}

// meetOwnAPI tells the attachment where the api is that the environment has among its
// services. It is away for as long as that does not run.
func (p *project) meetOwnAPI() {
	if !p.can().HostPorts {
		return
	}
	for _, port := range p.ports {
		if at, there := p.api(endpoint{published: port, scheme: "http"}); there {
			p.attachment.Found(at, p.rendered.Namespace)
			return
		}
	}
}
