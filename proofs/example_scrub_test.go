package proofs_test

import (
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// An entry concerns somebody who is erased. It is held for a court, so first
// the key of its part moves to where held keys are kept; then the record is
// scrubbed. What is left still checks against the leaf.
func ExampleScrubRecord() {
	id, bucket := proofs.EntryID{1}, proofs.Key256{2}
	alice := proofs.SubjectKey{Ref: proofs.SubjectRef{3}, Key: proofs.Key256{4}}
	opening := proofs.Key256{5}
	part := []byte("what alice did")
	sealed, err := proofs.SealPart(part, 0, id, &bucket, []proofs.SubjectKey{alice}, &opening)
	if err != nil {
		log.Fatal(err)
	}
	record := proofs.Record{ID: id, Parts: []proofs.RecordPart{{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, 0, part),
	}}}
	leaf := proofs.Leaf{Stream: 1, Bucket: 1, C: record.Commitment(), T: proofs.TagsRoot(nil)}

	subjects := func(proofs.SubjectRef) (proofs.Key256, error) { return alice.Key, nil }
	held, err := proofs.SealedPartKey(sealed, 0, id, &bucket, subjects)
	if err != nil {
		log.Fatal(err)
	}
	record, err = proofs.ScrubRecord(record, leaf, proofs.Scrub{Parts: []int{0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(record.Parts[0].Sealed == nil, proofs.CheckRecord(record, leaf))

	// The court has the sealed part and its key, and none of the others.
	shown, _, err := proofs.OpenPartWithKey(sealed, 0, id, &held)
	fmt.Printf("%s %v\n", shown, err)
	// Output:
	// true <nil>
	// what alice did <nil>
}
