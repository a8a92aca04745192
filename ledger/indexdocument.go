package ledger

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cairnlog/cairn/ledger/search"
)

// The bounds of what is read for the index at once: entries, and about the
// bytes that their documents take, after which no other one is begun. And how
// many entries are added before the indexer looks what else there is to do.
const (
	indexStep  = 512
	indexBytes = 16 << 20
	indexTurn  = 8 * indexStep
)

// add adds the entries from next on and below end. While some are added, those
// behind them are read.
func (in *indexer) add(ctx context.Context, x *search.Index, next, end uint64) error {
	type piece struct {
		docs []search.Document
		end  uint64
		err  error
	}
	pieces := make(chan piece)
	var reader sync.WaitGroup
	defer reader.Wait()
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	reader.Go(func() {
		defer close(pieces)
		for p := (piece{end: next}); p.end < end && p.err == nil; {
			p.docs, p.end, p.err = in.read(reading, p.end, end)
			select {
			case pieces <- p:
			case <-reading.Done():
				return
			}
		}
	})
	for p := range pieces {
		if p.err != nil {
			return p.err
		}
		if err := x.Add(ctx, p.end, p.docs); err != nil {
			return err
		}
		in.l.progress.update(func(*progress) {}) // searches wait for it
	}
	return ctx.Err()
}

// read opens entries from start on and below end, on all processors. It returns
// their documents, and below which entry those are.
func (in *indexer) read(ctx context.Context, start, end uint64) ([]search.Document, uint64, error) {
	type reading struct {
		doc search.Document
		ok  bool
		err error
	}
	all := make([]reading, min(end-start, indexStep))
	var taken, bytes atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(all)+31)/32) {
		wg.Go(func() {
			for bytes.Load() < indexBytes && ctx.Err() == nil {
				i := int(taken.Add(1)) - 1
				if i >= len(all) {
					return
				}
				r := &all[i]
				r.doc, r.ok, r.err = in.document(ctx, start+uint64(i))
				bytes.Add(int64(cost(&r.doc)))
			}
		})
	}
	wg.Wait()
	all = all[:min(int(taken.Load()), len(all))]
	docs := make([]search.Document, 0, len(all))
	for _, r := range all {
		if r.err != nil {
			return nil, start, r.err
		}
		if r.ok {
			docs = append(docs, r.doc)
		}
	}
	return docs, start + uint64(len(all)), ctx.Err()
}

// cost returns about how many bytes a document takes.
func cost(d *search.Document) (n int) {
	for _, v := range d.Fields {
		n += len(v.Value) + 32
	}
	for _, w := range d.Words {
		n += len(w) + 16
	}
	return n
}

// documents yields those of a part of the index.
func (in *indexer) documents(ctx context.Context, id search.FileID) iter.Seq2[search.Document, error] {
	return func(yield func(search.Document, error) bool) {
		for r, err := range in.l.cfg.Vault.Scan(ctx, id.Bucket, id.First) {
			if err != nil {
				yield(search.Document{}, fmt.Errorf("vault: bucket %d: %w", id.Bucket, err))
				return
			}
			if r.Index >= id.End {
				return
			}
			doc, ok, err := in.document(ctx, r.Index)
			if (ok || err != nil) && !yield(doc, err) || err != nil {
				return
			}
		}
	}
}

// document returns what the index is to know of an entry; ok is false where that
// is nothing.
func (in *indexer) document(ctx context.Context, index uint64) (doc search.Document, ok bool, err error) {
	found, err := in.l.toFind(ctx, index)
	if found == nil || err != nil {
		return doc, false, err
	}
	if doc, err = found.indexed(); err != nil { // it was recorded all the same
		in.l.log.Error("the values of an entry cannot be told, and it is not in the search index", slog.Uint64("entry", index), slog.String("error", err.Error()))
		return doc, false, nil
	}
	return doc, true, nil
}
