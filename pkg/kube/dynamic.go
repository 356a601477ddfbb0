package kube

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/client-go/dynamic"
)

// Objects is what can be done with the objects of one resource: of a namespace, or
// of those that are in none. Errors are those of k8s.io/apimachinery.
type Objects = dynamic.ResourceInterface

// Dynamic speaks of objects of any kind. It is safe for concurrent use.
type Dynamic = dynamic.Interface

// Dynamic returns client-go's client for objects whose types zr does not know, over
// the connections of c. Warned is told what the server remarks beside an answer,
// with the context of the request.
func (c *Client) Dynamic(warned func(ctx context.Context, text string)) (Dynamic, error) {
	cfg := dynamic.ConfigFor(c.config)
	cfg.WarningHandlerWithContext = warnings(warned)
	client, err := dynamic.NewForConfigAndClient(cfg, &http.Client{Transport: c.Transport()})
	if err != nil {
		return nil, fmt.Errorf("preparing requests to the cluster: %w", err)
	}
	return client, nil
}

// warnings are the warning headers of answers.
type warnings func(ctx context.Context, text string)

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code == miscellaneous && text != "" {
		w(ctx, text)
	}
}

// miscellaneous is the code of a warning that is to be shown to a person (RFC 7234);
// the API server sends no others.
const miscellaneous = 299
