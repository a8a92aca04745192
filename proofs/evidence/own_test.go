package evidence_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// act appends an entry of the ledger's own that names somebody in a part of its
// own, and returns its index.
func (s *story) act(leaf proofs.Leaf) uint64 {
	act := proofs.Part{MediaType: proofs.ActMediaType, Data: must(proofs.FormatAct(proofs.Act{What: proofs.ActSearch, Who: "carla", Outcome: "done"}))}
	leaf.Bucket = 2
	return s.sealed(leaf, []proofs.Part{act, {MediaType: "text/plain", Data: []byte("alice")}}, nil, nil)
}

// erased returns an entry of which parts are gone.
func (s *story) lacking(index uint64, because []uint64, parts ...int) evidence.Entry {
	e := s.entry(index)
	d := *e.Disclosure
	d.Parts = slices.Clone(d.Parts)
	for _, i := range parts {
		d.Parts[i] = proofs.DisclosedPart{SealedHash: d.Parts[i].SealedHash, Binding: d.Parts[i].Binding}
	}
	e.Disclosure, e.Missing, e.Because = &d, evidence.Gone, because
	return e
}

// What the ledger's own entries say of a person is closed with what events
// say, and the erasure does not name them.
func TestWhatTheLedgersOwnEntriesSaidOfSomebody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tell  func(s *story) (index uint64, because []uint64)
		parts []int // that are gone
		wrong string
		say   string
	}{
		{"an act that named whom a later erasure is of", func(s *story) (uint64, []uint64) {
			act := s.act(proofs.Leaf{Kind: proofs.Access})
			return act, []uint64{s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()})}
		}, []int{1}, "", "concerns one person, whom this one may have named;"},
		{"the erasure itself", func(s *story) (uint64, []uint64) {
			body := proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()}}
			act := s.name(s.act(proofs.Leaf{Kind: proofs.Erasure, Control: must(proofs.FormatErasure(body))}))
			s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()})
			return act, []uint64{act}
		}, []int{1}, "", "concerns one person;"},
		{"an erasure that came before", func(s *story) (uint64, []uint64) {
			erasure := s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()})
			return s.act(proofs.Leaf{Kind: proofs.Access}), []uint64{erasure}
		}, []int{1}, "says nothing about it", ""},
		{"an erasure that was begun", func(s *story) (uint64, []uint64) {
			act := s.act(proofs.Leaf{Kind: proofs.Access})
			return act, []uint64{s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Closes: s.run()})}
		}, []int{1}, "says nothing about it", ""},
		{"all of an act", func(s *story) (uint64, []uint64) {
			act := s.act(proofs.Leaf{Kind: proofs.Access})
			return act, []uint64{s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()})}
		}, []int{0, 1}, "says nothing about it", ""},
		{"an event that the erasure does not name", func(s *story) (uint64, []uint64) {
			event := s.act(proofs.Leaf{Kind: proofs.Event, Stream: 1})
			return event, []uint64{s.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()})}
		}, []int{1}, "does not name it", ""},
		{"no erasure", func(s *story) (uint64, []uint64) {
			return s.act(proofs.Leaf{Kind: proofs.Access}), nil
		}, []int{1}, "no published entry says why", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory()
			index, because := tt.tell(s)
			s.publish()
			e := s.lacking(index, because, tt.parts...)
			report, entries, err := judge(s.ledger, s.bytes(s.file(s.context(), e)))
			if err != nil {
				t.Fatal(err)
			}
			leaf := must(proofs.ParseLeaf(e.Leaf))
			if tt.wrong != "" {
				if report.OK() || !strings.Contains(report.Findings[0].Detail, tt.wrong) {
					t.Errorf("found %v, want %q", report.Findings, tt.wrong)
				}
				return
			}
			if found := collect(t, s.ledger).Because(index, leaf); !slices.Equal(found, because) {
				t.Errorf("the collector finds %d, want %d", found, because)
			}
			if !report.OK() || report.Gone != 1 || report.Partly != 1 || !strings.Contains(entries[0].Closings[0].String(), tt.say) {
				t.Errorf("got %+v, %v, want %q", report, entries[0].Closings, tt.say)
			}
			if perhaps := entries[0].Closings[0].Possible; perhaps != (report.Possibly == 1) || perhaps != strings.Contains(strings.Join(report.NotProven(), "\n"), "whom it named") {
				t.Errorf("it is %v that it may be another, and it says\n%q", perhaps, report.NotProven())
			}
		})
	}
}
