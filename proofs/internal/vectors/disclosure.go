package main

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A disclosureVector is a disclosure in JSON and the leaf it is checked
// against.
type disclosureVector struct {
	Name       string   `json:"name"`
	Disclosure string   `json:"disclosure"`
	Leaf       hexBytes `json:"leaf"`
	verdict
}

func disclosureVectors() []disclosureVector {
	e := sampleEntry()
	whole := disclose(e)
	bare := proofs.Record{ID: entryID}
	accept := func(name string, d proofs.Disclosure, leaf proofs.Leaf) disclosureVector {
		return disclosureVector{name, string(must(proofs.FormatDisclosure(d))), must(proofs.FormatLeaf(leaf)), ok()}
	}
	vectors := []disclosureVector{
		accept("a disclosure of a whole entry", whole, e.leaf),
		accept("a disclosure that hides the part about two subjects", hidePart(whole, 1), e.leaf),
		accept("a disclosure that hides the tags about a subject", hideTags(e, whole, 1), e.leaf),
		accept("a disclosure that shows the parts, and nothing of the tags", withoutTags(whole), e.leaf),
		accept("a disclosure that shows nothing", hideTags(e, hideTags(e, hidePart(hidePart(whole, 0), 1), 0), 1), e.leaf),
		accept("a disclosure of an entry of nothing", proofs.Disclosure{ID: entryID[:], Parts: []proofs.DisclosedPart{}, Tags: []proofs.DisclosedTags{}}, leafOf(bare)),
	}
	spaced := vectors[0]
	spaced.Name, spaced.Disclosure = "a disclosure with white space", indented(spaced.Disclosure)
	vectors = append(append(vectors, spaced), refusedDisclosures(e, whole)...)
	vectors = append(vectors, unfitDisclosures(e, whole)...)
	return append(vectors, misspelledDisclosures(e, whole)...)
}

// disclose shows all of an entry.
func disclose(e entry) proofs.Disclosure {
	d := proofs.Disclosure{ID: entryID[:]}
	for i, opening := range []proofs.Key256{opening0, opening1} {
		part := must(proofs.ParsePart(e.parts[i]))
		data := part.Data
		part.Data = nil
		d.Parts = append(d.Parts, proofs.DisclosedPart{
			SealedHash: e.record.Parts[i].Hash, Binding: e.record.Parts[i].Binding,
			Opening: opening[:], Head: must(proofs.FormatPartHead(part)), Data: data,
		})
	}
	for i, l := range e.lists {
		d.Tags = append(d.Tags, proofs.DisclosedTags{
			SealedHash: e.record.Tags[i].Hash, Seed: slices.Clone(l.seed[:]), Tags: proofs.AppendTags(nil, l.tags),
		})
	}
	return d
}

func hidePart(d proofs.Disclosure, i int) proofs.Disclosure {
	d.Parts = slices.Clone(d.Parts)
	d.Parts[i] = proofs.DisclosedPart{SealedHash: d.Parts[i].SealedHash, Binding: d.Parts[i].Binding}
	return d
}

func hideTags(e entry, d proofs.Disclosure, i int) proofs.Disclosure {
	d.Tags = slices.Clone(d.Tags)
	d.Tags[i] = proofs.DisclosedTags{SealedHash: d.Tags[i].SealedHash, Commitments: eraseTags(e, i).Tags[i].Commitments}
	return d
}

// withoutTags returns a disclosure as it is where the key of a list of tags is
// destroyed, and the record is not scrubbed.
func withoutTags(d proofs.Disclosure) proofs.Disclosure {
	d.Tags = slices.Clone(d.Tags)
	for i, t := range d.Tags {
		d.Tags[i] = proofs.DisclosedTags{SealedHash: t.SealedHash}
	}
	return d
}

func indented(s string) string {
	return string(must(json.MarshalIndent(json.RawMessage(s), "", "\t"))) + "\n"
}

// altered returns a deep copy of a disclosure, changed.
func altered(d proofs.Disclosure, change func(*proofs.Disclosure)) string {
	c := must(proofs.ParseDisclosure(must(proofs.FormatDisclosure(d))))
	change(&c)
	return string(must(proofs.FormatDisclosure(c)))
}

