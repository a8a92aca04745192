package witness_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A witness and a log that asks it, over HTTP, for cosignatures.
func Example() {
	ctx := context.Background()
	logKey, _ := proofs.GenerateKey("log.example/a", proofs.Ed25519, rand.Reader)
	witnessKey, _ := proofs.GenerateKey("witness.example/w", proofs.MLDSA44, rand.Reader)

	w, err := witness.New(ctx, witness.Config{
		Keys:      []proofs.SigningKey{witnessKey},
		Registers: memory.New(nil).Registers("cosigned"), // one that lasts: storage/disk
		Logs:      []witness.Log{{Origin: "log.example/a", Key: logKey.Key()}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(w.Handler())
	defer server.Close()

	text, _ := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "log.example/a", Size: 1, Root: proofs.LeafHash([]byte("first entry"))})
	signature, _ := logKey.SignCheckpoint(text, 0)
	checkpoint := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})

	client := witness.NewClient(server.URL, nil)
	answer, err := client.AddCheckpoint(ctx, witness.Request{Old: 0, Checkpoint: checkpoint})
	if err != nil {
		fmt.Println(err)
		return
	}
	cosignatures, _ := proofs.ParseSignatures(answer)
	_, err = witnessKey.Key().CheckSignature(text, cosignatures[0])
	fmt.Println(cosignatures[0].Name, err)

	// The log forgot that it had asked, and is told where it stands.
	_, err = client.AddCheckpoint(ctx, witness.Request{Old: 0, Checkpoint: checkpoint})
	var refused *witness.Error
	fmt.Println(errors.As(err, &refused), refused.Status, refused.Size)
	// Output:
	// witness.example/w <nil>
	// true 409 1
}
