package proofs_test

import (
	"crypto/rand"
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// A log signs the head of its tree, a witness cosigns it, and a verifier that
// has only the policy and the receipt checks an entry.
func ExampleReceipt_Check() {
	logKey, err := proofs.GenerateKey("ledger.example/audit", proofs.Ed25519, rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	witnessKey, err := proofs.GenerateKey("witness.example", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		log.Fatal(err)
	}

	// The log: a tree of two entries.
	leaf, sibling := []byte("door opened"), proofs.LeafHash([]byte("door closed"))
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{
		Origin: "ledger.example/audit", Size: 2, Root: proofs.NodeHash(proofs.LeafHash(leaf), sibling),
	})
	if err != nil {
		log.Fatal(err)
	}
	checkpoint := proofs.Note{Text: text}
	for _, k := range []proofs.SigningKey{logKey, witnessKey} {
		signature, err := k.SignCheckpoint(text, 1795435200)
		if err != nil {
			log.Fatal(err)
		}
		checkpoint.Signatures = append(checkpoint.Signatures, signature)
	}
	file, err := proofs.FormatReceipt(proofs.Receipt{
		Index: 0, Proof: []proofs.Hash{sibling}, Checkpoint: proofs.FormatNote(checkpoint),
	})
	if err != nil {
		log.Fatal(err)
	}

	// The verifier.
	policy, err := proofs.ParsePolicy([]byte(
		"log " + logKey.Key().String() + "\n" +
			"witness w " + witnessKey.Key().String() + "\n" +
			"quorum w\n"))
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := proofs.ParseReceipt(file)
	if err != nil {
		log.Fatal(err)
	}
	verdict, err := receipt.Check(policy, leaf)
	fmt.Println(verdict.Checkpoint.Size, verdict.Time, err)
	_, err = receipt.Check(policy, []byte("door never opened"))
	fmt.Println(err)
	// Output:
	// 2 1795435200 <nil>
	// does not verify: inclusion: leaf 0 does not lead to the root of size 2
}

// A witness with two keys is a group of which any member will do, so that it
// has one vote.
func ExamplePolicy_Intersects() {
	var keys [4]string
	for i, t := range []proofs.KeyType{proofs.Ed25519Cosignature, proofs.MLDSA44, proofs.Ed25519Cosignature, proofs.Ed25519Cosignature} {
		k, err := proofs.GenerateKey("witness.example", t, rand.Reader)
		if err != nil {
			log.Fatal(err)
		}
		keys[i] = k.Key().String()
	}
	policy, err := proofs.ParsePolicy(fmt.Appendf(nil, `# two of three witnesses
witness a-ed25519 %s
witness a-mldsa %s
witness b %s
witness c %s
group a any a-ed25519 a-mldsa
group two-of-three 2 a b c
quorum two-of-three
`, keys[0], keys[1], keys[2], keys[3]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy.Met(map[string]bool{"a-ed25519": true, "a-mldsa": true}))
	fmt.Println(policy.Met(map[string]bool{"a-mldsa": true, "c": true}))
	// Without b and c the quorum is impossible, without b alone it is not.
	fmt.Println(policy.Intersects(map[string]bool{"b": true, "c": true}))
	fmt.Println(policy.Intersects(map[string]bool{"b": true}))
	// Output:
	// false
	// true
	// true
	// false
}
