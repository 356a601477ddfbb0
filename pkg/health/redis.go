package health

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"zr/pkg/probe"
)

// The driver's own log would land among what is printed; what it says is in the
// answer too.
func init() { logging.Disable() }

// askRedis signs in and sends PING. A server that still loads its data
// answers LOADING, which is no PONG.
func askRedis(ctx context.Context, s server) (probe.Answer, error) {
	client := redis.NewClient(&redis.Options{
		Addr:     net.JoinHostPort("localhost", strconv.Itoa(int(s.port))),
		Username: s.secrets["REDIS_USERNAME"],
		Password: s.secrets["REDIS_PASSWORD"],
		Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx) },
		// The gate asks again by itself.
		MaxRetries:    -1,
		DialerRetries: 1,
		PoolSize:      1,
		// One PING needs no name, no push messages and no third protocol version.
		Protocol:        2,
		DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	pong, err := client.Ping(ctx).Result()
	var said redis.Error
	switch {
	case errors.As(err, &said):
		return probe.Answer{}, probe.Unready(said.Error())
	case err != nil:
		return probe.Answer{}, err
	case pong != "PONG":
		return probe.Answer{}, probe.Unready(pong)
	}
	return probe.Answer{Text: pong}, nil
}
