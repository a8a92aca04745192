package search_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

// A keyring has the index keys of the generations that were not destroyed. It
// is also where random bytes come from, the same in every run.
type keyring struct {
	destroyed uint64 // all below it

	mu     sync.Mutex
	random *rand.ChaCha8
}

func (k *keyring) Read(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.random == nil {
		k.random = rand.NewChaCha8([32]byte{1})
	}
	return k.random.Read(b)
}

func (k *keyring) key(generation uint64) (key proofs.Key256, err error) {
	if generation < k.destroyed {
		return key, fmt.Errorf("generation %d: %w", generation, storage.ErrNotFound)
	}
	binary.BigEndian.PutUint64(key[:], generation+1)
	return key, nil
}

func config(fsys disk.FS, k *keyring) search.Config {
	return search.SmallSegments(search.Config{FS: fsys, Key: k.key, Generation: k.destroyed, Rand: k, CacheBytes: 256 << 10})
}

// An entry is what a ledger has of one: what Match judges, and its bucket.
type entry struct {
	query.Document
	bucket uint32
	gone   bool // erased: nothing of it may be found
}

// A model is a ledger of events, and what a search of it has to say. Entries
// without a bucket are no events.
type model struct {
	entries []entry
	rng     *rand.Rand
	whole   bool // every entry is an event of bucket 1
}

const (
	fieldActor = 1 + iota
	fieldAction
	fieldDuration
	fieldAddress
	fieldID
	fieldAt
)

func fieldNames() []string {
	return []string{"source", "actor", "action", "duration", "address", "id", "at"}
}

// streamOf is the stream of a bucket: two buckets of one, one of another, where
// the fields have other numbers.
func streamOf(bucket uint32) string {
	if bucket == 3 {
		return "other"
	}
	return "main"
}

func fieldNumber(bucket uint32, name string) (uint16, bool) {
	i := slices.Index(fieldNames(), name)
	if bucket == 3 && i > 0 {
		if i == fieldAt {
			return 0, false
		}
		return uint16(i) + 10, true
	}
	return uint16(i), i >= 0
}

// grow adds entries.
func (m *model) grow(n int) {
	for range n {
		d := query.Document{Index: uint64(len(m.entries)), Time: 1000}
		if len(m.entries) > 0 {
			d.Time = m.entries[len(m.entries)-1].Time + uint64(m.rng.IntN(3))
		}
		e := entry{Document: d, bucket: uint32(m.rng.IntN(4))}
		if m.whole {
			e.bucket = 1
		}
		if e.bucket > 0 {
			m.fill(&e)
		}
		m.entries = append(m.entries, e)
	}
}

func (m *model) pick(list ...string) string {
	return list[min(m.rng.IntN(len(list)), m.rng.IntN(len(list)))]
}

func (m *model) fill(e *entry) {
	e.Stream = streamOf(e.bucket)
	if m.rng.IntN(3) > 0 {
		e.Source = m.pick("web", "db", "10")
	}
	long := strings.Repeat("x", search.MaxValue-2)
	e.Fields = map[string][]string{
		"actor":    {m.pick("alice", "bob", "alina", "carol", "al", long+"aa", long+"aab", long+"aac")},
		"action":   {m.pick("read", "write", "delete")},
		"duration": {fmt.Sprint(m.rng.IntN(300) - 20)},
		"address":  {m.pick("10.0.0.1", "10.1.2.3", "192.168.0.1", "2001:db8::1", "10.0.0.0/8")},
		"id":       {fmt.Sprintf("%08x", m.rng.Uint32())},
		"at":       {fmt.Sprintf("2026-01-%02dT%02d:00:00Z", 1+m.rng.IntN(28), m.rng.IntN(24))},
	}
	if m.rng.IntN(4) == 0 {
		e.Fields["action"] = append(e.Fields["action"], "list")
		e.Fields["duration"] = []string{"1.5", "1.50", "many"}
	}
	if m.rng.IntN(5) == 0 {
		delete(e.Fields, "address")
	}
	if _, ok := fieldNumber(e.bucket, "at"); !ok {
		delete(e.Fields, "at")
	}
	var text []string
	for range 1 + m.rng.IntN(6) {
		text = append(text, m.pick("the", "Error", "disk", "full", "errors", "of", "Österreich", "error-code", "7"))
	}
	payload, err := json.Marshal(map[string]any{"text": strings.Join(text, " "), "level": m.rng.IntN(5), "id": e.Fields["id"][0]})
	if err != nil {
		panic(err)
	}
	e.Payload = payload
}

