// Package configuration shows the settings and secrets of an environment, and lets
// operators change them.
package configuration

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"zr/internal/api/access"
	"zr/internal/api/configuration"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/kube"
	"zr/internal/api/once"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/pkg/config"
)

const path = contract.Base + "/configuration"

type routes struct {
	set  *environments.Set
	gate *access.Gate
	keys once.Keys
	log  *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, set *environments.Set, gate *access.Gate, keys cache.Cache, log *slog.Logger) {
	r := &routes{set, gate, once.Keys{Cache: keys, Log: log}, log}
	read := func(id, below, summary, description string) contract.Route {
		return contract.Route{
			Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer}, ID: id, Method: http.MethodGet, Path: path + below, Group: "configuration",
			Summary: summary, Description: description, Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
		}
	}
	write := func(id, method, below, summary, description string, refusals ...int) contract.Route {
		return contract.Route{
			Rules: contract.Rules{Class: contract.Form, Role: contract.Operator}, ID: id, Method: method, Path: path + below, Group: "configuration",
			Summary: summary, Description: description,
			Refusals: append(refusals, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable),
		}
	}
	contract.Add(a, read("getSettings", "", "The settings of an environment, and who reads each", "The ETag is for a change of them."), r.settings)
	contract.Add(a, read("getSettingsSchema", "/schema", "The JSON Schema of the settings", "That of `settings` in config/<env>.yaml."), r.schema)
	contract.Add(a, write("previewSettings", http.MethodPost, "/preview", "What other settings would change and roll", checked), r.preview)
	contract.Add(a, write("changeSettings", http.MethodPut, "", "Gives an environment other settings, as a new revision", checked+" "+written, preconditions...), r.change)
	contract.Add(a, read("listSettingsRevisions", "/revisions", "The revisions of the settings, the newest first", "One that is `begun` may or may not have been in effect: its api was killed, or the `zr dev` that was to write it has not said that it is."), r.revisions)
	contract.Add(a, read("getSettingsRevision", "/revisions/{revision}", "A revision of the settings, and what going back to it would change", ""), r.revision)
	contract.Add(a, write("restoreSettings", http.MethodPost, "/revisions/{revision}/restore", "Goes back to a revision of the settings, as a new one", written, preconditions...), r.restore)
	contract.Add(a, read("listSecrets", "/secrets", "The secrets of an environment by name: their age, and who reads them", "Values are never answered: the api may not read them."), r.secrets)
	contract.Add(a, write("setSecret", http.MethodPut, "/secrets/{key}", "Gives a key of the Secret of an environment a value",
		"Rolls who reads it. 409 where a workload with a volume does, which may have been made with the value before: `confirm=true` does it all the same; and where zr has not made the Secret.", http.StatusConflict, http.StatusGatewayTimeout), r.setSecret)
}

const (
	checked = "The text is checked as that below `settings:` of a configuration, with the line and column of each problem; pods that would not start without a setting are named, " +
		"and the API server is asked, by a dry run, whether it takes the ConfigMap and each workload that is rolled."
	written = "`If-Match` takes the ETag of getSettings: 412 where they were changed since, 428 without one. Answered when the pods that read what has changed are replaced and ready; " +
		"504 where they were not within a minute: the revision is written. Where a `zr dev` is attached, it writes the `file` of the project and applies it: 409 where that says something else " +
		"than the cluster, and 502 or 504 with what is known of file and cluster where it failed, went away, or did not answer."
)

var preconditions = []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusBadGateway, http.StatusGatewayTimeout}

// of returns the configuration of an environment.
func (r *routes) of(environment string) (*environments.Environment, *configuration.Configuration, error) {
	e, err := env.Of(r.set, environment)
	if err != nil {
		return nil, nil, err
	}
	return e, e.Configuration, nil
}

type scopeInput struct{ env.Scope }

