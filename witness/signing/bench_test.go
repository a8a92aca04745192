package signing_test

import (
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

func BenchmarkSignByAnAgent(b *testing.B) {
	for name, start := range starters() {
		b.Run(name, func(b *testing.B) {
			socket := newSocket(b)
			start(b, socket).add(b, 1)
			k := agentKey(b, signing.NewAgent(socket, 0), proofs.Ed25519, 1)
			text := checkpoint(b)
			for b.Loop() {
				if _, err := k.SignCheckpoint(text, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