// document returns what the index gets of an entry.
func (e *entry) document() search.Document {
	d := search.Document{Index: e.Index, Time: e.Time, Bucket: e.bucket}
	if e.gone {
		return d
	}
	if e.Source != "" {
		d.Fields = append(d.Fields, search.Value{Number: search.SourceField, Value: []byte(e.Source)})
	}
	for name, values := range e.Fields {
		number, _ := fieldNumber(e.bucket, name)
		for _, v := range values {
			d.Fields = append(d.Fields, search.Value{Number: number, Value: []byte(v)})
		}
	}
	for _, w := range query.Words(e.Payload) {
		d.Words = append(d.Words, string(w))
	}
	return d
}

// erase makes an entry one of which nothing is left but that it is there.
func (m *model) erase(index int) {
	e := &m.entries[index]
	e.gone, e.Fields, e.Payload, e.Source = true, nil, nil, ""
}

// documents returns the documents of entries.
func (m *model) documents(first, end uint64) (docs []search.Document) {
	for i := first; i < end; i++ {
		if e := &m.entries[i]; e.bucket > 0 {
			docs = append(docs, e.document())
		}
	}
	return docs
}

// feed adds what an index does not have yet, in batches of random sizes.
func (m *model) feed(x *search.Index) error {
	for x.Next() < uint64(len(m.entries)) {
		next := min(x.Next()+uint64(1+m.rng.IntN(90)), uint64(len(m.entries)))
		if err := x.Add(context.Background(), next, m.documents(x.Next(), next)); err != nil {
			return err
		}
	}
	return nil
}

// rebuild builds all that is missing.
func (m *model) rebuild(x *search.Index) error {
	for _, id := range x.Missing() {
		if err := x.Build(context.Background(), id, m.part(id)); err != nil {
			return err
		}
	}
	return nil
}

func (m *model) part(id search.FileID) iter.Seq2[search.Document, error] {
	return func(yield func(search.Document, error) bool) {
		for i := id.First; i < min(id.End, uint64(len(m.entries))); i++ {
			if e := &m.entries[i]; e.bucket == id.Bucket && !yield(e.document(), nil) {
				return
			}
		}
	}
}

// request asks for an expression, of some buckets.
func (m *model) request(e query.Expr, buckets ...uint32) search.Request {
	return search.Request{
		Expr:    e,
		Buckets: buckets,
		Stream:  streamOf,
		Fields: func(bucket uint32, f query.Field) ([]uint16, bool) {
			if f.Path != "" {
				return nil, false
			}
			number, ok := fieldNumber(bucket, f.Name)
			if !ok {
				return nil, true
			}
			return []uint16{number}, true
		},
		Check: func(_ context.Context, index uint64) (bool, error) {
			return query.Match(e, &m.entries[index].Document), nil
		},
	}
}

// matching returns what an index has to find: what fits, is asked for, and is in
// no gap.
func (m *model) matching(r search.Request, scope search.Scope) (indices []uint64) {
	end := scope.Size
	if r.End > 0 {
		end = min(end, r.End)
	}
	for i := r.First; i < end; i++ {
		e := &m.entries[i]
		gap := slices.ContainsFunc(scope.Gaps, func(g search.Gap) bool { return g.Bucket == e.bucket && g.First <= i && i <= g.Last })
		if slices.Contains(r.Buckets, e.bucket) && !gap && !proofs.InRuns(r.Except, i) && query.Match(r.Expr, &e.Document) {
			indices = append(indices, i)
		}
	}
	return indices
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, cfg search.Config) *search.Index {
	t.Helper()
	x, err := search.Open(context.Background(), cfg)
	must(t, err)
	t.Cleanup(func() { must(t, x.Close()) })
	return x
}
