package stack

import (
	"context"
	"fmt"
	"time"

	"zr/pkg/apiclient"
)

// tokenTimeout bounds the requests for a token, which the api answers within its own limits.
const tokenTimeout = 30 * time.Second

// TokenRequest says what token is wanted.
type TokenRequest struct {
	Name string `json:"name"` // what it is for
	Role string `json:"role"` // "viewer" or "operator"
	Days int    `json:"days"` // how long it can be used, 1 to 365
}

// MadeToken is a token with what it is shown as.
type MadeToken struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Expires time.Time `json:"expiresAt"`
	Secret  string    `json:"secret"`
}

// MakeToken logs in to the api of the running environment, and asks it for a token.
func (s *Stack) MakeToken(ctx context.Context, wanted TokenRequest) (made MadeToken, err error) {
	at, err := s.apiAddress(ctx)
	if err != nil {
		return made, err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	session, err := apiclient.LogIn(ctx, at)
	if err != nil {
		return made, err
	}
	if err := session.Post(ctx, "/api/v1/tokens", wanted, &made); err != nil {
		return made, fmt.Errorf("making the token %q at %s: %w", wanted.Name, at.Base, err)
	}
	return made, nil
}
