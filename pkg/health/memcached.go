package health

import (
	"bufio"
	"context"
	"io"
	"strings"

	"zr/pkg/probe"
)

// mostOfMemcached is more than any line that is an answer to "version".
const mostOfMemcached = 1 << 10

// askMemcached asks for the version, which a server tells as soon as it serves. One that
// wants its clients to sign in says that in its place, and counts as ready.
func askMemcached(ctx context.Context, s server) (probe.Answer, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return probe.Answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := io.WriteString(conn, "version\r\n"); err != nil {
		return probe.Answer{}, err
	}
	line, err := bufio.NewReader(io.LimitReader(conn, mostOfMemcached)).ReadString('\n')
	said := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(said, "VERSION "):
		return probe.Answer{Text: said}, nil
	case said == "CLIENT_ERROR unauthenticated":
		return probe.Answer{Text: "asks for a password"}, nil
	case said != "":
		return probe.Answer{}, probe.Unready(said)
	}
	return probe.Answer{}, err
}
