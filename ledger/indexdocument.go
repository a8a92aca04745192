package ledger

import (
	"context"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
)

// The bounds of what is read for the index at once: entries, and about the
// bytes that their documents take, after which no other one is begun. And how
// many entries are added before the indexer looks what else there is to do.
const (
	indexStep  = 512
	indexBytes = 16 << 20
	indexTurn  = 8 * indexStep
)

// add adds the entries from next on and below end.
func (in *indexer) add(ctx context.Context, x *search.Index, next, end uint64) error {
	entries := make([]uint64, 0, end-next)
	for index := next; index < end; index++ {
		entries = append(entries, index)
	}
	for p := range in.readAhead(ctx, entries) {
		if p.err != nil {
			return p.err
		}
		next += uint64(p.entries)
		if err := x.Add(ctx, next, p.docs); err != nil {
			return err
		}
		in.l.progress.update(func(*progress) {}) // searches wait for it
	}
	return ctx.Err()
}

// documents yields those of a part of the index.
func (in *indexer) documents(ctx context.Context, id search.FileID) iter.Seq2[search.Document, error] {
	return func(yield func(search.Document, error) bool) {
		var entries []uint64
		segment := []proofs.Run{{First: id.First, Last: id.End - 1}}
		err := in.l.eachLeaf(ctx, segment, func(index uint64, leaf proofs.Leaf) {
			if leaf.Bucket == id.Bucket {
				entries = append(entries, index)
			}
		})
		if err != nil {
			yield(search.Document{}, err)
			return
		}
		for p := range in.readAhead(ctx, entries) {
			for _, d := range p.docs {
				if !yield(d, nil) {
					return
				}
			}
			if p.err != nil {
				yield(search.Document{}, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(search.Document{}, err)
		}
	}
}

// A piece is the documents of some entries.
type piece struct {
	docs    []search.Document
	entries int // that were read for it
	err     error
}

// readAhead opens entries, and reads on while somebody uses what was read. It
// ends after the first error, or with the context.
func (in *indexer) readAhead(ctx context.Context, entries []uint64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		pieces := make(chan piece)
		var reader sync.WaitGroup
		defer reader.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		reader.Go(func() {
			defer close(pieces)
			for len(entries) > 0 {
				p := in.read(ctx, entries)
				select {
				case pieces <- p:
				case <-ctx.Done():
					return
				}
				if p.err != nil {
					return
				}
				entries = entries[p.entries:]
			}
		})
		for p := range pieces {
			if !yield(p) {
				return
			}
		}
	}
}

// read opens the first of some entries, on all processors.
func (in *indexer) read(ctx context.Context, entries []uint64) (p piece) {
	type reading struct {
		doc search.Document
		ok  bool
		err error
	}
	all := make([]reading, min(len(entries), indexStep))
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
				r.doc, r.ok, r.err = in.document(ctx, entries[i])
				bytes.Add(int64(cost(&r.doc)))
			}
		})
	}
	wg.Wait()
	p.entries = min(int(taken.Load()), len(all))
	p.docs = make([]search.Document, 0, p.entries)
	for _, r := range all[:p.entries] {
		if r.err != nil {
			return piece{err: r.err}
		}
		if r.ok {
			p.docs = append(p.docs, r.doc)
		}
	}
	p.err = ctx.Err()
	return p
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
