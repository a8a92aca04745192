package identitytest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
	"github.com/cairnlog/cairn/storage/memory"
)

// An example is no test, and says at once what is wrong.
type example struct{ *log.Logger }

func (example) Helper()             {}
func (e example) Error(args ...any) { e.Fatal(args...) }
func (example) Cleanup(func())      {}

// Who bears a token of the double is known by it.
func Example() {
	ctx, t := context.Background(), example{log.Default()}
	key := identitytest.NewSigner(t, "key-1", "ES256")
	issuer := identitytest.NewIssuer(t, key)
	defer issuer.Server.Close()
	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: memory.New(nil).Register("tokens")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := identity.New(identity.Options{Tokens: tokens, Config: identity.Config{Issuers: []identity.Issuer{{
		Name: "corp", URL: issuer.Server.URL, Audience: "cairn",
		Grants: []identity.ClaimGrant{{Claim: "groups", Value: "readers", Role: identity.Auditor}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	token := key.Token(t, identitytest.ClaimsOf(issuer.Server.URL, time.Now(), nil))
	who, err := a.Identify(ctx, identity.Credentials{Authorization: []string{"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(who.Name, "is", who.Roles())
	// Output: oidc:corp:alice is an auditor
}
