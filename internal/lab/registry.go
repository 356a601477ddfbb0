package lab

import (
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

// ServeRegistry serves an empty registry, which wants no sign-in, until the test ends.
func ServeRegistry(t TB, l net.Listener) {
	server := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	t.Cleanup(func() { server.Close() })
	go func() { _ = server.Serve(l) }()
}
