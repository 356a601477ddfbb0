package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Revision is what the settings of an environment were.
type Revision struct {
	ID       int64
	At       time.Time
	Author   string
	Reason   string
	Restores int64 // the revision that this one goes back to, or 0
	Settings map[string]string
	Outcome  string
	// File is that of the project which an attached zr dev was to write it into; empty
	// where it was written into the cluster, or was found there.
	File string
}

// The outcomes of a Revision.
const (
	Begun      = "begun"   // whether the cluster has had it is not known
	Written    = "written" // the cluster has had it
	NotWritten = "refused" // the cluster did not take it
)

// ErrNoRevision says that there is no such revision.
var ErrNoRevision = errors.New("there is no such revision")

const revisionColumns = "id, at, author, reason, restores, settings, outcome, file"

// AddRevision stores a revision of an environment and returns it with its ID and time.
func (s *Store) AddRevision(ctx context.Context, environment string, r Revision) (Revision, error) {
	return s.revision(ctx, "adding a revision", "INSERT INTO config_revisions (environment, author, reason, restores, settings, outcome, file) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING "+revisionColumns,
		environment, r.Author, r.Reason, r.Restores, r.Settings, r.Outcome, r.File)
}

// ConcludeRevision notes what came of a revision.
func (s *Store) ConcludeRevision(ctx context.Context, environment string, id int64, outcome string) error {
	_, err := s.revision(ctx, "noting what came of a revision", "UPDATE config_revisions SET outcome = $3 WHERE environment = $1 AND id = $2 RETURNING "+revisionColumns, environment, id, outcome)
	return err
}

// FindRevision returns one, or ErrNoRevision.
func (s *Store) FindRevision(ctx context.Context, environment string, id int64) (Revision, error) {
	return s.revision(ctx, "finding a revision", "SELECT "+revisionColumns+" FROM config_revisions WHERE environment = $1 AND id = $2", environment, id)
}

// Revisions returns the last limit revisions of an environment that were not refused,
// newest first; where before is not 0, only those whose ids are below it.
func (s *Store) Revisions(ctx context.Context, environment string, before int64, limit int) ([]Revision, error) {
	return s.revisions(ctx, "reading the revisions", "SELECT "+revisionColumns+` FROM config_revisions
WHERE environment = $1 AND ($2 = 0 OR id < $2) AND outcome <> 'refused' ORDER BY id DESC LIMIT $3`, environment, before, limit)
}

func (s *Store) revision(ctx context.Context, doing, sql string, args ...any) (Revision, error) {
	all, err := s.revisions(ctx, doing, sql, args...)
	if err == nil && len(all) == 0 {
		err = ErrNoRevision
	}
	if err != nil {
		return Revision{}, err
	}
	return all[0], nil
}

func (s *Store) revisions(ctx context.Context, doing, sql string, args ...any) ([]Revision, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, classify(err))
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Revision])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, classify(err))
	}
	return all, nil
}
