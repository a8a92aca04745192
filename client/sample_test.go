package client_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
)

// sampleLedger returns the policy and the files of a ledger with three entries.
func sampleLedger() (policy []byte, files fs.FS) {
	key, err := proofs.GenerateKey("example.com/sample", proofs.Ed25519, rand.NewChaCha8([32]byte{2}))
	if err != nil {
		panic(err)
	}
	leaves := [][]byte{[]byte("entry 0"), []byte("entry 1"), []byte("entry 2")}
	var hashes []proofs.Hash
	for _, l := range leaves {
		hashes = append(hashes, proofs.LeafHash(l))
	}
	bundle, err := proofs.FormatBundle(leaves)
	if err != nil {
		panic(err)
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "example.com/sample", Size: 3, Root: rootOf(leaves)})
	if err != nil {
		panic(err)
	}
	s, err := key.SignCheckpoint(text, 0)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, "log %s\nquorum none\n", key.Key()), fstest.MapFS{
		"checkpoint":           {Data: proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{s}})},
		"tile/0/000.p/3":       {Data: proofs.FormatTile(hashes)},
		"tile/entries/000.p/3": {Data: bundle},
	}
}
