package proofs

import (
	"fmt"
	"slices"
)

// A Scrub says what is to be erased of a record at rest.
type Scrub struct {
	Parts []int // numbers of parts, from 0
	Tags  []int // numbers of lists of tags, from 0

	// Commitments are those to all tags of the entry, one list after the
	// other: see [AppendTagCommitments]. They are needed where tags are to be
	// erased and no list is erased yet: later the record has them.
	Commitments []Hash
}

// ScrubRecord returns the record of which some parts and tags are erased, and
// what is left can still be opened and shown. What is erased already may be
// among them. The record that comes in is not changed.
//
// The result is checked against the leaf: what the record loses may not be
// there again, and what could not be checked without it would be lost too. An
// error that matches [ErrNotVerified] says that the record or the commitments
// are not those of the entry.
func ScrubRecord(r Record, leaf Leaf, s Scrub) (Record, error) {
	r.Parts, r.Tags = slices.Clone(r.Parts), slices.Clone(r.Tags)
	for _, i := range s.Parts {
		if i < 0 || i >= len(r.Parts) {
			return Record{}, fmt.Errorf("scrub record: there is no part %d", i)
		}
		r.Parts[i].Sealed = nil
	}
	if len(s.Tags) > 0 && !r.tagsErased() {
		if err := r.addCommitments(s.Commitments); err != nil {
			return Record{}, fmt.Errorf("scrub record: %w", err)
		}
	}
	for _, i := range s.Tags {
		if i < 0 || i >= len(r.Tags) {
			return Record{}, fmt.Errorf("scrub record: there is no list of tags %d", i)
		}
		r.Tags[i].Sealed = nil
	}
	if err := CheckRecord(r, leaf); err != nil {
		return Record{}, fmt.Errorf("scrub record: %w", err)
	}
	return r, nil
}

// addCommitments gives each sealed list the commitments to its tags.
func (r Record) addCommitments(all []Hash) error {
	for i, t := range r.Tags {
		d := decoder{format: "sealed tags", rest: t.Sealed}
		_, count := parseTagsHeader(&d)
		if d.err != nil {
			return fmt.Errorf("tags %d: %w", i, d.err)
		}
		if count > len(all) {
			return fmt.Errorf("%w: there are %d tags in list %d, and commitments to %d of them", ErrNotVerified, count, i, len(all))
		}
		r.Tags[i].Commitments, all = all[:count:count], all[count:]
	}
	if len(all) > 0 {
		return fmt.Errorf("%w: there are %d commitments to no tag", ErrNotVerified, len(all))
	}
	return nil
}
