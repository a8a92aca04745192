package trilliantest_test

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/storage/trillian"
	"github.com/cairnlog/cairn/storage/trillian/trilliantest"
)

func ExampleStart() {
	ctx := context.Background()
	server, err := trilliantest.Start(ctx)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	tree, err := trillian.Dial(ctx, server.URL, trillian.DialOptions{})
	if err != nil {
		panic(err)
	}
	defer tree.Close()
	if err := tree.Append(ctx, 0, []trillian.Leaf{{Value: []byte("a leaf")}}); err != nil {
		panic(err)
	}
	head, err := tree.Integrate(ctx, 1)
	fmt.Println(head.Size, err)
	// Output: 1 <nil>
}
