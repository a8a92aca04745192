package ledger

import (
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// TestTagsGoWithTheEvent: of an event that is erased no tag is left, neither in
// the vault nor, by the keys that are left, in a copy of it from before; of
// one that is held all are.
func TestTagsGoWithTheEvent(t *testing.T) {
	for name, split := range map[string]bool{"whole": false, "in parts": true} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t)
			a.short("people", 0)
			people := a.stream("people")
			people.Split = split
			a.set(people)
			all := a.record("people", "alice", "bob", "alice")
			if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[2], Last: all[2]}}, Reason: "r"}); err != nil {
				t.Fatal(err)
			}
			before := a.raw(all[0])
			plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
			if err != nil {
				t.Fatal(err)
			}
			if err := a.as("carla").AwaitDone(t.Context(), plan.Announced); err != nil {
				t.Fatal(err)
			}
			kept := 0 // tags of "n", which concern nobody
			if split {
				kept = 1
			}
			for what, raw := range map[string][]byte{"the vault": a.raw(all[0]), "a copy": before} {
				if got := a.tagsIn(all[0], raw); got != kept {
					t.Errorf("in %s %d tags of the erased event open, want %d", what, got, kept)
				}
			}
			for index, want := range map[uint64]int{all[1]: 2, all[2]: 2} {
				e, err := a.as("reader").Entry(t.Context(), index)
				if err != nil {
					t.Fatal(err)
				}
				got := 0
				for _, list := range e.Disclosure.Tags {
					got += len(list.Tags) / len(proofs.AppendTags(nil, make([]proofs.Tag, 1)))
				}
				if got != want {
					t.Errorf("entry %d shows %d tags, want %d", index, got, want)
				}
			}
		})
	}
}

// raw returns the record of an entry as it lies in the vault or the journal.
func (a *archive) raw(index uint64) []byte {
	a.t.Helper()
	e, err := a.l.stored(a.t.Context(), index)
	if err != nil {
		a.t.Fatal(err)
	}
	return e.record
}

// tagsIn returns how many tags of a record open with the keys that there are.
func (a *archive) tagsIn(index uint64, raw []byte) (n int) {
	a.t.Helper()
	leaves, err := a.l.leaves(a.t.Context(), index, index+1)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := proofs.ParseLeaf(leaves[0])
	if err != nil {
		a.t.Fatal(err)
	}
	record, err := proofs.ParseRecord(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	b, _ := a.l.state.bucketNumbered(leaf.Bucket)
	keys, err := a.l.keys.bucket(b.Path)
	if err != nil {
		a.t.Fatal(err)
	}
	for i, list := range record.Tags {
		if list.Sealed == nil {
			continue
		}
		if tags, _, err := proofs.OpenTags(list.Sealed, i, record.ID, &keys.tags, a.l.keys.tagKeys(leaf.Stream)); err == nil {
			n += len(tags)
		}
	}
	return n
}
