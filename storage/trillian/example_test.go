package trillian_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage/trillian"
)

// A writer appends leaves at the indices it chose, integrates them, and makes
// them durable when it suits it.
func Example() {
	ctx := context.Background()
	tree, err := trillian.OpenEmbedded(ctx, trillian.EmbeddedOptions{
		Dir:    "tree",
		FS:     vfs.NewMem(), // leave it out to use the disk
		Create: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()

	if err := tree.Append(ctx, 0, []trillian.Leaf{{Value: []byte("first")}, {Value: []byte("second")}}); err != nil {
		log.Fatal(err)
	}
	head, err := tree.Integrate(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	if err := tree.Sync(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("size %d, root %x…\n", head.Size, head.Root[:4])

	values, err := tree.Leaves(ctx, 1, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("leaf 1: %s\n", values[0])
	// Output:
	// size 2, root 3ae5bfa5…
	// leaf 1: second
}
