package keytree_test

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/ledger/keytree"
)

func Example() {
	tree := keytree.New([32]byte{31: 1}) // or Generate(rand.Reader)

	key, err := tree.Derive(keytree.Bucket(7, 1, 20454).For(keytree.Sealing))
	fmt.Printf("%x… %v\n", key[:4], err)

	alice, _ := tree.Handle(7, []byte("alice"), 0)
	before, _ := tree.Derive(keytree.Subject(7, alice).For(keytree.Sealing))

	// Expire all periods up to that of the bucket. The new state replaces the
	// old one wherever that is stored; only then the key is gone.
	var stored []byte
	store := func(state []byte) error {
		stored = append(stored[:0], state...) // a real store is durable when it returns
		return nil
	}
	if err := tree.Puncture(store, keytree.Buckets(7, 1, 0, 20455)...); err != nil {
		fmt.Println(err)
	}
	_, err = tree.Derive(keytree.Bucket(7, 1, 20454).For(keytree.Sealing))
	fmt.Println(err, errors.Is(err, keytree.ErrDestroyed))

	// After a restart, the other keys are as before.
	again, err := keytree.Parse(stored)
	if err != nil {
		fmt.Println(err)
	}
	after, err := again.Derive(keytree.Subject(7, alice).For(keytree.Sealing))
	fmt.Println(after == before, err, again)
	// Output:
	// 5e416de3… <nil>
	// key destroyed true
	// true <nil> key tree at epoch 1 holding 78 nodes
}
