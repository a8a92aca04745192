package main

import (
	"math"
	"strconv"

	"github.com/cairnlog/cairn/proofs"
)

type leafVector struct {
	Name     string      `json:"name"`
	Leaf     hexBytes    `json:"leaf"`
	Fields   *leafFields `json:"fields,omitempty"`
	LeafHash hexBytes    `json:"leaf_hash,omitempty"` // SHA-256(0x00 ‖ leaf)
	verdict
}

type leafFields struct {
	Kind    uint8       `json:"kind"`
	Word    string      `json:"kind_word"`
	Time    string      `json:"time"`
	Stream  uint32      `json:"stream"`
	Bucket  uint32      `json:"bucket"`
	Source  *leafSource `json:"source,omitempty"`
	C       hexBytes    `json:"c"`
	T       hexBytes    `json:"t"`
	Control hexBytes    `json:"control"`
}

type leafSource struct {
	Number   string `json:"number"`
	Sequence string `json:"sequence"`
}

// sampleTime is 2026-11-23 12:00:00 UTC.
const sampleTime = 1795435200_000000

func sampleLeaf() proofs.Leaf {
	return proofs.Leaf{
		Kind: proofs.Event, Time: sampleTime, Stream: 1, Bucket: 2,
		C: proofs.Hash(secret("c")), T: proofs.Hash(secret("t")),
	}
}

func leafVectors() []leafVector {
	event, sourced := sampleLeaf(), sampleLeaf()
	sourced.Source = &proofs.LeafSource{Number: 0x0123456789abcdef, Sequence: 42}
	limits := proofs.Leaf{
		Kind: proofs.Event, Time: math.MaxInt64, Stream: math.MaxUint32, Bucket: math.MaxUint32,
		Source: &proofs.LeafSource{Number: math.MaxUint64, Sequence: math.MaxUint64},
	}
	vectors := []leafVector{
		acceptLeaf("an event without a source", event),
		acceptLeaf("an event with a source and its sequence number", sourced),
		acceptLeaf("an event with the largest time and numbers there are", limits),
		acceptLeaf("an event at time 0 without tags", proofs.Leaf{Stream: 1, Bucket: 1, T: proofs.EmptyRoot()}),
	}
	for kind := proofs.Created; kind <= proofs.Closed; kind++ {
		control := sampleLeaf()
		control.Kind, control.Stream, control.Control = kind, 0, []byte("body")
		vectors = append(vectors, acceptLeaf("a control entry of the kind "+kind.String(), control))
	}
	return append(vectors, refusedLeaves(event, sourced)...)
}

// Offsets within a leaf without a source.
const (
	leafKind    = 1
	leafTime    = 2
	leafStream  = 10
	leafBucket  = 14
	leafHas     = 18
	leafControl = 19 + 64
)

func refusedLeaves(event, sourced proofs.Leaf) []leafVector {
	e, s := must(proofs.FormatLeaf(event)), must(proofs.FormatLeaf(sourced))
	inStream0 := join(e[:leafStream], make([]byte, 4), e[leafBucket:])
	inBucket0 := join(e[:leafBucket], make([]byte, 4), e[leafHas:])
	control := join(changed(inStream0, leafKind, byte(proofs.Hold))[:leafControl], []byte{0, 4}, []byte("hold"))
	return []leafVector{
		refuseLeaf("no bytes at all", nil, "it is cut off"),
		refuseLeaf("an event that lacks its last byte", e[:len(e)-1], "it is cut off"),
		refuseLeaf("an event with a byte after its end", append(e[:len(e):len(e)], 0), "nothing may follow"),
		refuseLeaf("an event of version 0", changed(e, 0, 0), "version 1 is the only one"),
		refuseLeaf("an event of version 2", changed(e, 0, 2), "version 1 is the only one"),
		refuseLeaf("an entry of kind 13", changed(inStream0, leafKind, 13), "12 is the last kind"),
		refuseLeaf("an entry of kind 255", changed(inStream0, leafKind, 255), "12 is the last kind"),
		refuseLeaf("an event whose time has its highest bit set", changed(e, leafTime, 0x80), "times end at 2^63-1"),
		refuseLeaf("an event in stream 0", inStream0, "stream 0 is the ledger's own"),
		refuseLeaf("an event in bucket 0", inBucket0, "bucket 0 is never opened"),
		refuseLeaf("an event with a control body", join(e[:leafControl], []byte{0, 1, 0}), "only control entries have one"),
		refuseLeaf("a control entry in stream 1", join(control[:leafStream], []byte{0, 0, 0, 1}, control[leafBucket:]),
			"control entries are in stream 0"),
		refuseLeaf("a control entry with a source",
			join(control[:leafHas], []byte{1}, make([]byte, 16), control[leafHas+1:]), "only events have one"),
		refuseLeaf("an event that has neither a source nor none", changed(e, leafHas, 2), "has_source is 0 or 1"),
		refuseLeaf("an event that says it has a source and lacks it", changed(e, leafHas, 1), "it is cut off"),
		refuseLeaf("an event that says it has no source and has one", changed(s, leafHas, 0), "nothing may follow"),
		refuseLeaf("a control entry whose body is longer than what is there", changed(control, leafControl+1, 5), "it is cut off"),
		refuseLeaf("a control entry whose body is shorter than what is there", changed(control, leafControl+1, 3), "nothing may follow"),
	}
}

func acceptLeaf(name string, l proofs.Leaf) leafVector {
	b := must(proofs.FormatLeaf(l))
	hash := proofs.LeafHash(b)
	f := &leafFields{
		Kind: uint8(l.Kind), Word: l.Kind.String(), Time: strconv.FormatUint(l.Time, 10),
		Stream: l.Stream, Bucket: l.Bucket, C: l.C[:], T: l.T[:], Control: l.Control,
	}
	if l.Source != nil {
		f.Source = &leafSource{strconv.FormatUint(l.Source.Number, 10), strconv.FormatUint(l.Source.Sequence, 10)}
	}
	return leafVector{Name: name, Leaf: b, Fields: f, LeafHash: hash[:], verdict: ok()}
}

func refuseLeaf(name string, b []byte, why string) leafVector {
	return leafVector{Name: name, Leaf: b, verdict: malformed(why)}
}
