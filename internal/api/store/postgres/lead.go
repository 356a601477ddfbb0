package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// leadLocks is the first half of the advisory locks of what one replica does:
// "zrld" in ASCII.
const leadLocks = 0x7a726c64 << 32

// Lead says whether this replica is the one that does a piece of work. It becomes
// that where no other is, by a lock of a connection of its own, and stays it as
// long as that connection lives: each call asks the server.
func (s *Store) Lead(ctx context.Context, work string) (bool, error) {
	if err := s.ready(); err != nil {
		return false, fmt.Errorf("asking who does %q: %w", work, err)
	}
	s.leading.Lock()
	defer s.leading.Unlock()
	if conn := s.leads[work]; conn != nil {
		if conn.Ping(ctx) == nil {
			return true, nil
		}
		delete(s.leads, work)
		_ = conn.Close(ctx) // it is broken
	}
	taken, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("asking who does %q: %w", work, classify(err))
	}
	h := fnv.New32a()
	h.Write([]byte(work))
	var got bool
	if err := taken.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", leadLocks|int64(h.Sum32())).Scan(&got); err != nil || !got {
		taken.Release()
		if err != nil {
			return false, fmt.Errorf("asking who does %q: %w", work, classify(err))
		}
		return false, nil
	}
	s.leads[work] = taken.Hijack()
	return true, nil
}

// Leads says whether this replica does a piece of work, as far as it knows.
func (s *Store) Leads(work string) bool {
	s.leading.Lock()
	defer s.leading.Unlock()
	return s.leads[work] != nil
}

// resign ends all that this replica leads: the server frees what their connections
// hold.
func (s *Store) resign(ctx context.Context) {
	s.leading.Lock()
	defer s.leading.Unlock()
	for _, conn := range s.leads {
		_ = conn.Close(ctx)
	}
	s.leads = map[string]*pgx.Conn{}
}
