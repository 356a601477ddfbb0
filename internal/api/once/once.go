// Package once does what a request asks for once, however often it is sent under the
// same key.
package once

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/store/cache"
)

// keyLife is how long a result is kept under its key.
const keyLife = 24 * time.Hour

// claimLife is how long a key is taken by a request of which nothing is heard: longer
// than any may take, so that one whose api was killed can be sent again.
const claimLife = 2 * time.Minute

// Keys are the keys of requests, in a cache that all replicas share.
type Keys struct {
	Cache cache.Cache
	Log   *slog.Logger
}

// Do runs what a request under a key asks for, unless it was done before: then it
// returns what came of it. What fails may be tried again. Without a key it just runs. An
// error of its own is a *contract.Problem.
func Do[T any](ctx context.Context, k Keys, key string, run func() (T, error)) (T, error) {
	if key == "" {
		return run()
	}
	var result T
	unavailable := contract.Refuse(http.StatusServiceUnavailable, "keys_unavailable", "redis does not answer: whether this was done before cannot be told")
	first, err := k.Cache.Add(ctx, key, nil, claimLife)
	if err != nil {
		return result, unavailable
	}
	if !first {
		value, _, err := k.Cache.Get(ctx, key)
		if err != nil {
			return result, unavailable
		}
		if json.Unmarshal(value, &result) != nil {
			return result, contract.Refuse(http.StatusConflict, "in_progress", "the same request is being done")
		}
		return result, nil
	}
	result, failure := run()
	ctx = context.WithoutCancel(ctx)
	if failure != nil {
		err = k.Cache.Delete(ctx, key)
	} else if value, encoding := json.Marshal(result); encoding == nil {
		err = k.Cache.Set(ctx, key, value, keyLife)
	}
	if err != nil {
		k.Log.Warn("the result of an action was not kept", "error", err, "requestId", contract.RequestID(ctx))
	}
	return result, failure
}
