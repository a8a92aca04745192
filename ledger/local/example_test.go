package local_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
)

// A program that embeds a ledger: make it once, open it, append, close.
func Example() {
	ctx := context.Background()
	tmp, err := os.MkdirTemp("", "cairn")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	dir := filepath.Join(tmp, "ledger")
	if err := local.Init(ctx, dir, local.InitOptions{Origin: "example.com/audit"}); err != nil {
		log.Fatal(err)
	}
	d, err := local.Open(ctx, dir, local.Config{}, local.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	events := []client.Event{{Data: []byte(`{"actor":"alice","action":"login"}`), IdempotencyKey: "login-1"}}
	answers, err := d.Ledger.As(ledger.Caller{Name: "my-program"}).Append(ctx, ledger.DefaultStream, events, client.Witnessed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answers[0].State, "at index", answers[0].Index)
	// Output: witnessed at index 8
}
