package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"zr/pkg/config"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
)

// configure writes settings into the environment's file, as `zr config pull` does, and
// waits for what that save leads to.
func (d *Dev) configure(commands chan<- Command) attachment.Do {
	return func(ctx context.Context, argument json.RawMessage) (any, error) {
		var asked devattach.Settings
		if err := json.Unmarshal(argument, &asked); err != nil {
			return nil, fmt.Errorf("reading the settings: %w", err)
		}
		if d.facts.Load() == nil {
			return nil, errNotUp
		}
		traces, end := d.traces.watch(manifestsUnit)
		defer end()
		begin := time.Now()
		written, err := d.writeSettings(asked)
		if err != nil {
			return nil, err
		}
		if len(written.Keys) == 0 { // nothing that the loop would notice
			select {
			case <-ctx.Done():
			case commands <- Command{Unit: manifestsUnit, Action: event.Apply}:
			}
		}
		trace, err := awaitTrace(ctx, traces, begin)
		if written.Failed = trace.Error; err != nil { // the file is written all the same
			written.Failed = "the zr dev did not see what came of it"
		}
		return written, nil
	}
}

// writeSettings writes them, where the file has what the api takes it to have.
func (d *Dev) writeSettings(asked devattach.Settings) (devattach.SettingsWritten, error) {
	written := devattach.SettingsWritten{File: d.cfg.Name()}
	if asked.Source != written.File {
		return written, &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf(
			"the cluster has its settings from %q, and not from %s: nothing is written; `zr config pull` takes over what differs, and the next apply of the zr dev makes the file their source", asked.Source, written.File)}
	}
	var err error
	written.Keys, err = d.cfg.ChangeSettings(asked.Before, asked.Settings)
	if other, is := errors.AsType[*config.OtherSettingsError](err); is {
		return written, &devattach.Failure{Code: devattach.Conflict, Text: other.Error() + " than the cluster: nothing is written; once the zr dev has applied the file, read the settings again"}
	}
	if err != nil {
		return written, &devattach.Failure{Code: devattach.Failed, Text: "nothing is written: " + err.Error()}
	}
	if len(written.Keys) > 0 {
		d.sink.Emit(event.Notice{Text: fmt.Sprintf("%s: %s changed by %s through the api, as revision %d: %q",
			written.File, strings.Join(written.Keys, ", "), asked.Author, asked.Revision, asked.Reason)})
	}
	return written, nil
}