func refusedDisclosures(e entry, whole proofs.Disclosure) []disclosureVector {
	leaf := must(proofs.FormatLeaf(e.leaf))
	refuse := func(name, why string, change func(*proofs.Disclosure)) disclosureVector {
		return disclosureVector{name, altered(whole, change), leaf, notVerified(why)}
	}
	const c, binding, t = "C covers it", "the binding covers it", "T covers it"
	hidden := hideTags(e, whole, 1)
	return []disclosureVector{
		refuse("a disclosure of another entry id", "the bindings and C cover it", func(d *proofs.Disclosure) { d.ID[0] ^= 1 }),
		refuse("a disclosure with a changed byte of data", binding, func(d *proofs.Disclosure) { d.Parts[0].Data[0] ^= 1 }),
		refuse("a disclosure with a changed byte in the head of a part", binding, func(d *proofs.Disclosure) { d.Parts[0].Head[2] ^= 1 }),
		refuse("a disclosure without the data of a part", binding, func(d *proofs.Disclosure) { d.Parts[0].Data = nil }),
		refuse("a disclosure with a changed opening", binding, func(d *proofs.Disclosure) { d.Parts[0].Opening[0] ^= 1 }),
		refuse("a disclosure with a changed binding of a hidden part", c, func(d *proofs.Disclosure) {
			*d = hidePart(*d, 1)
			d.Parts[1].Binding[0] ^= 1
		}),
		refuse("a disclosure with a changed hash of a sealed part", c, func(d *proofs.Disclosure) { d.Parts[0].SealedHash[0] ^= 1 }),
		refuse("a disclosure with a changed hash of sealed tags", c, func(d *proofs.Disclosure) { d.Tags[0].SealedHash[0] ^= 1 }),
		refuse("a disclosure that leaves out a part", c, func(d *proofs.Disclosure) { d.Parts = d.Parts[:1] }),
		refuse("a disclosure that leaves out a list of tags", c, func(d *proofs.Disclosure) { d.Tags = d.Tags[:1] }),
		refuse("a disclosure with a changed tag", t, func(d *proofs.Disclosure) { d.Tags[0].Tags[5] ^= 1 }),
		refuse("a disclosure with a changed seed", t, func(d *proofs.Disclosure) { d.Tags[0].Seed[0] ^= 1 }),
		refuse("a disclosure that leaves out a tag", t, func(d *proofs.Disclosure) { d.Tags[0].Tags = d.Tags[0].Tags[:18] }),
		refuse("a disclosure with a tag twice", t, func(d *proofs.Disclosure) { d.Tags[0].Tags = append(d.Tags[0].Tags, d.Tags[0].Tags[:18]...) }),
		refuse("a disclosure with a changed commitment to a hidden tag", t, func(d *proofs.Disclosure) {
			d.Tags[1] = proofs.DisclosedTags{SealedHash: d.Tags[1].SealedHash, Commitments: slices.Clone(hidden.Tags[1].Commitments)}
			d.Tags[1].Commitments[0][0] ^= 1
		}),
		refuse("a disclosure without the commitments to hidden tags", t, func(d *proofs.Disclosure) {
			d.Tags[1] = proofs.DisclosedTags{SealedHash: d.Tags[1].SealedHash}
		}),
		refuse("a disclosure with commitments to the tags of one list of two", t, func(d *proofs.Disclosure) {
			*d = withoutTags(*d)
			d.Tags[1].Commitments = slices.Clone(hidden.Tags[1].Commitments)
		}),
		refuse("a disclosure with a changed hash of tags of which it shows nothing", c, func(d *proofs.Disclosure) {
			*d = withoutTags(*d)
			d.Tags[0].SealedHash[0] ^= 1
		}),
	}
}

