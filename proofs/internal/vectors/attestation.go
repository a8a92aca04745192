package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// An attestationVector is a signed statement, and the key that is to have signed it.
type attestationVector struct {
	Name   string             `json:"name"`
	Key    string             `json:"key"`
	Note   string             `json:"note"`
	Fields *attestationFields `json:"fields,omitempty"`
	verdict
}

type attestationFields struct {
	Origin      string       `json:"origin"`
	Size        uint64       `json:"size,string"`
	Root        hexBytes     `json:"root"`
	Time        uint64       `json:"time,string"`
	Directories []madeFields `json:"directories"`
}

func attestationVectors() []attestationVector {
	hash := func(name string) proofs.Hash { return proofs.Hash(secret(name)) }
	seed := secret("auditor")
	key := must(proofs.GenerateKey("auditor.example", proofs.Ed25519, bytes.NewReader(seed[:])))
	other := must(proofs.GenerateKey("auditor.example", proofs.Ed25519Cosignature, bytes.NewReader(seed[:])))
	a := proofs.Attestation{Origin: "log.example/audit", Size: 70_000, Root: hash("root"), Time: 1_795_427_131, Directories: []proofs.MadeDirectory{
		{Segment: proofs.SegmentID{Number: 2}, Hash: hash("2")}, {Segment: proofs.SegmentID{Number: 10}, Hash: hash("10")}, {Segment: proofs.SegmentID{Large: true}, Hash: hash("large 0")},
	}}
	accept := func(name string, a proofs.Attestation) attestationVector {
		f := &attestationFields{a.Origin, a.Size, hexHash(a.Root), a.Time, []madeFields{}}
		for _, m := range a.Directories {
			f.Directories = append(f.Directories, madeFields{segmentFields(m.Segment), hexHash(m.Hash)})
		}
		return attestationVector{Name: name, Key: key.String(), Note: string(must(key.SignAttestation(a))), Fields: f, verdict: ok()}
	}
	good := accept("two directories of small segments and one of a large one", a)
	none := accept("of no directory", proofs.Attestation{Origin: a.Origin})
	text := must(proofs.FormatAttestation(a))
	refuse := func(name, why, old, new string) attestationVector {
		if !strings.Contains(text, old) {
			panic(fmt.Sprintf("%s: there is no %q", name, old))
		}
		return attestationVector{Name: name, Key: key.String(), Note: strings.Replace(good.Note, old, new, 1), verdict: malformed(why)}
	}
	ten, large := "segment 10 "+hash("10").String()+"\n", "large 0 "+hash("large 0").String()+"\n"
	return []attestationVector{
		good, none,
		{Name: "one that another key is to have signed", Key: other.String(), Note: good.Note, verdict: notVerified("the key has another type, and so another ID")},
		{Name: "another size than was signed", Key: key.String(), Note: strings.Replace(good.Note, "70000", "80000", 1), verdict: notVerified("the signature covers it")},
		{Name: "another log than was signed", Key: key.String(), Note: strings.Replace(good.Note, "log.example/audit", "log.example/other", 1), verdict: notVerified("the signature covers it")},
		{Name: "a directory less than was signed", Key: key.String(), Note: strings.Replace(good.Note, ten, "", 1), verdict: notVerified("the signature covers it")},
		refuse("another first line", "it says what it is", "cairn/v1 audited directories", "cairn/v2 audited directories"),
		refuse("no origin", "it is not empty", "log.example/audit", ""),
		refuse("a size with a zero in front", "it has one form", "70000", "070000"),
		refuse("a root that is none", "it is a hash", hash("root").String(), "AAAA"),
		refuse("a time that is none", "it is a number", "1795427131", "now"),
		refuse("directories that do not rise", "they rise", "segment 2 ", "segment 11 "),
		refuse("a directory twice", "they rise", ten, ten+ten),
		refuse("a large one before a small one", "small ones come first", ten+large, large+ten),
		refuse("a directory of a segment that the log does not have yet", "it has 70,000 entries", "segment 10 ", "segment 17 "),
		refuse("a word that is none", "it is segment or large", "large 0 ", "Large 0 "),
		refuse("a number with a zero in front", "it has one form", "segment 2 ", "segment 02 "),
	}
}
