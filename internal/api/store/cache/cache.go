// Package cache keeps what may be lost in Redis, shared by all replicas of
// the api.
package cache

import (
	"context"
	"time"
)

// Use is how much of a pool is used.
type Use struct {
	Most, Used, Idle int
	Waited           int64 // how often all were used, and somebody waited for one
}

// Cache is a key-value store whose entries expire. It is safe for concurrent
// use.
//
// It is an interface so that the packages which use it do not depend on the types of
// go-redis. The compiler would read their 57 MB of export data, which took 0.6 s of
// each rebuild of the importing package.
type Cache interface {
	// Check says whether Redis can be used.
	Check(ctx context.Context) error
	// Get returns the value of a key, and false where there is none.
	Get(ctx context.Context, key string) ([]byte, bool, error)
	// Set stores a value for ttl.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Add stores a value for ttl where the key has none, and says whether it did.
	Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error)
	// Delete removes a key, if it is there.
	Delete(ctx context.Context, key string) error
	// Publish tells everybody who follows a channel a message, and returns how many
	// those are.
	Publish(ctx context.Context, channel string, message []byte) (int, error)
	// Follow passes what is published on a channel from now on to told, in its order,
	// until ctx ends or the connection breaks, of which it returns the error. What is
	// published while nobody follows is gone.
	Follow(ctx context.Context, channel string, told func(message []byte)) error
	// Use is how much of the pool is used.
	Use() Use
	// Close closes all connections.
	Close() error
}
