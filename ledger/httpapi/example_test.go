package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
)

// A ledger is served, and a writer appends to it.
func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	check(err)
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	ledger, err := ledgertest.Make(ctx, dir, local.Config{})
	check(err)
	defer ledger.Close()

	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: ledger.Tokens})
	check(err)
	identities, err := identity.New(identity.Options{Tokens: tokens})
	check(err)
	defer identities.Close()
	api, err := httpapi.New(httpapi.Config{Ledger: ledger.Ledger, Identities: identities})
	check(err)
	server, err := api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every})
	check(err)
	served := make(chan error)
	go func() { served <- httpapi.Serve(ctx, time.Second, server) }()

	token, _, err := tokens.Issue(ctx, identity.Grant{Name: "billing", Role: identity.Writer, Streams: []string{"default"}})
	check(err)
	log, err := client.Dial("http://"+server.Addr().String(), client.Options{Token: token})
	check(err)
	got, err := log.Append(ctx, "default", []client.Event{{Data: []byte(`{"action":"login"}`), IdempotencyKey: "7d1f"}}, client.Witnessed)
	check(err)
	fmt.Println(got[0].State)

	stop()
	check(<-served)
	// Output: witnessed
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleAddress_Check() {
	at := httpapi.Address{Address: "192.0.2.1:8480", Faces: httpapi.Write | httpapi.Read}
	bound := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 8480}
	fmt.Println(errors.Is(at.Check(bound), httpapi.ErrNoTLS))
	at.BehindProxy = true
	fmt.Println(at.Check(bound))
	// Output:
	// true
	// <nil>
}
