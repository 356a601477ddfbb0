// Package ticket is the part of a one-time login link that proves who made it. It is a
// claim under a key that zr and the api of an environment share. zr makes them, the api
// takes each of them once.
package ticket

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Life is how long a ticket can be used: as long as somebody takes to open a link
// that was printed.
const Life = 10 * time.Minute

// KeyName is the name of the secret of an environment that holds the key.
const KeyName = "LOGIN_KEY"

// minKey is the shortest key: a shorter one could be found by trying.
const minKey = 16

// Claim is what a ticket says.
type Claim struct {
	Name    string    `json:"name"` // who logs in
	Role    string    `json:"role"` // "viewer" or "operator"
	Expires time.Time `json:"expires"`
	Nonce   string    `json:"nonce"` // makes it another one than every other
}

// The reasons for which a ticket is refused.
var (
	ErrForged  = errors.New("the ticket was not made with the key of this environment")
	ErrExpired = errors.New("the ticket has expired")
)

// Make returns a ticket for somebody, which can be used from now on for Life.
func Make(key, name, role string, now time.Time) (string, error) {
	if len(key) < minKey {
		return "", fmt.Errorf("making a login link: %s has %d characters, and at least %d are wanted", KeyName, len(key), minKey)
	}
	claim, err := json.Marshal(Claim{Name: name, Role: role, Expires: now.Add(Life).UTC().Truncate(time.Second), Nonce: rand.Text()})
	if err != nil {
		return "", fmt.Errorf("making a login link: %w", err)
	}
	body := encode(claim)
	return body + "." + encode(sign(key, body)), nil
}

// Read returns what a ticket says, or ErrForged or ErrExpired. Whether it was used
// before is for the caller to know, by its nonce.
func Read(key, text string, now time.Time) (Claim, error) {
	body, signature, _ := strings.Cut(text, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(key) < minKey || !hmac.Equal(given, sign(key, body)) {
		return Claim{}, ErrForged
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	var claim Claim
	if err != nil || json.Unmarshal(raw, &claim) != nil || claim.Nonce == "" {
		return Claim{}, ErrForged
	}
	if !now.Before(claim.Expires) {
		return Claim{}, ErrExpired
	}
	return claim, nil
}

// sign binds the key to this use of it.
func sign(key, body string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("zr login ticket\n" + body))
	return mac.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