// Settings are those of an environment.
type Settings struct {
	Text     string    `json:"text" doc:"All of them as YAML, as they stand below settings: of a configuration."`
	Settings []Setting `json:"settings" doc:"Sorted by key."`
	Source   string    `json:"source" doc:"Where they are from: a file of the project, or a revision."`
	Revision int64     `json:"revision,omitempty" doc:"The revision that they are; not there where they are from a file."`
	Behind   []string  `json:"behind" doc:"Workloads whose pods were not rolled to them, as Kind/name: the same settings written again roll them."`
	ETag     string    `json:"etag" doc:"Of this state of them, for If-Match."`
}

// Setting is one of them.
type Setting struct {
	Key   string   `json:"key"`
	Value string   `json:"value"`
	Used  []string `json:"usedBy" doc:"The workloads whose pods read it, as Kind/name."`
}

type settingsOutput struct {
	ETag string `header:"ETag"`
	Body Settings
}

func (r *routes) settings(ctx context.Context, in *scopeInput) (*settingsOutput, error) {
	_, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	now, err := c.Settings(ctx)
	if err != nil {
		return nil, r.failed(ctx, "reading the settings", err)
	}
	out := &settingsOutput{ETag: quoted(now.ETag), Body: Settings{
		Text: config.WriteSettings(now.Values), Settings: []Setting{}, Source: now.Source, Revision: now.Revision, Behind: append([]string{}, now.Behind...),
		ETag: quoted(now.ETag),
	}}
	for _, change := range configuration.Compare(nil, now.Values) {
		out.Body.Settings = append(out.Body.Settings, Setting{change.Key, *change.New, append([]string{}, now.Readers[change.Key]...)})
	}
	return out, nil
}

// Schema is a JSON Schema.
type Schema map[string]any

type schemaOutput struct{ Body Schema }

func (r *routes) schema(context.Context, *struct{}) (*schemaOutput, error) {
	schema, err := config.SettingsSchema()
	return &schemaOutput{schema}, err
}

type previewInput struct {
	env.Scope
	Body struct {
		Text string `json:"text" maxLength:"60000" doc:"YAML, as it stands below settings: of a configuration."`
	}
}

// SettingsPlan is what a change does.
type SettingsPlan struct {
	Changes []configuration.KeyChange `json:"changes" doc:"Sorted by key."`
	Rolls   []string                  `json:"rolls" doc:"Workloads whose pods are replaced, as Kind/name."`
	Later   []string                  `json:"later" doc:"Workloads that read it when their pods are made anew: Jobs and DaemonSets."`
}

// SettingsPreview is what other settings are and do.
type SettingsPreview struct {
	SettingsPlan
	Text     string         `json:"text" doc:"The settings that were read, as YAML, sorted by key."`
	Settings []SettingValue `json:"settings" doc:"The same, sorted by key."`
	ETag     string         `json:"etag" doc:"Of the settings that it was compared with, for If-Match."`
}

// SettingValue is a setting that nobody reads yet.
type SettingValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type previewOutput struct {
	ETag string `header:"ETag"`
	Body SettingsPreview
}

func (r *routes) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	_, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	settings, err := parse(in.Body.Text)
	if err != nil {
		return nil, err
	}
	plan, etag, err := c.Preview(ctx, settings)
	if err != nil {
		return nil, r.failed(ctx, "previewing settings", err)
	}
	out := &previewOutput{quoted(etag), SettingsPreview{SettingsPlan(plan), config.WriteSettings(settings), []SettingValue{}, quoted(etag)}}
	for _, change := range configuration.Compare(nil, settings) {
		out.Body.Settings = append(out.Body.Settings, SettingValue{change.Key, *change.New})
	}
	return out, nil
}

// Edit is what every change of the settings takes.
type Edit struct {
	env.Scope
	Match string `header:"If-Match" maxLength:"64" doc:"The ETag of the settings that it is a change of."`
	Key   string `header:"Idempotency-Key" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"The same request under the same key is done once, and answered alike for a day."`
}

