package lean

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"zr/pkg/kube/object"
)

// LogOptions say which part of a container's log to open.
type LogOptions struct {
	Previous bool      // of the instance before the newest
	Follow   bool      // goes on until the container ends
	Since    time.Time // of its second on; zero means all
	Tail     int       // how many of the last lines; 0 means all
}

// Log opens a container's log, each line with its time in front (RFC 3339 with
// nanoseconds, by the clock of the node). The caller closes it.
func (c *Client) Log(ctx context.Context, namespace, pod, container string, o LogOptions) (io.ReadCloser, error) {
	query := url.Values{"container": {container}, "timestamps": {"true"}}
	if o.Previous {
		query.Set("previous", "true")
	}
	if o.Follow {
		query.Set("follow", "true")
	}
	if !o.Since.IsZero() {
		query.Set("sinceTime", o.Since.UTC().Format(time.RFC3339)) // the API knows whole seconds only
	}
	if o.Tail > 0 {
		query.Set("tailLines", strconv.Itoa(o.Tail))
	}
	log, err := c.Stream(ctx, PathOf(object.Pods, namespace)+"/"+url.PathEscape(pod)+"/log", query)
	if err != nil {
		return nil, fmt.Errorf("reading the log of container %q in pod %q: %w", container, pod, err)
	}
	return log, nil
}
