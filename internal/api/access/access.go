// Package access says who asks, and whether he may: sessions that a one-time login
// link begins, and tokens for scripts.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"zr/internal/api/contract"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/pkg/ticket"
)

// SessionLife is how long a session lasts: a working day.
const SessionLife = 12 * time.Hour

// tokenPrefix lets a leaked token be found by what looks for secrets in files.
const tokenPrefix = "zrt_"

// Caller is who sent a request.
type Caller struct {
	Name    string        `json:"name"`
	Role    contract.Role `json:"role" enum:"viewer,operator"`
	Expires time.Time     `json:"expiresAt"`

	recalled bool // of a token that cannot be looked for now
}

// Store is what lasts. *postgres.Store is one.
type Store interface {
	Check(ctx context.Context) error
	Audit(ctx context.Context, all ...postgres.AuditRecord) error
	AddToken(ctx context.Context, t postgres.Token, hash []byte) (postgres.Token, error)
	FindToken(ctx context.Context, hash []byte) (postgres.Token, error)
}

// Gate lets callers in. It is safe for concurrent use.
type Gate struct {
	// Guests says that what is for guests is for anybody; otherwise it is for viewers.
	// It is set before the first request.
	Guests bool

	key      string
	sessions cache.Cache
	store    Store
	log      *slog.Logger
	refusals *rate.Limiter

	mu     sync.Mutex
	audit  audit
	tokens map[string]shown // that were found lately, by their hash
}

// New returns the Gate whose login links are made with key; without one there are
// none.
func New(key string, sessions cache.Cache, store Store, log *slog.Logger) *Gate {
	return &Gate{key: key, sessions: sessions, store: store, log: log, refusals: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce), audit: audit{writing: make(chan struct{}, 1)}}
}

var (
	errNotLoggedIn = contract.Refuse(http.StatusUnauthorized, "not_logged_in", "log in first: `zr dashboard` makes a link, `zr token` a token for scripts")
	errBadTicket   = contract.Refuse(http.StatusUnauthorized, "bad_ticket", "the login link is not valid, or has expired: `zr dashboard` makes another")
	errUsedTicket  = contract.Refuse(http.StatusUnauthorized, "used_ticket", "the login link was used before: `zr dashboard` makes another")
	errSessions    = contract.Refuse(http.StatusServiceUnavailable, "sessions_unavailable", "redis does not answer: sessions cannot be read")
	errActs        = contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: what is done could not be recorded")
	errTokens      = contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: tokens cannot be read")
)

// LogIn begins a session with the ticket of a login link, which is used up, and
// returns the secret of the session.
func (g *Gate) LogIn(ctx context.Context, text string) (secret string, c Caller, err error) {
	claim, err := ticket.Read(g.key, text, time.Now())
	role := contract.Role(claim.Role)
	if err != nil || role != contract.Viewer && role != contract.Operator {
		return "", c, errBadTicket
	}
	first, err := g.sessions.Add(ctx, "ticket:"+claim.Nonce, nil, ticket.Life)
	if err != nil {
		return "", c, errSessions
	}
	if !first {
		return "", c, errUsedTicket
	}
	c = Caller{Name: claim.Name, Role: role, Expires: time.Now().Add(SessionLife).UTC()}
	value, err := json.Marshal(c)
	if err != nil {
		return "", c, err
	}
	secret = rand.Text() + rand.Text()
	if err := g.sessions.Set(ctx, sessionKey(secret), value, SessionLife); err != nil {
		return "", c, errSessions
	}
	return secret, c, nil
}

// LogOut ends a session.
func (g *Gate) LogOut(ctx context.Context, secret string) error {
	if err := g.sessions.Delete(ctx, sessionKey(secret)); err != nil {
		return errSessions
	}
	return nil
}

// sessionKey is not the secret itself: who can read Redis cannot use what is there.
func sessionKey(secret string) string { return "session:" + hex.EncodeToString(hash(secret)) }

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// MakeToken stores a new token and returns it with what it is shown as, once.
func (g *Gate) MakeToken(ctx context.Context, t postgres.Token) (secret string, made postgres.Token, err error) {
	secret = tokenPrefix + rand.Text() + rand.Text()
	made, err = g.store.AddToken(ctx, t, hash(secret))
	return secret, made, err
}

func (g *Gate) bySession(ctx context.Context, secret string) (Caller, error) {
	value, found, err := g.sessions.Get(ctx, sessionKey(secret))
	if err != nil {
		return Caller{}, errSessions
	}
	var c Caller
	if !found || json.Unmarshal(value, &c) != nil || !time.Now().Before(c.Expires) {
		return Caller{}, errNotLoggedIn
	}
	return c, nil
}

func (g *Gate) byToken(ctx context.Context, secret string) (Caller, error) {
	t, err := g.store.FindToken(ctx, hash(secret))
	switch {
	case errors.Is(err, postgres.ErrNoToken):
		g.forget(secret)
		return Caller{}, errNotLoggedIn
	case err != nil:
		return g.recall(secret)
	}
	c := Caller{Name: "token " + t.Name, Role: contract.Role(t.Role), Expires: t.ExpiresAt}
	g.remember(secret, c)
	return c, nil
}
