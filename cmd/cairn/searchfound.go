package main

import (
	"context"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A foundPrinter prints the events that are proven to have the values of a query, or
// those of them that fit the rest of it too.
type foundPrinter struct {
	p      *program
	log    *client.HTTP
	answer *searchAnswer
	judge  *restJudge // nil: there is no rest
	searchFlags

	printed int
}

// manyPayloads is from how many payloads on it is said how to ask for fewer.
const manyPayloads = 5000

// print prints the events. Payloads, if any are needed, are read by pages, each of which
// is verified before anything of it is printed.
func (f *foundPrinter) print(ctx context.Context) error {
	hits := f.answer.hits
	switch {
	case f.judge == nil && f.count:
		return nil
	case f.judge == nil && !f.payload:
		return f.answer.printHits(f.p, "", f.json)
	case f.judge != nil && len(hits) > manyPayloads:
		f.p.Hint("the rest is judged on %d payloads: more values, after: or before: leave fewer", len(hits))
	}
	g := f.p.progress("payloads read:")
	defer g.end()
	for done := 0; done < len(hits); {
		page := hits[done:min(len(hits), done+client.MaxRead)]
		lines, err := f.page(ctx, page)
		if err != nil {
			return err
		}
		if len(lines) > 0 {
			g.end()
		}
		for _, l := range lines {
			if err := f.p.printFound(l, f.json); err != nil {
				return err
			}
		}
		f.printed += len(lines)
		done += len(page)
		g.show(uint64(done), uint64(len(hits)))
	}
	return f.p.endHits(f.printed, f.json)
}

// page reads events, at most [client.MaxRead], and returns what is printed of them.
func (f *foundPrinter) page(ctx context.Context, hits []entryLine) (lines []foundLine, err error) {
	var indices []uint64
	for _, h := range hits {
		indices = append(indices, h.Index)
	}
	for e, err := range f.log.Entries(ctx, proofs.RunsOf(indices)) {
		if err != nil {
			return nil, err
		}
		line, fits := foundLine{entryLine: hits[0]}, true
		hits = hits[1:]
		if f.judge != nil {
			if fits, err = f.judge.take(e); err != nil {
				return nil, err
			}
		}
		if !fits || f.count {
			continue
		}
		if f.payload {
			if line, err = f.withPayload(line, e); err != nil {
				return nil, err
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// withPayload returns a line with what is shown of an event, after that was verified.
func (f *foundPrinter) withPayload(l foundLine, e client.ReadEntry) (foundLine, error) {
	if l.Problem = e.Problem; e.Entry == nil {
		return l, nil
	}
	if _, err := f.answer.checkShown(e.Entry); err != nil {
		return l, err
	}
	var err error
	l.entryLine, err = describeEntry(e.Entry)
	return l, err
}
