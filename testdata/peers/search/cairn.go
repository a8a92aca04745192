package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
)

// cairnPeer is Cairn's own search index, in one bucket.
func cairnPeer() Peer {
	return Peer{
		Name: "cairn",
		What: "Cairn's ledger/search: every file sealed; the last entries, of which less than 4,096, are in memory alone, since the ledger has them",
		Open: openCairn,
	}
}

const cairnBucket = 1

type cairnIndex struct {
	index    *search.Index
	fs       *disk.OS
	dir      string
	declared []searchtest.Declaration
	next     uint64
}

func openCairn(dir string, declared []searchtest.Declaration) (Index, error) {
	fs, err := disk.OpenOS(dir)
	if err != nil {
		return nil, err
	}
	index, err := search.Open(context.Background(), search.Config{
		FS:   fs,
		Key:  func(generation uint64) (proofs.Key256, error) { return proofs.Key256{byte(generation)}, nil },
		Rand: rand.Reader,
	})
	if err != nil {
		return nil, errors.Join(err, fs.Close())
	}
	return &cairnIndex{index: index, fs: fs, dir: dir, declared: declared}, nil
}

// numberOf returns the number of a field in the index, and 0 of one that is not
// declared.
func (x *cairnIndex) numberOf(name string) uint16 {
	return uint16(slices.IndexFunc(x.declared, func(d searchtest.Declaration) bool { return d.Name == name }) + 1)
}

func (x *cairnIndex) Add(documents []searchtest.Document) error {
	batch := make([]search.Document, len(documents))
	for i, d := range documents {
		batch[i] = search.Document{Index: x.next, Time: d.Time, Bucket: cairnBucket, Words: strings.Fields(d.Text)}
		for _, f := range d.Fields {
			batch[i].Fields = append(batch[i].Fields, search.Value{Number: x.numberOf(f.Name), Value: []byte(f.Value)})
		}
		x.next++
	}
	return x.index.Add(context.Background(), x.next, batch)
}

// Settle does nothing: the index is always as it should be.
func (x *cairnIndex) Settle() error { return nil }

func (x *cairnIndex) Query(q Query) ([]uint64, error) {
	ctx := context.Background()
	r := search.Request{Expr: expression(q), Buckets: []uint32{cairnBucket}, Fields: func(_ uint32, f query.Field) ([]uint16, bool) {
		return []uint16{x.numberOf(f.Name)}, true
	}}
	switch q.Kind {
	case Count:
		n, _, err := x.index.Count(ctx, r)
		return []uint64{n}, err
	case Facet:
		return x.facet(ctx, r, q.Facet)
	case Histogram:
		times := make([]uint64, bins+1)
		for i := range times {
			times[i] = q.Span.Start + uint64(i)*q.Span.Width
		}
		counts, _, err := x.index.Histogram(ctx, r, times)
		return counts, err
	}
	answer, err := x.index.Find(ctx, r, search.Page{Limit: newest})
	if err != nil {
		return nil, err
	}
	return answer.Hits, nil
}

func (x *cairnIndex) facet(ctx context.Context, r search.Request, field string) ([]uint64, error) {
	facet, err := x.index.Facet(ctx, r, query.Field{Name: field}, top)
	if err != nil {
		return nil, err
	}
	var counts []uint64
	for _, v := range facet.Top {
		counts = append(counts, v.Entries)
	}
	return counts, nil
}

// expression is a query's conditions in Cairn's terms.
func expression(q Query) query.Expr {
	var all []query.Expr
	for _, f := range q.Where {
		all = append(all, query.Field{Name: f.Name, Op: query.Equal, Value: f.Value})
	}
	for _, w := range q.Words {
		all = append(all, query.Word{Text: w})
	}
	if q.Prefix != "" {
		all = append(all, query.Word{Text: q.Prefix, Prefix: true})
	}
	if len(all) == 1 {
		return all[0]
	}
	return query.And{List: all}
}

func (x *cairnIndex) Size() (int64, error) { return sizeOf(x.dir) }

func (x *cairnIndex) Close() error { return errors.Join(x.index.Close(), x.fs.Close()) }
