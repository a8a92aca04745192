package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// The smallest ledger: entry 0, which creates it, and its checkpoint. Real ones
// come from an export, by os.DirFS.
func Example() {
	key, err := proofs.GenerateKey("ledger.example", proofs.Ed25519, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		log.Fatal(err)
	}
	body, _ := proofs.FormatCreated(proofs.CreatedBody{Origin: "ledger.example", Keys: key.Key().String() + "\n"})
	leaf, _ := proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Created, Control: body})
	root := proofs.LeafHash(leaf)
	text, _ := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "ledger.example", Size: 1, Root: root})
	signature, _ := key.SignCheckpoint(text, 0)
	bundle, _ := proofs.FormatBundle([][]byte{leaf})
	export := fstest.MapFS{
		"checkpoint":           {Data: proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})},
		"tile/0/000.p/1":       {Data: proofs.FormatTile([]proofs.Hash{root})},
		"tile/entries/000.p/1": {Data: bundle},
	}
	policy, err := proofs.ParsePolicy([]byte("log " + key.Key().String() + "\nquorum none\n"))
	if err != nil {
		log.Fatal(err)
	}

	report, err := audit.Run(context.Background(), export, audit.Options{Policy: policy})
	if err != nil {
		log.Fatal(err) // it could not be judged
	}
	fmt.Println(report.OK(), report.Summary.To, report.Summary.Kinds)

	export["tile/0/000.p/1"].Data[7] ^= 1
	report, _ = audit.Run(context.Background(), export, audit.Options{Policy: policy})
	for _, f := range report.Findings {
		fmt.Println(f.Kind, f.Index)
		fmt.Println(f)
	}
	// Output:
	// true 1 map[created:1]
	// tile-altered 0
	// tile/0/000.p/1: The hash over entry 0 was changed: the entries lead to the root that the log signed, this hash does not.
}
