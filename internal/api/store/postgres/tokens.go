package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Token is a token for scripts, without what it is shown as.
type Token struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role" enum:"viewer,operator"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

const tokenColumns = "id, name, role, created_by, created_at, expires_at"

// AddToken stores a token by its hash and returns it with its id.
func (s *Store) AddToken(ctx context.Context, t Token, hash []byte) (Token, error) {
	return s.token(ctx, "adding a token", "INSERT INTO tokens (name, role, hash, created_by, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING "+tokenColumns,
		t.Name, t.Role, hash, t.CreatedBy, t.ExpiresAt)
}

// FindToken returns the token of a hash where it has not expired, otherwise ErrNoToken.
func (s *Store) FindToken(ctx context.Context, hash []byte) (Token, error) {
	return s.token(ctx, "finding a token", "SELECT "+tokenColumns+" FROM tokens WHERE hash = $1 AND expires_at > now()", hash)
}

// RemoveToken removes a token and returns what it was, or ErrNoToken.
func (s *Store) RemoveToken(ctx context.Context, id int64) (Token, error) {
	return s.token(ctx, "removing a token", "DELETE FROM tokens WHERE id = $1 RETURNING "+tokenColumns, id)
}

// ErrNoToken says that there is no such token.
var ErrNoToken = errors.New("there is no such token")

func (s *Store) token(ctx context.Context, doing, sql string, args ...any) (Token, error) {
	tokens, err := s.tokens(ctx, doing, sql, args...)
	if err == nil && len(tokens) == 0 {
		err = ErrNoToken
	}
	if err != nil {
		return Token{}, err
	}
	return tokens[0], nil
}

// Tokens returns all tokens, newest first, also those that have expired.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return s.tokens(ctx, "reading the tokens", "SELECT "+tokenColumns+" FROM tokens ORDER BY id DESC")
}

func (s *Store) tokens(ctx context.Context, doing, sql string, args ...any) ([]Token, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, classify(err))
	}
	tokens, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Token])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, classify(err))
	}
	return tokens, nil
}
