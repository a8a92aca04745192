package proofs_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// A ledger admits an event: it seals it, commits to what it sealed, and
// writes the leaf. Whoever has the leaf can then check what is disclosed.
func Example() {
	// Keys and openings are given here, so that the output is always the same.
	bucketKey, opening := proofs.Key256{1}, proofs.Key256{2}
	id := proofs.EntryID{3}

	// The ledger.
	event := proofs.Part{MediaType: "text/plain", Appender: "front-door", Data: []byte("door opened")}
	part, err := proofs.FormatPart(event)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := proofs.SealPart(part, 0, id, &bucketKey, nil, &opening)
	if err != nil {
		log.Fatal(err)
	}
	record := proofs.Record{ID: id, Parts: []proofs.RecordPart{{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, 0, part),
	}}}
	leaf := proofs.Leaf{
		Kind: proofs.Event, Time: 1795435200_000000, Stream: 1, Bucket: 2, C: record.Commitment(), T: proofs.TagsRoot(nil),
	}
	b, err := proofs.FormatLeaf(leaf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", b)

	// The verifier has the leaf and a disclosure, and no key.
	head, err := proofs.FormatPartHead(event)
	if err != nil {
		log.Fatal(err)
	}
	disclosure := proofs.Disclosure{ID: id[:], Parts: []proofs.DisclosedPart{{
		SealedHash: record.Parts[0].Hash, Binding: record.Parts[0].Binding,
		Opening: opening[:], Head: head, Data: []byte("door opened"),
	}}}
	fmt.Println(disclosure.Check(leaf))
	disclosure.Parts[0].Data = []byte("door closed")
	fmt.Println(disclosure.Check(leaf))
	// Output:
	// 0100000660f055503000000000010000000200192eac50a4471b344ff6063dfeff8a261d23a8f3662f9e3cad36e57cf61a5bade3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550000
	// <nil>
	// does not verify: disclosure: part 0: the payload is not the one that was recorded
}

// A leaf is parsed strictly, and says nothing about what was recorded.
func ExampleParseLeaf() {
	b, err := proofs.FormatLeaf(proofs.Leaf{
		Kind: proofs.Event, Time: 1795435200_000000, Stream: 1, Bucket: 2,
		Source: &proofs.LeafSource{Number: 9, Sequence: 41}, T: proofs.EmptyRoot(),
	})
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := proofs.ParseLeaf(b)
	fmt.Println(leaf.Kind, leaf.Time, leaf.Stream, leaf.Bucket, leaf.Source.Sequence, err)
	_, err = proofs.ParseLeaf(append(b, 0))
	fmt.Println(err)
	// Output:
	// event 1795435200000000 1 2 41 <nil>
	// malformed: leaf: end: 1 bytes too many
}

// A part about two subjects closes for ever with the key of either.
func ExampleOpenPart() {
	alice := proofs.SubjectKey{Ref: proofs.SubjectRef{1}, Key: proofs.Key256{11}}
	bob := proofs.SubjectKey{Ref: proofs.SubjectRef{2}, Key: proofs.Key256{12}}
	bucketKey, opening := proofs.Key256{1}, proofs.Key256{2}
	id, err := proofs.NewEntryID(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := proofs.SealPart([]byte("alice met bob"), 0, id, &bucketKey, []proofs.SubjectKey{alice, bob}, &opening)
	if err != nil {
		log.Fatal(err)
	}

	keys := map[proofs.SubjectRef]proofs.Key256{alice.Ref: alice.Key, bob.Ref: bob.Key}
	lookup := func(ref proofs.SubjectRef) (proofs.Key256, error) {
		if key, ok := keys[ref]; ok {
			return key, nil
		}
		return proofs.Key256{}, errors.New("erased")
	}
	part, _, err := proofs.OpenPart(sealed, 0, id, &bucketKey, lookup)
	fmt.Printf("%s %v\n", part, err)
	delete(keys, bob.Ref)
	_, _, err = proofs.OpenPart(sealed, 0, id, &bucketKey, lookup)
	fmt.Println(err)
	// Output:
	// alice met bob <nil>
	// open part: subject 1: erased
}

// A record is checked without any key, also when a part of it is gone.
func ExampleCheckRecord() {
	sealed := [][]byte{[]byte("sealed part 0"), []byte("sealed part 1")}
	record := proofs.Record{ID: proofs.EntryID{1}}
	for _, s := range sealed {
		record.Parts = append(record.Parts, proofs.RecordPart{Sealed: s, Hash: sha256.Sum256(s)})
	}
	leaf := proofs.Leaf{Stream: 1, Bucket: 1, C: record.Commitment()}

	record.Parts[1].Sealed = nil // only its hash is left
	rest, err := proofs.FormatRecord(record)
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range [][]byte{rest, bytes.Replace(rest, []byte("part 0"), []byte("part 9"), 1)} {
		r, err := proofs.ParseRecord(b)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(proofs.CheckRecord(r, leaf))
	}
	// Output:
	// <nil>
	// does not verify: record: it is not the one its leaf commits to
}

// One tag of an entry is shown, and the other one stays a commitment: the
// two make T.
func ExampleTagCommitment() {
	tagKey, id := proofs.Key256{1}, proofs.EntryID{2}
	seed := proofs.TagSeed(&tagKey, id, nil)
	action, actor := proofs.FieldKey(&tagKey, 1), proofs.FieldKey(&tagKey, 2)
	tags := []proofs.Tag{
		proofs.MakeTag(1, &action, []byte("login")),
		proofs.MakeTag(2, &actor, []byte("alice")),
	}
	hidden := proofs.TagCommitment(&seed, 1, tags[1])
	t := proofs.TagsRoot([]proofs.Hash{proofs.TagCommitment(&seed, 0, tags[0]), hidden})

	// The verifier has T, the key of field 1, the opening of tag 0, and what is hidden.
	opening := proofs.TagOpening(&seed, 0)
	for _, value := range []string{"login", "logout"} {
		shown := proofs.CommitTag(&opening, proofs.MakeTag(1, &action, []byte(value)))
		fmt.Println(value, proofs.TagsRoot([]proofs.Hash{shown, hidden}) == t)
	}
	// Output:
	// login true
	// logout false
}
