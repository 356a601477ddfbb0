// Command cart counts what is put into carts, in Redis.
package main

import (
	"context"
	"log"
	"os"

	"github.com/redis/go-redis/v9"

	"shop/rpc"
)

func main() {
	store := redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR")})
	log.Fatal(rpc.Serve(":7070", "Cart", map[string]rpc.Method{
		"Add":     func(ctx context.Context) (any, error) { return store.Incr(ctx, "items").Result() },
		"Count":   func(ctx context.Context) (any, error) { return count(ctx, store) },
		"Version": func(context.Context) (any, error) { return rpc.Version, nil },
	}))
}

func count(ctx context.Context, store *redis.Client) (int64, error) {
	n, err := store.Get(ctx, "items").Int64()
	if err == redis.Nil {
		return 0, nil
	}
	return n, err
}
