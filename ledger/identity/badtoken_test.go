package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

func TestBadTokensOfAnIssuerAreRefused(t *testing.T) {
	l := newLogin(t, nil)
	stranger := identitytest.NewSigner(t, "key-1", "ES256")
	good := l.Token(t, l.claims(nil))
	if _, err := l.who(t, good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	header := identitytest.Claims{"alg": "ES256", "kid": "key-1"}
	var key jose.JSONWebKey
	key.Key = stranger.Key.Public()
	public, err := x509.MarshalPKIXPublicKey(l.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(parts[2])
	flipped[10] ^= 'A' ^ 'B'
	for what, c := range map[string]struct {
		token string
		want  identity.Outcome
	}{
		"of another issuer":                          {l.Token(t, l.claims(identitytest.Claims{"iss": "https://login.example.com"})), identity.Unknown},
		"of no issuer":                               {l.Token(t, l.claims(identitytest.Claims{"iss": nil})), identity.Unknown},
		"of an issuer with a slash":                  {l.Token(t, l.claims(identitytest.Claims{"iss": l.Server.URL + "/"})), identity.Unknown},
		"of two issuers":                             {l.Sign(t, header, `{"iss":"`+l.Server.URL+`","iss":"`+l.Server.URL+`"}`), identity.Unknown},
		"of an issuer in capitals":                   {l.Token(t, l.claims(identitytest.Claims{"ISS": l.Server.URL})), identity.Unknown},
		"for another audience":                       {l.Token(t, l.claims(identitytest.Claims{"aud": "other"})), identity.Unknown},
		"for an audience like ours":                  {l.Token(t, l.claims(identitytest.Claims{"aud": []string{"cairn2", "Cairn", "cairn "}})), identity.Unknown},
		"for no audience":                            {l.Token(t, l.claims(identitytest.Claims{"aud": nil})), identity.Unknown},
		"for two spellings of an audience":           {l.Token(t, l.claims(identitytest.Claims{"aud": "other", "Aud": "cairn"})), identity.Unknown},
		"expired":                                    {l.Token(t, l.claims(identitytest.Claims{"exp": start.Add(-30 * time.Second).Unix()})), identity.Expired},
		"without an end":                             {l.Token(t, l.claims(identitytest.Claims{"exp": nil})), identity.Expired},
		"with an end that is a text":                 {l.Token(t, l.claims(identitytest.Claims{"exp": "2999-01-01"})), identity.Unknown},
		"with an end that is no number":              {l.Sign(t, header, `{"iss":"`+l.Server.URL+`","aud":"cairn","sub":"a","exp":1e999}`), identity.Unknown},
		"that never ends":                            {l.Token(t, l.claims(identitytest.Claims{"exp": start.AddDate(1, 0, 0).Unix()})), identity.Expired},
		"not yet good":                               {l.Token(t, l.claims(identitytest.Claims{"nbf": start.Add(31 * time.Second).Unix()})), identity.Expired},
		"made in the future":                         {l.Token(t, l.claims(identitytest.Claims{"iat": start.Add(time.Minute).Unix()})), identity.Expired},
		"unsigned":                                   {identitytest.Encode(t, identitytest.Claims{"alg": "none"}) + "." + parts[1] + ".", identity.Unknown},
		"unsigned, with a signature":                 {identitytest.Encode(t, identitytest.Claims{"alg": "none"}) + "." + parts[1] + "." + parts[2], identity.Unknown},
		"unsigned in capitals":                       {identitytest.Encode(t, identitytest.Claims{"alg": "NONE", "kid": "key-1"}) + "." + parts[1] + "." + parts[2], identity.Unknown},
		"without its signature":                      {parts[0] + "." + parts[1] + ".", identity.Unknown},
		"with another signature":                     {parts[0] + "." + parts[1] + "." + string(flipped), identity.Unknown},
		"with other claims":                          {parts[0] + "." + identitytest.Encode(t, l.claims(identitytest.Claims{"sub": "root"})) + "." + parts[2], identity.Unknown},
		"signed with the public key as a secret":     {identitytest.MAC(t, identitytest.Claims{"alg": "HS256", "kid": "key-1"}, l.claims(nil), public), identity.Unknown},
		"signed with the public key in PEM":          {identitytest.MAC(t, identitytest.Claims{"alg": "HS256", "kid": "key-1"}, l.claims(nil), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), identity.Unknown},
		"signed by a stranger":                       {stranger.Token(t, l.claims(nil)), identity.Unknown},
		"signed by a stranger, with the key in it":   {stranger.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "key-1", "jwk": key}, l.claims(nil)), identity.Unknown},
		"signed by a stranger, with a URL of a key":  {stranger.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "key-1", "jku": l.Server.URL + "/keys"}, l.claims(nil)), identity.Unknown},
		"with the ID of no key":                      {l.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "../key-1"}, l.claims(nil)), identity.Unknown},
		"with an empty ID of a key":                  {l.Sign(t, identitytest.Claims{"alg": "ES256", "kid": ""}, l.claims(nil)), identity.Unknown},
		"with an ID of a key that is a number":       {l.Sign(t, identitytest.Claims{"alg": "ES256", "kid": 1}, l.claims(nil)), identity.Unknown},
		"with an algorithm in another case":          {l.Sign(t, identitytest.Claims{"alg": "es256", "kid": "key-1"}, l.claims(nil)), identity.Unknown},
		"with two algorithms":                        {l.Sign(t, `{"alg":"ES256","alg":"none","kid":"key-1"}`, l.claims(nil)), identity.Unknown},
		"with two spellings of the algorithm":        {l.Sign(t, `{"alg":"ES256","Alg":"none","kid":"key-1"}`, l.claims(nil)), identity.Unknown},
		"of a type for logging out":                  {l.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "key-1", "typ": "logout+jwt"}, l.claims(nil)), identity.Unknown},
		"with what is critical":                      {l.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "key-1", "crit": []string{"b64"}, "b64": false}, l.claims(nil)), identity.Unknown},
		"in JSON":                                    {`{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, identity.Unknown},
		"with padding":                               {parts[0] + "=." + parts[1] + "." + parts[2], identity.Unknown},
		"with a line break":                          {parts[0] + ".\n" + parts[1] + "." + parts[2], identity.Unknown},
		"with a fourth part":                         {good + "." + parts[2], identity.Unknown},
		"with claims that are no object":             {l.Sign(t, header, `[1]`), identity.Unknown},
		"with claims that are null":                  {l.Sign(t, header, `null`), identity.Unknown},
		"with claims that are no UTF-8":              {l.Sign(t, header, "{\"iss\":\"\xff\"}"), identity.Unknown},
		"that is huge":                               {l.Token(t, l.claims(identitytest.Claims{"more": strings.Repeat("a", 12<<10)})), identity.Unknown},
		"bound to a key":                             {l.Token(t, l.claims(identitytest.Claims{"cnf": identitytest.Claims{"jkt": "abc"}})), identity.Unknown},
		"bound to a certificate":                     {l.Token(t, l.claims(identitytest.Claims{"cnf": identitytest.Claims{"x5t#S256": "abc"}})), identity.Unknown},
		"of nobody":                                  {l.Token(t, l.claims(identitytest.Claims{"sub": nil})), identity.Nothing},
		"of somebody whose name is no text":          {l.Token(t, l.claims(identitytest.Claims{"sub": 7})), identity.Unknown},
		"of somebody whose name is too long":         {l.Token(t, l.claims(identitytest.Claims{"sub": strings.Repeat("a", 250)})), identity.Nothing},
		"in no group":                                {l.Token(t, l.claims(identitytest.Claims{"groups": nil})), identity.Nothing},
		"in no group that has a right":               {l.Token(t, l.claims(identitytest.Claims{"groups": []string{"Readers", "readers "}})), identity.Nothing},
		"in a group of groups":                       {l.Token(t, l.claims(identitytest.Claims{"groups": []any{[]string{"readers"}, identitytest.Claims{"readers": true}}})), identity.Nothing},
		"of a writer who reads":                      {l.Token(t, l.claims(identitytest.Claims{"groups": []string{"readers", "writers"}})), identity.Nothing},
		"with claims that are elsewhere":             {l.Token(t, l.claims(identitytest.Claims{"_claim_names": identitytest.Claims{"groups": "src"}})), identity.Unknown},
		"with groups that are a text between others": {l.Token(t, l.claims(identitytest.Claims{"groups": "staff readers"})), identity.Nothing},
	} {
		i, err := l.who(t, c.token)
		wantOutcome(t, what, err, c.want)
		if i.Name != "" || len(i.Rights) > 0 {
			t.Errorf("%s: got %+v", what, i)
		}
	}
	if asked := l.TimesAsked(); asked > 2 {
		t.Errorf("the issuer was asked %d times for its keys, want twice at most", asked)
	}
}

// A key is for its own kind of signature, whatever a token says.
func TestKeyIsForItsAlgorithm(t *testing.T) {
	l := newLogin(t, nil)
	rs, ed := identitytest.NewSigner(t, "same", "RS256"), identitytest.NewSigner(t, "same", "EdDSA")
	unnamed := identitytest.NewSigner(t, "", "ES256")
	weakKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := identitytest.Signer{ID: "weak", Algorithm: "RS256", Served: "RS256", Key: weakKey}
	l.rotate(t, rs, ed, l.Signer, unnamed, weak)
	l.Change(func() { l.Keys[2].Use = "enc" })
	ps := rs
	ps.Algorithm = "PS256"
	for what, c := range map[string]struct {
		token string
		good  bool
	}{
		"one of two keys of one ID":                 {rs.Token(t, l.claims(nil)), true},
		"the other of two keys of one ID":           {ed.Token(t, l.claims(nil)), true},
		"a key for another padding":                 {ps.Token(t, l.claims(nil)), false},
		"a key for encryption":                      {l.Token(t, l.claims(nil)), false},
		"the one key of its kind, without an ID":    {unnamed.Token(t, l.claims(nil)), true},
		"an ID, of a key without one":               {unnamed.Sign(t, identitytest.Claims{"alg": "ES256", "kid": "other"}, l.claims(nil)), false},
		"a key that is too short":                   {weak.Token(t, l.claims(nil)), false},
		"the algorithm of one key, signed by other": {ed.Sign(t, identitytest.Claims{"alg": "RS256", "kid": "same"}, l.claims(nil)), false},
	} {
		if _, err := l.who(t, c.token); (err == nil) != c.good {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	l.Serve(unnamed, identitytest.NewSigner(t, "", "ES256"))
	l.clock.advance(24 * time.Hour)
	_, err = l.who(t, unnamed.Token(t, l.claims(nil)))
	wantOutcome(t, "no ID where there are two keys", err, identity.Unknown)
}

func TestAlgorithmsCanBeFewer(t *testing.T) {
	l := newLogin(t, func(c *identity.Config) { c.Issuers[0].Algorithms = []string{"EdDSA"} })
	_, err := l.who(t, l.Token(t, l.claims(nil)))
	wantOutcome(t, "an algorithm that the operator does not take", err, identity.Unknown)
	s := identitytest.NewSigner(t, "key-2", "EdDSA")
	l.Serve(s, l.Signer)
	l.clock.advance(10 * time.Second)
	if _, err := l.who(t, s.Token(t, l.claims(nil))); err != nil {
		t.Error(err)
	}
}

func TestAlgorithmsAreThoseOfPublicKeys(t *testing.T) {
	for _, a := range identity.Algorithms() {
		if strings.HasPrefix(a, "HS") || strings.EqualFold(a, "none") {
			t.Errorf("%s is taken", a)
		}
	}
	if !slices.IsSortedFunc(identity.Algorithms(), func(a, b string) int { return 0 }) || len(identity.Algorithms()) != 10 {
		t.Errorf("got %v", identity.Algorithms())
	}
}