func unfitDisclosures(e entry, whole proofs.Disclosure) []disclosureVector {
	leaf := must(proofs.FormatLeaf(e.leaf))
	refuse := func(name, why string, change func(*proofs.Disclosure)) disclosureVector {
		return disclosureVector{name, altered(whole, change), leaf, malformed(why)}
	}
	return []disclosureVector{
		refuse("a disclosure whose entry id has 15 bytes", "it has 16", func(d *proofs.Disclosure) { d.ID = d.ID[:15] }),
		refuse("a disclosure whose opening has 31 bytes", "it has 32", func(d *proofs.Disclosure) { d.Parts[0].Opening = d.Parts[0].Opening[:31] }),
		refuse("a disclosure whose part has no head", "a head has 13 bytes at least", func(d *proofs.Disclosure) { d.Parts[0].Head = nil }),
		refuse("a disclosure with data in the head of a part", "nothing may follow a head", func(d *proofs.Disclosure) {
			p := &d.Parts[0]
			p.Head, p.Data = e.parts[0], nil
		}),
		refuse("a disclosure with a head and data that no opening binds", "nothing vouches for them", func(d *proofs.Disclosure) {
			d.Parts[0].Opening = nil
		}),
		refuse("a disclosure with data of a hidden part", "nothing vouches for it", func(d *proofs.Disclosure) {
			d.Parts[0].Opening, d.Parts[0].Head = nil, nil
		}),
		refuse("a disclosure with tags that no seed opens", "nothing vouches for them", func(d *proofs.Disclosure) { d.Tags[0].Seed = nil }),
		refuse("a disclosure whose seed has 31 bytes", "it has 32", func(d *proofs.Disclosure) { d.Tags[0].Seed = d.Tags[0].Seed[:31] }),
		refuse("a disclosure with half a tag", "a tag has 18 bytes", func(d *proofs.Disclosure) { d.Tags[0].Tags = d.Tags[0].Tags[:35] }),
		refuse("a disclosure with commitments to tags that it shows", "they are computed", func(d *proofs.Disclosure) {
			d.Tags[1].Commitments = hideTags(e, whole, 1).Tags[1].Commitments
		}),
		refuse("a disclosure of 65 parts", "64 are the most", func(d *proofs.Disclosure) { d.Parts = make([]proofs.DisclosedPart, 65) }),
		refuse("a disclosure of 65 lists of tags", "64 are the most", func(d *proofs.Disclosure) { d.Tags = make([]proofs.DisclosedTags, 65) }),
	}
}

// misspelledDisclosures say what the whole one says, in JSON that is not ours.
func misspelledDisclosures(e entry, whole proofs.Disclosure) []disclosureVector {
	leaf := must(proofs.FormatLeaf(e.leaf))
	text := string(must(proofs.FormatDisclosure(whole)))
	replace := func(name, why, old, new string) disclosureVector {
		if !strings.Contains(text, old) {
			panic("there is no " + old + " in the disclosure")
		}
		return disclosureVector{name, strings.Replace(text, old, new, 1), leaf, malformed(why)}
	}
	hidden := string(must(proofs.FormatDisclosure(hidePart(whole, 1))))
	id := base64.StdEncoding.EncodeToString(entryID[:])
	loose := id[:len(id)-3] + string(id[len(id)-3]+1) + "=="
	return []disclosureVector{
		replace("a disclosure with a name that has capitals", "names are lower case", `"parts"`, `"Parts"`),
		replace("a disclosure with a name twice", "each name is once there", `{"id"`, `{"id":"","id"`),
		replace("a disclosure with an unknown name", "it is not in the format", `{"id"`, `{"note":1,"id"`),
		replace("a disclosure whose base64 has no padding", "base64 is padded", id, strings.TrimRight(id, "=")),
		replace("a disclosure whose base64 has bits that no byte has", "the last bits are zero", id, loose),
		replace("a disclosure with an escaped character", "base64 needs no escapes", id, `\u00`+hexByte(id[0])+id[1:]),
		{"a disclosure with an empty opening", strings.Replace(hidden, `"}]`, `","opening":""}]`, 1), leaf, malformed("what is not there is left out")},
		replace("a disclosure whose entry id is a number", "it is a string", `"`+id+`"`, "12"),
		{"a disclosure that is cut off", text[:len(text)-1], leaf, malformed("a brace is missing")},
		{"a disclosure with a byte after its end", text + "}", leaf, malformed("nothing may follow")},
		{"a disclosure of no bytes", "", leaf, malformed("it is not JSON")},
		{"a disclosure that is null", "null", leaf, malformed("it is an object")},
	}
}

func hexByte(b byte) string {
	s, _ := hexBytes{b}.MarshalText()
	return string(s)
}
