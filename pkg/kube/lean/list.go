package lean

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"zr/pkg/kube/object"
)

// ListOptions narrow a list or a watch on the server.
type ListOptions struct {
	Namespace string // empty means all, or that the resource has none
	Labels    string // a selector: "app=web"
	Fields    string // a selector: "type!=Normal"
	// Cached takes the version that the server has at hand, so that etcd is left
	// alone: it may be a moment old, and older than what was applied before it.
	Cached bool
}

func (o ListOptions) query() url.Values {
	query := url.Values{}
	if o.Labels != "" {
		query.Set("labelSelector", o.Labels)
	}
	if o.Fields != "" {
		query.Set("fieldSelector", o.Fields)
	}
	if o.Cached {
		query.Set("resourceVersion", "0")
	}
	return query
}

// PathOf returns the path of a resource; of all namespaces where that is empty.
func PathOf(r object.Resource, namespace string) string {
	if namespace == "" {
		return r.Path + "/" + r.Name
	}
	return r.Path + "/namespaces/" + url.PathEscape(namespace) + "/" + r.Name
}

// List reads all objects of a resource, and the version to watch them from.
func (c *Client) List(ctx context.Context, r object.Resource, o ListOptions) (objects []object.Object, version string, err error) {
	answer, err := c.Stream(ctx, PathOf(r, o.Namespace), o.query())
	if err != nil {
		return nil, "", fmt.Errorf("listing %s%s: %w", r.Name, inNamespace(o.Namespace), err)
	}
	defer answer.Close()
	return r.DecodeList(json.NewDecoder(answer))
}

func inNamespace(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" in namespace %q", name)
}

// Change is one change that a watch tells.
type Change struct {
	Object  object.Object
	Deleted bool
}

const (
	// watchTime is how long a watch goes on. The server ends one after 30 to 60
	// minutes by itself; this makes a connection that died without a word end too.
	watchTime = "300" // seconds
	// watchLeast is what a watch must last: one that ends sooner, time after time,
	// is no watch, and following it would be a busy loop.
	watchLeast = time.Second
)

// ErrEndedAtOnce says that the server ended a watch right after it began.
var ErrEndedAtOnce = errors.New("the server ended the watch at once")

// Watch passes each change after a version to changed, until the server ends the
// watch, which is no error, or ctx does. It returns the version to go on from. One
// that the server does not know any more is a *StatusError with code 410: list
// again.
func (c *Client) Watch(ctx context.Context, r object.Resource, version string, o ListOptions, changed func(Change)) (string, error) {
	query := o.query()
	query.Set("watch", "true")
	query.Set("allowWatchBookmarks", "true")
	query.Set("resourceVersion", version)
	query.Set("timeoutSeconds", watchTime)
	began := time.Now()
	next, err := c.watch(ctx, r, version, query, o.Namespace, changed)
	if err == nil && ctx.Err() == nil && time.Since(began) < watchLeast {
		err = ErrEndedAtOnce
	}
	if err != nil {
		return next, fmt.Errorf("watching %s%s: %w", r.Name, inNamespace(o.Namespace), err)
	}
	return next, nil
}

func (c *Client) watch(ctx context.Context, r object.Resource, version string, query url.Values, namespace string, changed func(Change)) (string, error) {
	answer, err := c.Stream(ctx, PathOf(r, namespace), query)
	if err != nil {
		return version, err
	}
	defer answer.Close()
	for in := json.NewDecoder(answer); ; {
		var e struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := in.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // the server left, or the connection
				return version, nil
			}
			return version, err
		}
		if e.Type == "ERROR" {
			said := &StatusError{}
			if err := json.Unmarshal(e.Object, said); err != nil {
				return version, err
			}
			return version, said
		}
		o, err := r.Decode(e.Object)
		if err != nil {
			return version, err
		}
		version = o.Metadata().ResourceVersion
		if e.Type != "BOOKMARK" {
			changed(Change{Object: o, Deleted: e.Type == "DELETED"})
		}
	}
}
