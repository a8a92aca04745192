package search_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func Example() {
	ctx := context.Background()
	x, err := search.Open(ctx, search.Config{
		FS:   memfs.New(nil), // disk.OpenOS in a program
		Key:  func(generation uint64) (proofs.Key256, error) { return proofs.Key256{byte(generation)}, nil },
		Rand: rand.Reader,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer x.Close()
	const actor = 1 // the number of the field
	err = x.Add(ctx, 4, []search.Document{
		{Index: 1, Bucket: 7, Fields: []search.Value{{Number: actor, Value: []byte("alice")}}, Words: []string{"disk", "full"}},
		{Index: 3, Bucket: 7, Fields: []search.Value{{Number: actor, Value: []byte("bob")}}, Words: []string{"disk"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := query.Parse("disk -actor:bob", time.Unix(0, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := x.Find(ctx, search.Request{
		Expr:    q.Expr,
		Buckets: []uint32{7},
		Fields:  func(uint32, query.Field) ([]uint16, bool) { return []uint16{actor}, true },
	}, search.Page{Limit: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Hits, "of", answer.Size)
	// Output: [1] of 4
}
