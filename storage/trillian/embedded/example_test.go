package embedded_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// The two storages are what Trillian's log server and log signer take.
func Example() {
	ctx := context.Background()
	store, err := embedded.Open(embedded.Options{
		Dir:    "store",
		FS:     vfs.NewMem(), // leave it out to use the disk
		Create: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	tree, err := storage.CreateTree(ctx, store.AdminStorage(), &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_PREORDERED_LOG,
		MaxRootDuration: durationpb.New(0),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.LogStorage().SnapshotForTree(ctx, tree)
	fmt.Println(tree.TreeType, err == storage.ErrTreeNeedsInit)
	// Output: PREORDERED_LOG true
}
