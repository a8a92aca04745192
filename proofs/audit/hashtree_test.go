package audit

import (
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// Whatever is added and replaced, the root is the one over all hashes, also of a
// clone that went on on its own.
func TestHashTree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var tree hashTree
	var want []proofs.Hash
	for step := range 300 {
		var h proofs.Hash
		h[0], h[1] = byte(step), byte(step>>8)
		if number := rnd.IntN(len(want) + 1); number == len(want) || step%2 == 0 {
			tree.append(h)
			want = append(want, h)
		} else {
			clone := tree.clone()
			tree.set(uint64(number), h)
			if clone.root() != proofs.DirectoriesRoot(want) {
				t.Fatalf("step %d: a clone changed", step)
			}
			want[number] = h
		}
		if got := tree.root(); got != proofs.DirectoriesRoot(want) {
			t.Fatalf("step %d, %d hashes: the root is %v", step, len(want), got)
		}
	}
	if empty := new(hashTree); empty.root() != proofs.DirectoriesRoot(nil) {
		t.Error("the root over nothing is another one")
	}
}
