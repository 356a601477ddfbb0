package configuration

import (
	"context"

	"zr/internal/api/access"
	"zr/internal/api/configuration"
	"zr/internal/api/contract"
	"zr/internal/api/kube"
	"zr/internal/api/once"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/postgres"
)

// Secrets are those of an environment.
type Secrets struct {
	Secrets []configuration.Secret `json:"secrets" doc:"The one that can be set first, the others sorted by name."`
}

type secretsOutput struct{ Body Secrets }

func (r *routes) secrets(ctx context.Context, in *scopeInput) (*secretsOutput, error) {
	_, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	all, err := c.Secrets(ctx)
	if err != nil {
		return nil, r.failed(ctx, "listing the secrets", err)
	}
	return &secretsOutput{Secrets{all}}, nil
}

type secretInput struct {
	env.Scope
	Name    string `path:"key" maxLength:"253" pattern:"^[A-Za-z_][A-Za-z0-9_]*$"`
	Confirm bool   `query:"confirm" doc:"Also where a workload with a volume reads it."`
	Key     string `header:"Idempotency-Key" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"The same request under the same key is done once, and answered alike for a day."`
	Body    struct {
		Value string `json:"value" maxLength:"32768" doc:"It is written, and never answered."`
	}
}

// SecretSet says what setting a secret did.
type SecretSet struct {
	Rolls []string `json:"rolls" doc:"Workloads whose pods are replaced, as Kind/name."`
	Later []string `json:"later" doc:"Workloads that read it when their pods are made anew, as Kind/name."`
}

type secretOutput struct{ Body SecretSet }

func (r *routes) setSecret(ctx context.Context, in *secretInput) (*secretOutput, error) {
	const action = "setSecret"
	e, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	target := e.Target("secrets/" + in.Name)
	done, err := once.Do(ctx, r.keys, r.key(ctx, action, target, in.Key), func() (SecretSet, error) {
		acting, cancel := context.WithTimeout(ctx, contract.Form.Acting())
		defer cancel()
		acting, key := kube.Act(acting)
		plan, err := c.SetSecret(acting, in.Name, in.Body.Value, access.From(ctx).Name, in.Confirm)
		return SecretSet{plan.Rolls, plan.Later}, r.record(ctx, postgres.AuditRecord{Key: key, Action: action, Target: target}, err)
	})
	if err != nil {
		return nil, err
	}
	return &secretOutput{done}, nil
}
