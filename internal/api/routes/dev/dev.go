// Package dev answers what zr does on an environment, and asks an attached `zr dev`
// for something.
package dev

import (
	"context"
	"log/slog"
	"net/http"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/dev"
	"zr/internal/api/environments"
	env "zr/internal/api/routes/environments"
	"zr/pkg/devattach"
)

// Source is what the routes answer from.
type Source struct {
	Environments *environments.Set
	Hub          *dev.Hub
	Store        dev.Store
	Recorder     *dev.Recorder
	Gate         *access.Gate
	Origins      []string // of pages that may watch
}

type routes struct {
	Source
	log *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, source Source, log *slog.Logger) {
	r := &routes{source, log}
	path, group := contract.Base+"/dev", "dev"
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer},
		ID:    "listAttached", Method: http.MethodGet, Path: path, Group: group,
		Summary:  "The runs of zr that are attached now, the newest first, and what each of them does",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, r.attached)
	r.addActions(a, path, group)
	r.addSetup(a, path, group)
	r.addEvents(a, path, group)
	a.AddPlain("GET "+devattach.Path, contract.Rules{Class: contract.Stream, Role: contract.Operator}, http.HandlerFunc(r.attach))
}

type scopeInput struct{ env.Scope }

// AttachedRuns are the runs of zr that are there.
type AttachedRuns struct {
	Attached []dev.Attached `json:"attached"`
	Complete bool           `json:"complete" doc:"False while Redis is away: then those that are attached to other replicas are not known."`
}

type attachedOutput struct{ Body AttachedRuns }

func (r *routes) attached(_ context.Context, in *scopeInput) (*attachedOutput, error) {
	e, err := env.Of(r.Environments, in.Environment)
	if err != nil {
		return nil, err
	}
	all, complete, _ := r.Hub.Attached(e.Key())
	return &attachedOutput{AttachedRuns{all, complete}}, nil
}
