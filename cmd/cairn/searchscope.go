package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A searchScope gathers what answers say that they are about.
type searchScope struct {
	known uint64 // the size of the ledger before; 0: not known
	all   client.SearchScope
	asked bool
}

// add adds what the answer to one page says. The first page is the one that says
// how far the index had come.
func (s *searchScope) add(page client.SearchScope) {
	if !s.asked {
		s.asked, s.all.Size, s.all.Streams = true, page.Size, page.Streams
	}
	s.all.Gaps = append(s.all.Gaps, page.Gaps...)
	s.all.Held = proofs.JoinRuns(append(s.all.Held, page.Held...))
	s.all.Disabled = append(s.all.Disabled, page.Disabled...)
	slices.Sort(s.all.Disabled)
	s.all.Disabled = slices.Compact(s.all.Disabled)
	s.all.Opened += page.Opened
}

// leftOut says in words what was not searched, of the entries that were asked for.
func (s *searchScope) leftOut(end uint64) (said []string) {
	if end = min(cmp.Or(end, s.known), s.known); s.all.Size < end {
		said = append(said, fmt.Sprintf("the index has come to entry %d of %d: what was recorded later was not searched", s.all.Size, s.known))
	}
	byStream := make(map[string][]proofs.Run)
	var streams []string
	for _, g := range s.all.Gaps {
		if byStream[g.Stream] == nil {
			streams = append(streams, g.Stream)
		}
		byStream[g.Stream] = append(byStream[g.Stream], g.Run)
	}
	for _, name := range streams {
		runs := proofs.JoinRuns(byStream[name])
		were := "were"
		if proofs.CountEntries(runs) == 1 {
			were = "was"
		}
		said = append(said, fmt.Sprintf("the index is being built: of the stream %s %s %s not searched", name, runsInWords(runs), were))
	}
	if len(s.all.Held) > 0 {
		said = append(said, fmt.Sprintf("what a hold keeps beyond its class cannot be searched: %s", runsInWords(s.all.Held)))
	}
	if len(s.all.Disabled) > 0 {
		said = append(said, "what is to be erased was not searched: see "+entriesIn(s.all.Disabled))
	}
	return said
}

// published returns how many entries a ledger says that it has published; 0: it
// does not say so at its address. It only tells how far the index has come.
func published(ctx context.Context, log *client.HTTP) uint64 {
	b, err := log.ReadFile(ctx, "log")
	var info client.Info
	if err != nil || json.Unmarshal(b, &info) != nil {
		return 0
	}
	return info.Sizes.Published
}

// sayScope tells what answers leave out, and what would prove that they are all.
func (p *program) sayScope(s searchScope, asked eventQuery) {
	for _, said := range s.leftOut(asked.End) {
		p.Say("%s", said)
	}
	if s.all.Opened > 0 {
		p.Say("%s opened, since the index has no phrases, and no members that are not declared", numberOf(s.all.Opened, "payload was", "payloads were"))
	}
	if asked.provable {
		p.Hint("nothing proves that these are all; %s asks for %s", asked.completeFlags(s.all.Streams), asked.proof())
	}
}

// completeFlags returns the flags that ask for a proof of what was searched, which is
// of one stream.
func (q eventQuery) completeFlags(searched []string) string {
	if !q.pinned && !slices.Equal(searched, []string{defaultStream}) {
		return "--complete --stream NAME"
	}
	return "--complete"
}

// proof says in words what can be proven.
func (q eventQuery) proof() string {
	if q.mixed {
		return "a proof of the values, and judges the rest here"
	}
	return "the proof"
}

// endFind says what there is beside what was printed.
func (p *program) endFind(f *finder, asked eventQuery) {
	if f.count == 0 {
		p.Say("no event was found")
	}
	if _, ok := f.printer.(*csvPrinter); ok && f.missing > 0 {
		p.Say("%s not shown: %s", numberOf(f.missing, "event is", "events are"), f.why)
	}
	if f.reader != nil && len(f.reader.hidden) > 0 {
		slices.Sort(f.reader.hidden)
		p.Say("what streams declare is not shown: %s", entriesIn(f.reader.hidden))
	}
	if t, ok := f.printer.(interface{ leftOut() []string }); ok && len(t.leftOut()) > 0 {
		p.Hint("there is no column for %s; choose with --columns", strings.Join(t.leftOut(), ", "))
	}
	if f.more {
		p.Hint("there is more: go on with --cursor %d, or have all with --limit 0", f.next)
	}
	p.sayScope(f.scope, asked)
	if !asked.provable {
		p.Say("found by the index: not provably complete")
	}
}
