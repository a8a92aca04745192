package ledger_test

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

// Streams say how their events are treated. What a stream declares can be
// searched exactly, and a field that names data subjects closes what concerns
// them when they are erased.
func ExampleSession_AddStream() {
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
	_, err = d.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(ctx, ledger.StreamConfig{Name: "cloud", Fields: []ledger.FieldConfig{
		{Name: "action", Path: "eventName"},
		{Name: "actor", Path: "userIdentity.arn", Subject: true},
	}})
	if err != nil {
		log.Fatal(err)
	}
	events := []client.Event{{Data: []byte(`{"eventName":"AssumeRole","userIdentity":{"arn":"arn:aws:iam::1:user/pedro"}}`)}}
	answers, err := d.Ledger.As(ledger.Caller{Name: "collector"}).Append(ctx, "cloud", events, client.Witnessed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answers[0].State, len(answers[0].Disclosure.Tags), "list of tags")
	// Output: witnessed 1 list of tags
}
