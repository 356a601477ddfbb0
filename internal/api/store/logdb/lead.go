package logdb

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
	"zr/pkg/logs/follow"
)

// askEvery is how often the holder of a lease looks whether it still has its
// connection; answerWithin is how long that may take.
const (
	askEvery     = time.Second
	answerWithin = 2 * time.Second
)

// lease is an advisory lock, which the server frees when the connection ends,
// and the epoch that keeps a late writer out.
type lease struct {
	epoch int64
	conn  *pgx.Conn
	lost  chan struct{}
	stop  context.CancelFunc
	done  sync.WaitGroup
}

func (l *lease) Epoch() int64          { return l.epoch }
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Release frees the lock, and at the latest with its connection.
func (l *lease) Release() {
	l.stop()
	l.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = l.conn.Exec(ctx, "SELECT pg_advisory_unlock_all()")
	_ = l.conn.Close(ctx) // the server frees what the connection held
}

// lockOf is the advisory lock of an environment: the first half is "zrlg".
func lockOf(environment string) int64 {
	h := fnv.New32a()
	h.Write([]byte(environment))
	return 0x7a726c67<<32 | int64(h.Sum32())
}

// Lead implements logstore.Store.
func (s *Store) Lead(ctx context.Context, environment string, epoch int64) (logstore.Lease, error) {
	taken, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the lease of logs: %w", classify(err))
	}
	conn := taken.Hijack() // for as long as the lease lasts
	watching, stop := context.WithCancel(context.Background())
	l := &lease{conn: conn, lost: make(chan struct{}), stop: stop}
	got := false
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockOf(environment)).Scan(&got); err != nil || !got {
		l.Release()
		if err != nil {
			return nil, fmt.Errorf("asking for the lease of logs: %w", classify(err))
		}
		return nil, logstore.ErrHeld
	}
	// The epoch stays where it is the caller's: nobody collected in between.
	err = conn.QueryRow(ctx, `INSERT INTO log_collectors AS c (environment, epoch) VALUES ($1, 1)
		ON CONFLICT (environment) DO UPDATE SET epoch = CASE WHEN c.epoch = $2 THEN c.epoch ELSE c.epoch + 1 END
		RETURNING epoch`, environment, epoch).Scan(&l.epoch)
	if err != nil {
		l.Release()
		return nil, fmt.Errorf("taking the lease of logs: %w", classify(err))
	}
	l.done.Go(func() { l.watch(watching) })
	return l, nil
}

// watch closes lost when the connection does not answer.
func (l *lease) watch(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asking, cancel := context.WithTimeout(ctx, answerWithin)
		err := l.conn.Ping(asking)
		cancel()
		if err != nil {
			close(l.lost)
			return
		}
	}
}

// Cursors implements logstore.Store.
func (s *Store) Cursors(ctx context.Context, environment string) (map[logstore.Container]follow.Cursor, int64, error) {
	fail := func(err error) (map[logstore.Container]follow.Cursor, int64, error) {
		return nil, 0, fmt.Errorf("reading the cursors of logs: %w", classify(err))
	}
	rows, err := s.pool.Query(ctx, "SELECT pod_uid, container, position FROM log_cursors WHERE environment = $1", environment)
	if err != nil {
		return fail(err)
	}
	cursors := map[logstore.Container]follow.Cursor{}
	var c logstore.Container
	var position []byte
	_, err = pgx.ForEachRow(rows, []any{&c.PodUID, &c.Name, &position}, func() error {
		cursor, err := follow.ParseCursor(position)
		cursors[c] = cursor
		return err
	})
	if err != nil {
		return fail(err)
	}
	last, err := s.LastID(ctx, environment)
	return cursors, last, err
}

// LastID implements logstore.Store.
func (s *Store) LastID(ctx context.Context, environment string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT coalesce(max(last_id), 0) FROM log_partitions WHERE environment = $1", environment).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("reading the last id of logs: %w", classify(err))
	}
	return id, nil
}