type changeInput struct {
	Edit
	Body struct {
		Text   string `json:"text" maxLength:"60000" doc:"YAML, as it stands below settings: of a configuration: all of them."`
		Reason string `json:"reason" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" doc:"Why, for those who read the revisions."`
	}
}

type restoreInput struct {
	Edit
	Revision int64 `path:"revision" minimum:"1"`
	Body     struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" doc:"Why, for those who read the revisions."`
	}
}

// SettingsWritten is a change that was made.
type SettingsWritten struct {
	Revision int64  `json:"revision"`
	File     string `json:"file,omitempty" doc:"That of the project which the attached zr dev has written it into; not there where none was attached."`
	SettingsPlan
	ETag string `json:"etag" doc:"Of the settings as they are now, for If-Match."`
}

type writtenOutput struct {
	ETag string `header:"ETag"`
	Body SettingsWritten
}

func (r *routes) change(ctx context.Context, in *changeInput) (*writtenOutput, error) {
	settings, err := parse(in.Body.Text)
	if err != nil {
		return nil, err
	}
	return r.write(ctx, "changeSettings", in.Edit, func(context.Context, *configuration.Configuration) (configuration.Change, error) {
		return configuration.Change{Settings: settings, Reason: in.Body.Reason}, nil
	})
}

func (r *routes) restore(ctx context.Context, in *restoreInput) (*writtenOutput, error) {
	return r.write(ctx, "restoreSettings", in.Edit, func(ctx context.Context, c *configuration.Configuration) (configuration.Change, error) {
		to, err := c.Revision(ctx, in.Revision)
		return configuration.Change{Settings: to.Settings, Reason: in.Body.Reason, Restores: to.ID}, err
	})
}

// write makes a change once for its key, and records how it went.
func (r *routes) write(ctx context.Context, action string, in Edit, what func(context.Context, *configuration.Configuration) (configuration.Change, error)) (*writtenOutput, error) {
	e, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	etag, ok := unquoted(in.Match)
	if !ok {
		return nil, contract.Refuse(http.StatusPreconditionRequired, "if_match_required", "If-Match takes the ETag of the settings that this is a change of")
	}
	target := e.Target("settings")
	done, err := once.Do(ctx, r.keys, r.key(ctx, action, target, in.Key), func() (SettingsWritten, error) {
		acting, cancel := context.WithTimeout(ctx, contract.Form.Acting())
		defer cancel()
		acting, key := kube.Act(acting)
		change, err := what(acting, c)
		var made configuration.Written
		if err == nil {
			change.Author, change.ETag = access.From(ctx).Name, etag
			made, err = c.Write(acting, change)
		}
		record := postgres.AuditRecord{Key: key, Action: action, Target: target, Detail: revisionDetail(made)}
		return SettingsWritten{made.Revision, made.File, SettingsPlan(made.Plan), made.ETag}, r.record(ctx, record, err)
	})
	if err != nil {
		return nil, err
	}
	return &writtenOutput{quoted(done.ETag), done}, nil
}

// parse reads a text of settings.
func parse(text string) (map[string]string, error) {
	settings, problems := config.ParseSettings([]byte(text), "settings")
	if len(problems) == 0 {
		return settings, nil
	}
	p := contract.Refuse(http.StatusUnprocessableEntity, "invalid", "these are no settings")
	for _, found := range problems {
		message := found.Text
		if found.Hint != "" {
			message += " (" + found.Hint + ")"
		}
		p.Errors = append(p.Errors, contract.Fault{Location: "body.text", Message: message, Line: found.Line, Column: found.Column})
	}
	return nil, p
}

func quoted(etag string) string { return `"` + etag + `"` }

func unquoted(match string) (string, bool) {
	etag, ok := strings.CutPrefix(strings.TrimSpace(match), `"`)
	etag, closed := strings.CutSuffix(etag, `"`)
	return etag, ok && closed && etag != ""
}
