package kube

import (
	"net/http"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Dialer opens port-forward connections to a pod: SPDY inside a WebSocket,
// which passes proxies, and bare SPDY for servers older than that.
func (c *Client) Dialer(ns, pod string) func() (httpstream.Connection, error) {
	u := c.URL(lean.PathOf(object.Pods, ns), pod, "portforward")
	return func() (httpstream.Connection, error) {
		ws, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, c.config)
		if err != nil {
			return nil, err
		}
		transport, upgrader, err := spdy.RoundTripperFor(c.config)
		if err != nil {
			return nil, err
		}
		bare := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
		conn, _, err := portforward.NewFallbackDialerForStreaming(ws, bare, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		}).Dial(portforward.PortForwardProtocolV1Name)
		return conn, err
	}
}
