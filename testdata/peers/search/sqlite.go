package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlitePeer is SQLite, compiled to Go: a table with a b-tree for each field,
// and FTS5 for the words.
func sqlitePeer() Peer {
	return Peer{
		Name: "sqlite",
		What: "SQLite 3.54 (modernc.org/sqlite v1.62.0): a table with an index on each field, FTS5 without its own copy of the text and with prefix indexes; WAL, synchronous=FULL, 256 MB of cache",
		Open: openSQLite,
	}
}

type sqliteIndex struct {
	db         *sql.DB
	path       string
	columns    []string
	statements map[string]*sql.Stmt
	next       uint64
}

func openSQLite(dir string, declared []searchtest.Declaration) (Index, error) {
	x := &sqliteIndex{path: filepath.Join(dir, "index.db"), statements: map[string]*sql.Stmt{}}
	db, err := sql.Open("sqlite", "file:"+x.path)
	if err != nil {
		return nil, err
	}
	x.db = db
	db.SetMaxOpenConns(1)
	schema := []string{
		"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-262144", "PRAGMA temp_store=MEMORY",
	}
	var columns strings.Builder
	for _, d := range declared {
		affinity := map[searchtest.Kind]string{searchtest.String: "TEXT", searchtest.Number: "NUMERIC"}[d.Kind]
		fmt.Fprintf(&columns, ", %s %s", d.Name, affinity)
		x.columns = append(x.columns, d.Name)
	}
	schema = append(schema, "CREATE TABLE entries (id INTEGER PRIMARY KEY, time INTEGER NOT NULL"+columns.String()+")",
		"CREATE INDEX by_time ON entries (time)",
		"CREATE VIRTUAL TABLE words USING fts5(message, content='', columnsize=0, prefix='3 4')")
	for _, c := range x.columns {
		schema = append(schema, fmt.Sprintf("CREATE INDEX by_%s ON entries (%s)", c, c))
	}
	if err := x.all(schema); err != nil {
		db.Close()
		return nil, err
	}
	return x, nil
}

// all executes statements one after the other.
func (x *sqliteIndex) all(statements []string) error {
	for _, s := range statements {
		if _, err := x.db.Exec(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (x *sqliteIndex) Add(documents []searchtest.Document) error {
	tx, err := x.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	places := "?, ?" + strings.Repeat(", ?", len(x.columns))
	row, err := tx.Prepare("INSERT INTO entries (id, time, " + strings.Join(x.columns, ", ") + ") VALUES (" + places + ")")
	if err != nil {
		return err
	}
	text, err := tx.Prepare("INSERT INTO words (rowid, message) VALUES (?, ?)")
	if err != nil {
		return err
	}
	for _, d := range documents {
		values := make([]any, 2+len(x.columns))
		values[0], values[1] = int64(x.next), int64(d.Time)
		at := 0
		for _, f := range d.Fields { // they are in the order of the columns
			for x.columns[at] != f.Name {
				at++
			}
			values[2+at] = sqlValue(f)
		}
		if _, err := row.Exec(values...); err != nil {
			return err
		}
		if _, err := text.Exec(int64(x.next), d.Text); err != nil {
			return err
		}
		x.next++
	}
	return tx.Commit()
}

// sqlValue is a field's value as a parameter.
func sqlValue(f searchtest.Field) any {
	if f.Kind == searchtest.Number {
		return f.Number
	}
	return f.Value
}

func (x *sqliteIndex) Settle() error {
	return x.all([]string{"INSERT INTO words(words) VALUES('optimize')", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"})
}

func (x *sqliteIndex) Query(q Query) ([]uint64, error) {
	var where []string
	var args []any
	for _, f := range q.Where {
		where = append(where, f.Name+" = ?")
		args = append(args, sqlValue(f))
	}
	condition := strings.Join(where, " AND ")
	switch q.Kind {
	case Newest:
		return x.numbers(fmt.Sprintf("SELECT id FROM entries WHERE %s ORDER BY id DESC LIMIT %d", condition, newest), args)
	case Words:
		return x.match(`"` + strings.Join(q.Words, `" AND "`) + `"`)
	case Prefix:
		return x.match(`"` + q.Prefix + `"*`)
	case Count:
		return x.numbers("SELECT count(*) FROM entries WHERE "+condition, args)
	case Facet:
		return x.numbers(fmt.Sprintf("SELECT count(*) AS n FROM entries WHERE %s AND %s IS NOT NULL GROUP BY %[2]s ORDER BY n DESC LIMIT %d",
			condition, q.Facet, top), args)
	}
	return x.histogram(condition, args, q.Span)
}

func (x *sqliteIndex) match(expression string) ([]uint64, error) {
	return x.numbers(fmt.Sprintf("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT %d", newest), []any{expression})
}

func (x *sqliteIndex) histogram(condition string, args []any, s Span) ([]uint64, error) {
	rows, err := x.rows("SELECT (time - ?) / ? AS bin, count(*) FROM entries WHERE "+condition+" GROUP BY bin",
		append([]any{int64(s.Start), int64(s.Width)}, args...))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := make([]uint64, bins)
	for rows.Next() {
		var bin, n uint64
		if err := rows.Scan(&bin, &n); err != nil {
			return nil, err
		}
		counts[bin] = n
	}
	return counts, rows.Err()
}

// numbers returns the only column of a statement's rows.
func (x *sqliteIndex) numbers(statement string, args []any) ([]uint64, error) {
	rows, err := x.rows(statement, args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []uint64
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// rows runs a statement, which it prepares once.
func (x *sqliteIndex) rows(statement string, args []any) (*sql.Rows, error) {
	s := x.statements[statement]
	if s == nil {
		var err error
		if s, err = x.db.Prepare(statement); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
		x.statements[statement] = s
	}
	return s.Query(args...)
}

func (x *sqliteIndex) Size() (int64, error) {
	info, err := os.Stat(x.path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (x *sqliteIndex) Close() error { return x.db.Close() }
