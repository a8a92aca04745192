package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// postgresPeer is PostgreSQL, on a server of its own: the fields as jsonb and
// the words as tsvector, each with a GIN index.
func postgresPeer() Peer {
	return Peer{
		Name: "postgres",
		What: "PostgreSQL (the installed server): fields as jsonb with GIN (jsonb_path_ops), words as tsvector with GIN, an index on time; fsync and synchronous_commit on, 256 MB of shared buffers",
		Ready: func() error {
			_, err := postgresPrograms()
			return err
		},
		Open: openPostgres,
	}
}

type postgresIndex struct {
	server *server
	conn   *pgx.Conn
	next   uint64
}

func openPostgres(dir string, _ []searchtest.Declaration) (Index, error) {
	s, err := startServer(dir)
	if err != nil {
		return nil, err
	}
	x := &postgresIndex{server: s}
	if x.conn, err = s.connect(); err == nil {
		err = x.create()
	}
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *postgresIndex) create() error {
	_, err := x.conn.Exec(context.Background(), `
		CREATE TABLE entries (id bigint PRIMARY KEY, time bigint NOT NULL, fields jsonb NOT NULL, words tsvector NOT NULL);
		CREATE INDEX by_time ON entries (time);
		CREATE INDEX by_field ON entries USING gin (fields jsonb_path_ops);
		CREATE INDEX by_word ON entries USING gin (words)`)
	return err
}

func (x *postgresIndex) Add(documents []searchtest.Document) error {
	ids, times := make([]int64, len(documents)), make([]int64, len(documents))
	fields, texts := make([]string, len(documents)), make([]string, len(documents))
	for i, d := range documents {
		object, err := jsonb(d.Fields)
		if err != nil {
			return err
		}
		ids[i], times[i], fields[i], texts[i] = int64(x.next), int64(d.Time), object, d.Text
		x.next++
	}
	_, err := x.conn.Exec(context.Background(), `
		INSERT INTO entries SELECT id, time, fields::jsonb, to_tsvector('simple', message)
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS d (id, time, fields, message)`, ids, times, fields, texts)
	return err
}

// jsonb returns fields as an object.
func jsonb(fields []searchtest.Field) (string, error) {
	object := make(map[string]any, len(fields))
	for _, f := range fields {
		object[f.Name] = sqlValue(f)
	}
	text, err := json.Marshal(object)
	return string(text), err
}

func (x *postgresIndex) Settle() error {
	for _, statement := range []string{"VACUUM ANALYZE entries", "CHECKPOINT"} {
		if _, err := x.conn.Exec(context.Background(), statement); err != nil {
			return err
		}
	}
	return nil
}

func (x *postgresIndex) Query(q Query) ([]uint64, error) {
	condition, args := "fields @> $1::jsonb", []any{}
	switch q.Kind {
	case Words:
		condition, args = "words @@ $1::tsquery", append(args, strings.Join(q.Words, " & "))
	case Prefix:
		condition, args = "words @@ $1::tsquery", append(args, q.Prefix+":*")
	default:
		object, err := jsonb(q.Where)
		if err != nil {
			return nil, err
		}
		args = append(args, object)
	}
	switch q.Kind {
	case Count:
		return x.numbers("SELECT count(*) FROM entries WHERE "+condition, args)
	case Facet:
		return x.numbers(fmt.Sprintf(`SELECT n FROM (SELECT fields->>$2::text AS value, count(*) AS n FROM entries WHERE %s GROUP BY value) AS v
			WHERE value IS NOT NULL ORDER BY n DESC LIMIT %d`, condition, top), append(args, q.Facet))
	case Histogram:
		return x.histogram(condition, append(args, int64(q.Span.Start), int64(q.Span.Width)))
	}
	return x.numbers(fmt.Sprintf("SELECT id FROM entries WHERE %s ORDER BY id DESC LIMIT %d", condition, newest), args)
}

func (x *postgresIndex) histogram(condition string, args []any) ([]uint64, error) {
	rows, err := x.conn.Query(context.Background(), "SELECT (time - $2) / $3 AS bin, count(*) FROM entries WHERE "+condition+" GROUP BY bin", args...)
	if err != nil {
		return nil, err
	}
	counts := make([]uint64, bins)
	var bin, n int64
	_, err = pgx.ForEachRow(rows, []any{&bin, &n}, func() error {
		counts[bin] = uint64(n)
		return nil
	})
	return counts, err
}

// numbers returns the only column of a statement's rows.
func (x *postgresIndex) numbers(statement string, args []any) ([]uint64, error) {
	rows, err := x.conn.Query(context.Background(), statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uint64])
}

func (x *postgresIndex) Size() (int64, error) {
	var size int64
	err := x.conn.QueryRow(context.Background(), "SELECT pg_total_relation_size('entries')").Scan(&size)
	return size, err
}

func (x *postgresIndex) Server() int { return x.server.process.Pid }

func (x *postgresIndex) Close() error {
	var err error
	if x.conn != nil {
		err = x.conn.Close(context.Background())
	}
	return errors.Join(err, x.server.stop())
}
