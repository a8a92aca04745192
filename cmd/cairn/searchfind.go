package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A finder searches for events, page by page, and prints them.
type finder struct {
	log    *client.HTTP
	asked  client.SearchQuery
	limit  int        // of events; 0: all
	reader *hitReader // nil: no event is read
	count  int        // of those that were printed

	scope    searchScope
	columns  bool   // are printed, and need what streams declare
	missing  int    // events that are not shown, of which CSV has the index alone
	why      string // of the first of these
	next     uint64 // where there may be more
	more     bool
	receipts bool
	make     func(several bool) (hitPrinter, error)
	printer  hitPrinter // made with the first answer, which says of how many streams it is
	progress *progress  // nil: what is printed shows it
}

// findEvents searches for events and prints them.
func (p *program) findEvents(ctx context.Context, args []string, o searchFlags) error {
	asked, err := p.eventsAskedFor(args, o)
	if err != nil {
		return err
	}
	if _, err := parseColumns(o.columns); err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	f, err := p.finder(ctx, s, asked, o)
	if err != nil {
		return err
	}
	err = p.printTo(o.out, func(out outlet) error {
		f.columns = o.inColumns(out)
		f.make = func(several bool) (hitPrinter, error) { return o.hitPrinter(out, several) }
		if out.Writer != p.Stdout {
			f.progress = p.progress("found")
			defer f.progress.end()
		}
		return f.run(ctx)
	})
	if err == nil {
		p.endFind(f, asked)
	}
	return err
}

// finder returns what searches for events, and verifies what it reads of them.
func (p *program) finder(ctx context.Context, s *source, asked eventQuery, o searchFlags) (*finder, error) {
	f := &finder{log: s.log, asked: asked.SearchQuery, limit: o.limit, receipts: o.receipts}
	if !o.proofs {
		f.scope.known = published(ctx, s.log)
		return f, nil
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return nil, err
	}
	view, err := v.Update(ctx)
	if err != nil {
		return nil, err
	}
	f.scope.known = view.Checkpoint.Size
	f.reader = &hitReader{log: s.log, entries: &entryReader{log: s.log, verifier: v}, known: make(map[uint64]*declaration)}
	return f, nil
}

// run prints what there is, or as much as is wanted.
func (f *finder) run(ctx context.Context) error {
	for {
		got, err := f.page(ctx)
		if err != nil {
			return err
		}
		if f.printer == nil {
			if f.printer, err = f.make(len(got.Streams) > 1); err != nil {
				return err
			}
		}
		if err := f.print(ctx, got); err != nil {
			return err
		}
		f.more, f.next = got.More, got.Next
		if !got.More || f.limit > 0 && f.count >= f.limit {
			break
		}
		if f.asked.Oldest {
			f.asked.First = got.Next
		} else {
			f.asked.End = got.Next
		}
	}
	if f.count == 0 {
		return f.printer.print(nil) // CSV has the names of its columns all the same
	}
	return nil
}

// page asks for the next hits.
func (f *finder) page(ctx context.Context) (got client.Hits, err error) {
	asked := f.asked
	asked.Limit = client.MaxHits
	if f.limit > 0 {
		asked.Limit = min(asked.Limit, f.limit-f.count)
	}
	if got, err = f.log.Search(ctx, asked); err != nil {
		return got, refusedQuery(err)
	}
	if err := checkHits(asked, got); err != nil {
		return got, err
	}
	f.scope.add(got.SearchScope)
	return got, nil
}

// checkHits checks that an answer is in order, within what was asked for, and that
// what it says of the rest leads on.
func checkHits(asked client.SearchQuery, got client.Hits) error {
	bad := func(what string) error {
		return fmt.Errorf("%w: the server's answer to the search: %s", proofs.ErrMalformed, what)
	}
	first, end := asked.First, asked.End
	if end == 0 {
		end = 1 << 63
	}
	if len(got.Hits) > asked.Limit {
		return bad("more events than were asked for")
	}
	for _, index := range got.Hits {
		if index < first || index >= end {
			return bad(fmt.Sprintf("entry %d is out of order, or of what was asked for", index))
		}
		if asked.Oldest {
			first = index + 1
		} else {
			end = index
		}
	}
	switch {
	case !got.More:
	case asked.Oldest && (got.Next < first || got.Next <= asked.First):
		return bad("it does not lead on")
	case !asked.Oldest && (got.Next > end || got.Next == 0 || asked.End > 0 && got.Next >= asked.End):
		return bad("it does not lead on")
	}
	return nil
}

// print reads the events of a page, verifies them, and prints them. They are not
// more than are read at once.
func (f *finder) print(ctx context.Context, got client.Hits) error {
	if len(got.Hits) == 0 {
		return nil
	}
	hits, err := f.read(ctx, got)
	if err != nil {
		return err
	}
	if err := f.printer.print(hits); err != nil {
		return err
	}
	f.count += len(hits)
	if f.progress != nil {
		f.progress.show(uint64(f.count), uint64(f.limit))
	}
	return nil
}

func (f *finder) read(ctx context.Context, got client.Hits) (hits []hit, err error) {
	if f.reader == nil {
		for _, index := range got.Hits {
			hits = append(hits, hit{index: index})
		}
		return hits, nil
	}
	if !f.columns {
		got.Settings = nil // nobody asks what the fields are called
	}
	if hits, err = f.reader.read(ctx, got.Hits, got.Settings); err != nil {
		return nil, err
	}
	if f.columns {
		if err := f.reader.declare(ctx, hits); err != nil {
			return nil, err
		}
	}
	for i := range hits {
		h := &hits[i]
		if why := h.missing(); why != "" {
			f.missing++
			f.why = cmp.Or(f.why, fmt.Sprintf("entry %d: %s", h.index, why))
		}
		if f.receipts && h.entry != nil {
			if h.receipt, err = makeReceipt(ctx, h.view, h.index, h.entry.Leaf); err != nil {
				return nil, err
			}
		}
	}
	return hits, nil
}
