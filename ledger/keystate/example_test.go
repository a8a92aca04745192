package keystate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func Example() {
	ctx := context.Background()
	tree, err := keytree.Generate(rand.Reader)
	if err != nil {
		panic(err)
	}
	options := keystate.Options{
		Places: []keystate.Place{{Name: "here", FS: memfs.New(nil)}, {Name: "there", FS: memfs.New(nil)}},
		Rand:   rand.Reader,
	}
	if _, err := keystate.Create(ctx, options, tree); err != nil {
		panic(err)
	}
	store, err := keystate.Open(ctx, options)
	if err != nil {
		panic(err)
	}
	june := keytree.Bucket(1, 1, 677).For(keytree.Sealing)
	r, err := store.Destroy(ctx, june)
	if err != nil {
		panic(err)
	}
	_, err = store.Tree().Derive(june)
	fmt.Println("epoch", r.Epoch, errors.Is(err, keytree.ErrDestroyed))
	// Output: epoch 1 true
}
