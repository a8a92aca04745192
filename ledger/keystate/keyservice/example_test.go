package keyservice_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice/vaulttest"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func Example() {
	ctx := context.Background()
	vault := vaulttest.Start("cairn")
	defer vault.Close()
	os.Setenv("VAULT_ADDR", vault.URL)
	os.Setenv("VAULT_TOKEN", vault.Token)

	wrapper, err := keyservice.Open(ctx, "hashivault://cairn?destroy=versions")
	if err != nil {
		panic(err)
	}
	store, err := keystate.Create(ctx, keystate.Options{
		Places:  []keystate.Place{{Name: "here", FS: memfs.New(nil)}, {Name: "there", FS: memfs.New(nil)}},
		Wrapper: wrapper, Rand: rand.Reader,
	}, keytree.New([32]byte{1}))
	if err != nil {
		panic(err)
	}
	if _, err := store.Destroy(ctx, keytree.Bucket(1, 1, 677)); err != nil {
		panic(err)
	}
	fmt.Println(store, "and", vault.Versions("cairn"), "version of the key")
	// Output: key state of epoch 1 in 2 places and 1 version of the key
}
