package lean

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// streamBuffer is how much of one answer may wait here to be read, in bytes. All
// logs of a namespace are followed at once: with the 4 MiB that HTTP/2 clients
// usually take, those of 40 containers would wait in 160 MiB.
const streamBuffer = 256 << 10

// NewTransport returns the connections to an API server. How long an answer may take
// is its request's context's to say; pings end a connection that died without a word.
func NewTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext:     (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 25, // where the server, or a proxy, speaks HTTP/1.1 only
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
