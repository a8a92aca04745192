package main

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A recordVector is a record at rest and the leaf it is checked against,
// without any key.
type recordVector struct {
	Name   string        `json:"name"`
	Record hexBytes      `json:"record"`
	Leaf   hexBytes      `json:"leaf"`
	Fields *recordFields `json:"fields,omitempty"`
	verdict
}

type recordFields struct {
	EntryID    hexBytes     `json:"entry_id"`
	Parts      []slotFields `json:"parts"`
	Tags       []slotFields `json:"tags"`
	Commitment hexBytes     `json:"commitment"`
}

type slotFields struct {
	Erased      bool       `json:"erased"`
	SealedHash  hexBytes   `json:"sealed_hash"`
	Binding     hexBytes   `json:"binding,omitempty"`     // of parts
	Commitments []hexBytes `json:"commitments,omitempty"` // of tags
}

func recordVectors() []recordVector {
	e := sampleEntry()
	bare := proofs.Record{ID: entryID}
	untagged := proofs.Record{ID: entryID, Parts: e.record.Parts[:1]}
	vectors := []recordVector{
		acceptRecord("a record of two parts and two lists of tags", e.record, e.leaf),
		acceptRecord("a record of which the second part is erased", erasePart(e.record, 1), e.leaf),
		acceptRecord("a record of which the tags about a subject are erased", eraseTags(e, 1), e.leaf),
		acceptRecord("a record of which all is erased", erasePart(erasePart(eraseTags(e, 0, 1), 0), 1), e.leaf),
		acceptRecord("a record of one part without tags", untagged, leafOf(untagged)),
		acceptRecord("a record of nothing", bare, leafOf(bare)),
	}
	vectors = append(vectors, refusedRecords(e)...)
	return append(vectors, malformedRecords(e)...)
}

func leafOf(r proofs.Record) proofs.Leaf {
	l := sampleLeaf()
	l.C, l.T = r.Commitment(), proofs.EmptyRoot()
	return l
}

func erasePart(r proofs.Record, i int) proofs.Record {
	r.Parts = slices.Clone(r.Parts)
	r.Parts[i].Sealed = nil
	return r
}

// eraseTags erases lists of tags; every list then has its commitments.
func eraseTags(e entry, lists ...int) proofs.Record {
	r := e.record
	r.Tags = slices.Clone(r.Tags)
	all := commitments(e.lists)
	for i, l := range e.lists {
		r.Tags[i].Commitments, all = all[:len(l.tags)], all[len(l.tags):]
	}
	for _, i := range lists {
		r.Tags[i].Sealed = nil
	}
	return r
}

// Offsets within the record of the sample entry.
const (
	recordID    = 1
	recordParts = recordID + 16
	firstSlot   = recordParts + 1
)

func refusedRecords(e entry) []recordVector {
	leaf := must(proofs.FormatLeaf(e.leaf))
	refuse := func(name, why string, b []byte) recordVector {
		return recordVector{Name: name, Record: b, Leaf: leaf, verdict: notVerified(why)}
	}
	whole := must(proofs.FormatRecord(e.record))
	erased := must(proofs.FormatRecord(erasePart(e.record, 0)))
	tagless := must(proofs.FormatRecord(eraseTags(e, 1)))
	swapped := e.record
	swapped.Parts = []proofs.RecordPart{e.record.Parts[1], e.record.Parts[0]}
	short := e.record
	short.Tags = e.record.Tags[:1]
	const why = "C covers it"
	sealed0 := len(e.record.Parts[0].Sealed)
	return []recordVector{
		refuse("a record of another entry id", why, flipped(whole, recordID)),
		refuse("a record with a changed byte in a sealed part", why, flipped(whole, firstSlot+1+4+10)),
		refuse("a record with a changed binding", why, flipped(whole, firstSlot+1+4+sealed0)),
		refuse("a record with a changed byte in its sealed tags", why, flipped(whole, -1)),
		refuse("a record with a changed hash of an erased part", why, flipped(erased, firstSlot+1)),
		refuse("a record with a changed commitment to an erased tag", "T covers it", flipped(tagless, -1)),
		refuse("a record with a changed commitment to a tag beside erased ones", "T covers it", flipped(tagless, -1-32-2)),
		refuse("a record whose parts have changed places", why, must(proofs.FormatRecord(swapped))),
		refuse("a record that lacks a list of tags", why, must(proofs.FormatRecord(short))),
	}
}

func malformedRecords(e entry) []recordVector {
	leaf := must(proofs.FormatLeaf(e.leaf))
	refuse := func(name, why string, b []byte) recordVector {
		return recordVector{Name: name, Record: b, Leaf: leaf, verdict: malformed(why)}
	}
	whole := must(proofs.FormatRecord(e.record))
	tagless := must(proofs.FormatRecord(eraseTags(e, 1)))
	bare := must(proofs.FormatRecord(proofs.Record{ID: entryID}))
	return []recordVector{
		refuse("a record without bytes", "it is cut off", nil),
		refuse("a record of version 0", "version 1 is the only one", changed(whole, 0, 0)),
		refuse("a record of version 2", "version 1 is the only one", changed(whole, 0, 2)),
		refuse("a record of 65 parts", "64 are the most", join(bare[:recordParts], []byte{65}, make([]byte, 65*65), []byte{0})),
		refuse("a record of 65 lists of tags", "64 are the most", join(bare[:recordParts+1], []byte{65}, make([]byte, 65*33+65*2))),
		refuse("a record of a part that is neither there nor erased", "a state is 0 or 1", changed(whole, firstSlot, 2)),
		refuse("a record of an empty part", "a sealed part has a byte at least",
			join(bare[:recordParts], []byte{1, 1, 0, 0, 0, 0}, make([]byte, 32), []byte{0})),
		refuse("a record of a part that is longer than any may be", "2^24+1024 is the limit", changed(whole, firstSlot+1, 2)),
		refuse("a record with a part of a commitment", "a commitment has 32 bytes", join(tagless[:len(tagless)-34], []byte{0, 31}, make([]byte, 31))),
		refuse("a record of erased tags without commitments", "it is cut off", tagless[:len(tagless)-2-2*32-2-32]),
		refuse("a record of tags that are there, with commitments", "nothing may follow", join(whole, tagless[len(tagless)-2-2*32-2-32:])),
		refuse("a record that lacks its last byte", "it is cut off", whole[:len(whole)-1]),
		refuse("a record with a byte after its end", "nothing may follow", join(whole, []byte{0})),
	}
}

func acceptRecord(name string, r proofs.Record, leaf proofs.Leaf) recordVector {
	c := r.Commitment()
	f := &recordFields{EntryID: r.ID[:], Parts: []slotFields{}, Tags: []slotFields{}, Commitment: c[:]}
	for _, p := range r.Parts {
		f.Parts = append(f.Parts, slotFields{Erased: p.Sealed == nil, SealedHash: p.Hash[:], Binding: p.Binding[:]})
	}
	for _, t := range r.Tags {
		s := slotFields{Erased: t.Sealed == nil, SealedHash: t.Hash[:]}
		for _, h := range t.Commitments {
			s.Commitments = append(s.Commitments, h[:])
		}
		f.Tags = append(f.Tags, s)
	}
	return recordVector{Name: name, Record: must(proofs.FormatRecord(r)), Leaf: must(proofs.FormatLeaf(leaf)), Fields: f, verdict: ok()}
}
