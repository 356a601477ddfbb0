// Package tokens makes, lists and removes tokens for scripts.
package tokens

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

// Store is where tokens are. *postgres.Store is one.
type Store interface {
	Tokens(ctx context.Context) ([]postgres.Token, error)
	RemoveToken(ctx context.Context, id int64) (postgres.Token, error)
}

type routes struct {
	gate  *access.Gate
	store Store
	log   *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, gate *access.Gate, store Store, log *slog.Logger) {
	r := &routes{gate, store, log}
	path, group := contract.Base+"/tokens", "tokens"
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Operator},
		ID:    "listTokens", Method: http.MethodGet, Path: path, Group: group, Summary: "All tokens, newest first, without their secrets",
		Refusals: []int{http.StatusServiceUnavailable},
	}, r.list)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Operator},
		ID:    "createToken", Method: http.MethodPost, Path: path, Group: group, Status: http.StatusCreated, Summary: "Makes a token",
		Description: "The answer shows it, and nothing will again: what is stored is its hash.",
		Refusals:    []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.create)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Operator},
		ID:    "removeToken", Method: http.MethodDelete, Path: path + "/{id}", Group: group, Summary: "Removes a token: it is refused from now on",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.remove)
}

// TokenList is all tokens.
type TokenList struct {
	Tokens []postgres.Token `json:"tokens"`
}

type listOutput struct{ Body TokenList }

func (r *routes) list(ctx context.Context, _ *struct{}) (*listOutput, error) {
	all, err := r.store.Tokens(ctx)
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	return &listOutput{TokenList{append([]postgres.Token{}, all...)}}, nil
}

type createInput struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9 ._-]*$" doc:"What it is for."`
		Role string `json:"role" enum:"viewer,operator"`
		Days int    `json:"days,omitempty" minimum:"1" maximum:"365" default:"30" doc:"How long it can be used."`
	}
}

// CreatedToken is a token with what it is shown as.
type CreatedToken struct {
	postgres.Token
	Secret string `json:"secret" doc:"Sent as Authorization: Bearer <secret>."`
}

type createOutput struct{ Body CreatedToken }

func (r *routes) create(ctx context.Context, in *createInput) (*createOutput, error) {
	secret, made, err := r.gate.MakeToken(ctx, postgres.Token{
		Name: in.Body.Name, Role: in.Body.Role, CreatedBy: access.From(ctx).Name, ExpiresAt: time.Now().AddDate(0, 0, in.Body.Days),
	})
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	if err := r.gate.RecordAct(ctx, postgres.AuditRecord{Action: "createToken", Target: made.Name, Outcome: postgres.Done, Detail: made.Role}, nil); err != nil {
		return nil, err
	}
	return &createOutput{CreatedToken{made, secret}}, nil
}

type removeInput struct {
	ID int64 `path:"id" minimum:"1"`
}

func (r *routes) remove(ctx context.Context, in *removeInput) (*struct{}, error) {
	removed, err := r.store.RemoveToken(ctx, in.ID)
	if errors.Is(err, postgres.ErrNoToken) {
		return nil, contract.Refuse(http.StatusNotFound, "not_found", "there is no token "+strconv.FormatInt(in.ID, 10))
	}
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	r.gate.ForgetTokens()
	return nil, r.gate.RecordAct(ctx, postgres.AuditRecord{Action: "removeToken", Target: removed.Name, Outcome: postgres.Done}, nil)
}

func (r *routes) unavailable(ctx context.Context, err error) error {
	r.log.Warn("the tokens were not reached", "error", err, "requestId", contract.RequestID(ctx))
	return contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer")
}
