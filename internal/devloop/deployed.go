package devloop

import (
	"context"
	"time"

	"zr/pkg/event"
)

// Deployed is a service whose image can be anything, such as what a Dockerfile
// makes: each save makes the image and has it deployed.
type Deployed struct {
	Service string
	Inputs  Inputs
	Rebuild func(ctx context.Context) error
	// Idle says why it is not meant to run, or "". May be nil.
	Idle func() string
}

// Name returns the service's name.
func (d *Deployed) Name() string { return d.Service }

// State says healthy of what was waited for. Of what could not be deployed
// nothing is known but that what ran before was left alone.
func (d *Deployed) State(err error) event.ServiceState {
	if err != nil {
		return event.ServiceState{Service: d.Service, State: event.Failed, Reason: "the last save is not deployed"}
	}
	if d.Idle != nil {
		if why := d.Idle(); why != "" {
			return event.ServiceState{Service: d.Service, State: event.Stopped, Reason: why}
		}
	}
	return event.ServiceState{Service: d.Service, State: event.Healthy}
}

// Plan rebuilds when a file of the build's context changes.
func (d *Deployed) Plan(path string) Decision {
	if d.Inputs.Contains(path) {
		return Decision{d.Service, event.Rebuild, "the image is made from it"}
	}
	return ignored
}

// Run makes the image and deploys it.
func (d *Deployed) Run(ctx context.Context, _ Work, trace *event.Reload) error {
	begin := time.Now()
	defer func() { trace.Built = time.Since(begin) }()
	if err := d.Rebuild(ctx); err != nil {
		return stopped(ctx, faultOf(err))
	}
	return nil
}
