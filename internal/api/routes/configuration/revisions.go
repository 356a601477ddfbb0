package configuration

import (
	"context"
	"time"

	"zr/internal/api/configuration"
	"zr/internal/api/contract"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/postgres"
	"zr/pkg/config"
)

// SettingsRevision is what the settings were.
type SettingsRevision struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Author   string    `json:"author" doc:"zr for settings of a file, which were found."`
	Reason   string    `json:"reason" doc:"Of settings of a file, that file."`
	Restores int64     `json:"restores,omitempty" doc:"The revision that this one went back to."`
	Outcome  string    `json:"outcome" enum:"written,begun"`
	File     string    `json:"file,omitempty" doc:"That of the project which an attached zr dev was to write it into; not there where none was attached."`
}

func asRevision(r postgres.Revision) SettingsRevision {
	return SettingsRevision{r.ID, r.At, r.Author, r.Reason, r.Restores, r.Outcome, r.File}
}

type revisionsInput struct {
	env.Scope
	contract.Page
}

// SettingsRevisions are a page of them.
type SettingsRevisions struct {
	Revisions []SettingsRevision `json:"revisions"`
	Next      string             `json:"next,omitempty" doc:"The cursor of the page after this one."`
}

type revisionsOutput struct{ Body SettingsRevisions }

func (r *routes) revisions(ctx context.Context, in *revisionsInput) (*revisionsOutput, error) {
	_, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	before, err := in.Before()
	if err != nil {
		return nil, err
	}
	all, err := c.Revisions(ctx, before, in.Limit)
	if err != nil {
		return nil, r.failed(ctx, "reading the revisions", err)
	}
	out := SettingsRevisions{Revisions: []SettingsRevision{}}
	for _, one := range all {
		out.Revisions = append(out.Revisions, asRevision(one))
	}
	if len(all) > 0 {
		out.Next = in.Next(len(all), all[len(all)-1].ID)
	}
	return &revisionsOutput{out}, nil
}

type revisionInput struct {
	env.Scope
	Revision int64 `path:"revision" minimum:"1"`
	Against  int64 `query:"against" minimum:"1" doc:"Another revision, from which the changes are told."`
}

// WholeRevision is one with its settings.
type WholeRevision struct {
	SettingsRevision
	Text    string                    `json:"text" doc:"All settings as YAML."`
	Changes []configuration.KeyChange `json:"changes" doc:"What going back to it would change now, or what differs from the revision that it is told against; sorted by key."`
}

type revisionOutput struct{ Body WholeRevision }

func (r *routes) revision(ctx context.Context, in *revisionInput) (*revisionOutput, error) {
	_, c, err := r.of(in.Environment)
	if err != nil {
		return nil, err
	}
	one, err := c.Revision(ctx, in.Revision)
	if err != nil {
		return nil, r.failed(ctx, "reading a revision", err)
	}
	before, err := settingsBefore(ctx, c, in.Against)
	if err != nil {
		return nil, r.failed(ctx, "reading what a revision is compared with", err)
	}
	return &revisionOutput{WholeRevision{asRevision(one), config.WriteSettings(one.Settings), configuration.Compare(before, one.Settings)}}, nil
}

// settingsBefore are those of a revision, or where that is 0 those of the cluster.
func settingsBefore(ctx context.Context, c *configuration.Configuration, revision int64) (map[string]string, error) {
	if revision > 0 {
		other, err := c.Revision(ctx, revision)
		return other.Settings, err
	}
	now, err := c.Settings(ctx)
	return now.Values, err
}
