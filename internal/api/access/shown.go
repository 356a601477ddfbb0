package access

import (
	"time"

	"zr/internal/api/contract"
)

const (
	// rememberFor is how long a token that was found lets its holder read while the
	// database is away: whoever watches over the api wants to just then. That one was
	// removed through another replica cannot be known.
	rememberFor = 10 * time.Minute
	// maxRemembered bounds those that are remembered, of some 200 bytes each.
	maxRemembered = 1000
)

// shown is a token that was found.
type shown struct {
	caller Caller
	at     time.Time
}

// remember notes that a token was found.
func (g *Gate) remember(secret string, c Caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tokens == nil || len(g.tokens) >= maxRemembered {
		g.tokens = map[string]shown{}
	}
	g.tokens[string(hash(secret))] = shown{c, time.Now()}
}

// forget notes that there is no such token.
func (g *Gate) forget(secret string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tokens, string(hash(secret)))
}

// ForgetTokens forgets all that were found: one was removed.
func (g *Gate) ForgetTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// recall returns who shows a token, as one who may read, where it was found lately.
func (g *Gate) recall(secret string) (Caller, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, found := g.tokens[string(hash(secret))]
	if now := time.Now(); !found || now.Sub(t.at) > rememberFor || !now.Before(t.caller.Expires) {
		return Caller{}, errTokens
	}
	t.caller.Role, t.caller.recalled = contract.Viewer, true
	return t.caller, nil
}
