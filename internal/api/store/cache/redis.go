package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"zr/internal/api/reason"
	"zr/internal/api/traces"
)

// Every call is one small round trip to a server one hop away.
const (
	dialTimeout = time.Second
	ioTimeout   = time.Second
)

// prefix keeps the keys apart from those of others in the same database.
const prefix = "zr:api:"

type client struct {
	redis *redis.Client
	most  int
}

// Open returns the Cache of a URL such as redis://:password@host:6379/0. It
// does no I/O, and its error does not show the URL. What go-redis itself has
// to say goes to log, for the whole process. The pool has so many connections at most.
//
//go:noinline
func Open(url string, connections int, log *slog.Logger) (Cache, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a URL of a Redis database (redis://:password@host:port/number)")
	}
	o.PoolSize = connections
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
	o.ContextTimeoutEnabled = true
	// The callers have short deadlines and a way to do without: an answer
	// now, even a bad one, is better than one after retries.
	o.MaxRetries, o.DialerRetries = -1, 1
	// Neither is of use to one server without a proxy, and each costs a round
	// trip on every new connection.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	redis.SetLogger(logger{log})
	c := &client{redis.NewClient(o), connections}
	c.redis.AddHook(commands{})
	return c, nil
}

func (c *client) Check(ctx context.Context) error { return classify(c.redis.Ping(ctx).Err()) }

func (c *client) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := c.redis.Get(ctx, prefix+key).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("reading %q from the cache: %w", key, classify(err))
	}
	return value, true, nil
}

func (c *client) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := c.redis.Set(ctx, prefix+key, value, ttl).Err(); err != nil {
		return fmt.Errorf("writing %q to the cache: %w", key, classify(err))
	}
	return nil
}

func (c *client) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	added, err := c.redis.SetNX(ctx, prefix+key, value, ttl).Result()
	if err != nil {
		return false, fmt.Errorf("adding %q to the cache: %w", key, classify(err))
	}
	return added, nil
}

func (c *client) Delete(ctx context.Context, key string) error {
	if err := c.redis.Del(ctx, prefix+key).Err(); err != nil {
		return fmt.Errorf("deleting %q from the cache: %w", key, classify(err))
	}
	return nil
}

func (c *client) Publish(ctx context.Context, channel string, message []byte) (int, error) {
	n, err := c.redis.Publish(ctx, prefix+channel, message).Result()
	if err != nil {
		return 0, fmt.Errorf("publishing on %q: %w", channel, classify(err))
	}
	return int(n), nil
}

// quietFor is how long a connection on which messages come may say nothing before it is
// asked whether it still is one, and before that is taken for a no.
const quietFor = 2 * time.Second

func (c *client) Follow(ctx context.Context, channel string, told func(message []byte)) error {
	following := c.redis.Subscribe(ctx, prefix+channel)
	defer following.Close()
	ctxEnds := context.AfterFunc(ctx, func() { _ = following.Close() }) // reading heeds deadlines only
	defer ctxEnds()
	for asked := false; ; {
		got, err := following.ReceiveTimeout(ctx, quietFor)
		late, _ := errors.AsType[net.Error](err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !asked && late != nil && late.Timeout():
			if err := following.Ping(ctx); err != nil {
				return fmt.Errorf("following %q: %w", channel, classify(err))
			}
			asked = true
			continue
		case err != nil:
			return fmt.Errorf("following %q: %w", channel, classify(err))
		}
		asked = false
		if m, published := got.(*redis.Message); published {
			told([]byte(m.Payload))
		}
	}
}

func (c *client) Use() Use {
	s := c.redis.PoolStats()
	return Use{c.most, int(s.TotalConns - s.IdleConns), int(s.IdleConns), int64(s.WaitCount)}
}

func (c *client) Close() error { return c.redis.Close() }

// classify attaches the reason that the first word of the server's error
// stands for.
func classify(err error) error {
	said, ok := errors.AsType[redis.Error](err)
	if !ok {
		return err
	}
	word, _, _ := strings.Cut(said.Error(), " ")
	switch word {
	case "NOAUTH", "WRONGPASS":
		return reason.With(reason.Auth, err)
	case "NOPERM":
		return reason.With(reason.Forbidden, err)
	case "LOADING", "MASTERDOWN", "BUSY":
		return reason.With(reason.Starting, err)
	}
	if strings.Contains(said.Error(), "max number of clients") {
		return reason.With(reason.Busy, err)
	}
	return err
}

// logger takes what go-redis would print: retries and broken connections,
// which the caller hears of anyway.
type logger struct{ log *slog.Logger }

func (l logger) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis client", "said", fmt.Sprintf(format, args...))
}

// commands makes each command of a request that is traced a call of it. Keys and values
// are not told.
type commands struct{}

// DialHook implements redis.Hook.
func (commands) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		ctx, end := traces.Call(ctx, "redis "+cmd.Name(), "db.system.name", "redis")
		err := next(ctx, cmd)
		if errors.Is(err, redis.Nil) {
			end(nil) // there is no such key
		} else {
			end(err)
		}
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
