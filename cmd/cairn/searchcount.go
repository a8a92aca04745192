package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// countEvents prints how many events fit, and how they are distributed.
func (p *program) countEvents(ctx context.Context, args []string, o searchFlags) error {
	asked, err := p.eventsAskedFor(args, o)
	if err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	q := client.CountQuery{Query: asked.Query, Stream: asked.Stream, First: asked.First, End: asked.End, Facets: o.facets, Every: o.every}
	if len(o.facets) > 0 {
		q.Top = o.top
	}
	scope := searchScope{known: published(ctx, s.log)}
	counts, err := s.log.Count(ctx, q)
	if err != nil {
		return refusedQuery(err)
	}
	err = p.printTo(o.out, func(out outlet) error {
		if o.json {
			line, err := formatJSON(counts, "")
			if err == nil && out.terminal {
				line = []byte(command.EscapeText(string(line)))
			}
			if err == nil {
				_, err = out.Write(line)
			}
			return err
		}
		c := countPrinter{Counts: counts, every: o.every, alone: len(o.facets) == 0 && o.every == "", bars: out.terminal || o.table, width: out.width}
		_, err := out.Write(c.print())
		return err
	})
	if err != nil {
		return err
	}
	scope.add(counts.SearchScope)
	p.sayScope(scope, asked)
	return nil
}

// A countPrinter prints counts for people.
type countPrinter struct {
	client.Counts
	every string
	alone bool // there is one number
	bars  bool // beside a histogram
	width int  // of a line; 0: there is no bound
}

func (c countPrinter) print() []byte {
	var b bytes.Buffer
	if c.alone {
		fmt.Fprintln(&b, c.Entries)
		return b.Bytes()
	}
	fmt.Fprintln(&b, numberOf(int(c.Entries), "event", "events"))
	for _, f := range c.Facets {
		c.printFacet(&b, f)
	}
	c.printHistogram(&b)
	return b.Bytes()
}

// printFacet prints the values of a field, those that most events have first.
func (c countPrinter) printFacet(b *bytes.Buffer, f client.FacetCounts) {
	fmt.Fprintln(b)
	t := command.NewTable(b)
	t.Row("EVENTS", strings.ToUpper(f.Field))
	for _, v := range f.Top {
		text := v.Value
		if v.Cut {
			text += "…"
		}
		t.Row(fmt.Sprint(v.Entries), text)
	}
	_ = t.Flush() // to memory
	if uint64(len(f.Top)) < f.Values {
		fmt.Fprintf(b, "%d of %d values\n", len(f.Top), f.Values)
	}
}

const maxBar = 50 // characters

// printHistogram prints the events of each step of time, with bars.
func (c countPrinter) printHistogram(b *bytes.Buffer) {
	if len(c.Histogram) == 0 {
		return
	}
	most, digits := uint64(1), len("EVENTS")
	for _, s := range c.Histogram {
		most, digits = max(most, s.Entries), max(digits, len(fmt.Sprint(s.Entries)))
	}
	label := utf8.RuneCountInString(c.stepText(c.Histogram[0].Time))
	room := maxBar
	if c.width > 0 {
		room = max(1, min(room, c.width-label-digits-2*columnGap))
	}
	fmt.Fprintf(b, "\n%-*s  %*s\n", label, strings.ToUpper(c.every), digits, "EVENTS")
	for _, s := range c.Histogram {
		line := fmt.Sprintf("%-*s  %*d", label, c.stepText(s.Time), digits, s.Entries)
		if c.bars && s.Entries > 0 {
			line += "  " + strings.Repeat("#", max(1, int(float64(s.Entries)/float64(most)*float64(room))))
		}
		fmt.Fprintln(b, line)
	}
}

// stepText returns when a step begins, as a query takes it.
func (c countPrinter) stepText(micros uint64) string {
	layout := time.DateOnly
	if c.every == "minute" || c.every == "hour" {
		layout = "2006-01-02T15:04Z"
	}
	return time.UnixMicro(int64(micros)).UTC().Format(layout)
}
