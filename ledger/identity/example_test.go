package identity_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/storage/memory"
)

func Example() {
	ctx := context.Background()
	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: memory.New(nil).Register("tokens")})
	if err != nil {
		log.Fatal(err)
	}
	a, err := identity.New(identity.Options{Tokens: tokens})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	token, about, err := tokens.Issue(ctx, identity.Grant{Name: "collector", Role: identity.Writer, Streams: []string{"web"}})
	if err != nil {
		log.Fatal(err)
	}
	request := identity.Credentials{Authorization: []string{"Bearer " + token}}
	who, err := a.Identify(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(who.Name, "is", who.Roles())
	fmt.Println("may append to web:", who.May(identity.Append, "web"))
	fmt.Println("may read web:", who.May(identity.Read, "web"))
	if err := tokens.Revoke(ctx, about.ID, nil); err != nil {
		log.Fatal(err)
	}
	_, err = a.Identify(ctx, request)
	fmt.Println("once revoked:", err)
	// Output:
	// collector is a writer
	// may append to web: true
	// may read web: false
	// once revoked: this needs the token of somebody who may do it
}
