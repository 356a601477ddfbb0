package logdb

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
)

// mostBlocks is how many blocks a partition has at most: grams has as many bits. Most
// are full when they have their share of the lines; that of the bytes is larger, and is
// for a time in which the lines were long.
const (
	mostBlocks = 32
	byLines    = 28
	byBytes    = 4
)

// leastLines is how small a block is not made, but for the last one.
const leastLines = 8

// packSealed packs the tables that were sealed, and drops them.
func (s *Store) packSealed(ctx context.Context, environment string) error {
	rows, err := s.pool.Query(ctx, `SELECT number, lines, bytes FROM log_partitions WHERE environment = $1 AND sealed_at IS NOT NULL AND blocks = 0 ORDER BY number`, environment)
	if err != nil {
		return err
	}
	sealed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p open, err error) {
		return p, row.Scan(&p.number, &p.lines, &p.bytes)
	})
	if err != nil {
		return err
	}
	for _, p := range sealed {
		begin := time.Now()
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.pack(ctx, tx, p) }); err != nil {
			return err
		}
		s.log.Debug("packed logs", "partition", p.number, "ms", time.Since(begin).Milliseconds())
	}
	return nil
}

// pack replaces a table by blocks. Who reads the table meanwhile is waited for, and
// who comes after finds the blocks.
func (s *Store) pack(ctx context.Context, tx pgx.Tx, p open) error {
	if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT "+columns+" FROM "+table(p.number)+" l ORDER BY l.at, l.id", inBinary)
	if err != nil {
		return err
	}
	defer rows.Close()
	made := partitionPacker{lines: max(p.lines/byLines, leastLines), bytes: max(p.bytes/byBytes, 1), grams: newGrams(p.bytes / mostBlocks)}
	var r stored
	for rows.Next() {
		if err := rows.Scan(r.into()...); err != nil {
			return err
		}
		made.add(&r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	made.end()
	var statements pgx.Batch
	size := len(made.grams) * 4
	for nth, b := range made.blocks {
		size += len(b.body) + len(b.templates)
		statements.Queue(`INSERT INTO log_blocks (partition, nth, first_at, first_id, last_at, last_id, lowest, highest, levels, sources, templates, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			p.number, nth, b.first.At, b.first.ID, b.last.At, b.last.ID, b.lowest, b.highest, b.levels, b.sources, b.templates, b.body)
	}
	statements.Queue("UPDATE log_partitions SET blocks = $2, grams = $3, bytes = $4 WHERE number = $1", p.number, len(made.blocks), made.grams.bytes(), size)
	statements.Queue("DROP TABLE " + table(p.number))
	return tx.SendBatch(ctx, &statements).Close()
}

// partitionPacker makes the blocks of a partition.
type partitionPacker struct {
	lines, bytes int64 // of a full block
	grams        grams
	blocks       []packed
	block        packer
	templates    templates // of block
	head         packed    // of block
}

// packed is a block and what is in it.
type packed struct {
	first, last     logstore.Position
	lowest, highest int64
	levels          int32
	sources         []int32
	templates, body []byte
}

func (p *partitionPacker) add(r *stored) {
	if p.block.lines == 0 {
		p.head = packed{first: r.position(), lowest: r.id, highest: r.id}
	}
	p.head.last = r.position()
	p.head.lowest, p.head.highest = min(p.head.lowest, r.id), max(p.head.highest, r.id)
	p.head.levels |= 1 << r.level
	if !slices.Contains(p.head.sources, r.source) {
		p.head.sources = append(p.head.sources, r.source)
	}
	p.grams.add(r.text, len(p.blocks))
	p.templates.add(r.text, r.level)
	p.block.add(r)
	full := int64(p.block.lines) >= p.lines || int64(len(p.block.texts)) >= p.bytes
	if full && len(p.blocks) < mostBlocks-1 {
		p.end()
	}
}

// end ends a block.
func (p *partitionPacker) end() {
	if p.block.lines == 0 {
		return
	}
	p.head.templates, p.head.body = p.templates.bytes(), p.block.bytes()
	p.blocks = append(p.blocks, p.head)
	p.block, p.templates = packer{}, templates{}
}
