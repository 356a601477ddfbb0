package dev

import (
	"context"
	"net/http"

	"zr/internal/api/contract"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// addSetup adds the questions that an attached `zr dev` answers from its machine, and that
// change nothing.
func (r *routes) addSetup(a *contract.API, path, group string) {
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Viewer},
		ID:    "devDoctor", Method: http.MethodGet, Path: path + "/doctor", Group: group,
		Summary:     "What zr doctor finds on the machine of the attached zr dev, in its project and in its cluster",
		Description: "Asked anew each time, which takes some 0.3 s. 409 where no `zr dev` is attached.",
		Refusals:    []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadGateway, http.StatusGatewayTimeout},
	}, r.doctor)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Operator},
		ID:    "devPropose", Method: http.MethodPost, Path: path + "/propose", Group: group,
		Summary: "The lines that make a service of a folder of the project, which the attached zr dev looks at",
		Description: "Nothing is written. 404 where the project has no such folder, or nothing in it says how an image is made of it; 409 where its name is taken, or no `zr dev` is attached. " +
			"A folder outside of the project is none of it, also by a symbolic link.",
		Refusals: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadGateway, http.StatusGatewayTimeout},
	}, r.propose)
}

type findingsOutput struct{ Body devattach.Findings }

func (r *routes) doctor(ctx context.Context, in *scopeInput) (*findingsOutput, error) {
	e, err := env.Of(r.Environments, in.Environment)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, contract.Form.Acting())
	defer cancel()
	out := &findingsOutput{devattach.Findings{Findings: []devattach.Finding{}}}
	if err := r.Hub.Ask(ctx, e.Key(), devattach.Examine, nil, &out.Body); err != nil {
		return nil, Problem(err)
	}
	return out, nil
}

type folderInput struct {
	env.Scope
	Body struct {
		Folder string `json:"folder" minLength:"1" maxLength:"1024" pattern:"^[^\\x00-\\x1f]+$" doc:"Relative to the project's folder."`
	}
}

type proposalOutput struct{ Body devattach.Proposal }

func (r *routes) propose(ctx context.Context, in *folderInput) (*proposalOutput, error) {
	e, err := env.Of(r.Environments, in.Environment)
	if err != nil {
		return nil, err
	}
	out := &proposalOutput{}
	err = r.asked(ctx, "devPropose", e.Key(), devattach.Propose, devattach.Folder{Folder: in.Body.Folder}, &out.Body, e.Target(in.Body.Folder))
	if err != nil {
		return nil, err
	}
	return out, nil
}

// asked has the attached `zr dev` do something, and records how that went.
func (r *routes) asked(ctx context.Context, id, environment string, action devattach.Action, argument, result any, target string) error {
	asking, cancel := context.WithTimeout(ctx, contract.Form.Acting())
	defer cancel()
	err := r.Hub.Ask(asking, environment, action, argument, result)
	record := postgres.AuditRecord{Action: id, Target: target, Outcome: postgres.Done}
	if err != nil {
		p := Problem(err)
		if record.Outcome = postgres.Failed; p.Status < http.StatusInternalServerError {
			record.Outcome = postgres.Refused
		}
		record.Detail, err = p.Detail, p
	}
	return r.Gate.RecordAct(ctx, record, err)
}
