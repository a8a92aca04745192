package ledgertest_test

import (
	"context"
	"fmt"
	"os"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
)

func ExampleMake() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	w, err := ledgertest.Make(ctx, dir, local.Config{})
	if err != nil {
		panic(err)
	}
	defer w.Close()
	got, err := w.Ledger.As(ledger.Caller{Name: "tester"}).Append(ctx, "default", []client.Event{{Data: []byte(`{"n":1}`)}}, client.Witnessed)
	if err != nil {
		panic(err)
	}
	fmt.Println(got[0].State)
	// Output: witnessed
}
