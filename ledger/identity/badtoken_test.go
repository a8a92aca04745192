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
)

func TestBadTokensOfAnIssuerAreRefused(t *testing.T) {
	l := newLogin(t, nil)
	stranger := newSigner(t, "key-1", "ES256")
	good := l.token(t, l.claims(nil))
	if _, err := l.who(t, good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	header := set{"alg": "ES256", "kid": "key-1"}
	var key jose.JSONWebKey
	key.Key = stranger.key.Public()
	public, err := x509.MarshalPKIXPublicKey(l.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(parts[2])
	flipped[10] ^= 'A' ^ 'B'
	for what, c := range map[string]struct {
		token string
		want  identity.Outcome
	}{
		"of another issuer":                          {l.token(t, l.claims(set{"iss": "https://login.example.com"})), identity.Unknown},
		"of no issuer":                               {l.token(t, l.claims(set{"iss": nil})), identity.Unknown},
		"of an issuer with a slash":                  {l.token(t, l.claims(set{"iss": l.server.URL + "/"})), identity.Unknown},
		"of two issuers":                             {l.sign(t, header, `{"iss":"`+l.server.URL+`","iss":"`+l.server.URL+`"}`), identity.Unknown},
		"of an issuer in capitals":                   {l.token(t, l.claims(set{"ISS": l.server.URL})), identity.Unknown},
		"for another audience":                       {l.token(t, l.claims(set{"aud": "other"})), identity.Unknown},
		"for an audience like ours":                  {l.token(t, l.claims(set{"aud": []string{"cairn2", "Cairn", "cairn "}})), identity.Unknown},
		"for no audience":                            {l.token(t, l.claims(set{"aud": nil})), identity.Unknown},
		"for two spellings of an audience":           {l.token(t, l.claims(set{"aud": "other", "Aud": "cairn"})), identity.Unknown},
		"expired":                                    {l.token(t, l.claims(set{"exp": start.Add(-30 * time.Second).Unix()})), identity.Expired},
		"without an end":                             {l.token(t, l.claims(set{"exp": nil})), identity.Expired},
		"with an end that is a text":                 {l.token(t, l.claims(set{"exp": "2999-01-01"})), identity.Unknown},
		"with an end that is no number":              {l.sign(t, header, `{"iss":"`+l.server.URL+`","aud":"cairn","sub":"a","exp":1e999}`), identity.Unknown},
		"that never ends":                            {l.token(t, l.claims(set{"exp": start.AddDate(1, 0, 0).Unix()})), identity.Expired},
		"not yet good":                               {l.token(t, l.claims(set{"nbf": start.Add(31 * time.Second).Unix()})), identity.Expired},
		"made in the future":                         {l.token(t, l.claims(set{"iat": start.Add(time.Minute).Unix()})), identity.Expired},
		"unsigned":                                   {encode(t, set{"alg": "none"}) + "." + parts[1] + ".", identity.Unknown},
		"unsigned, with a signature":                 {encode(t, set{"alg": "none"}) + "." + parts[1] + "." + parts[2], identity.Unknown},
		"unsigned in capitals":                       {encode(t, set{"alg": "NONE", "kid": "key-1"}) + "." + parts[1] + "." + parts[2], identity.Unknown},
		"without its signature":                      {parts[0] + "." + parts[1] + ".", identity.Unknown},
		"with another signature":                     {parts[0] + "." + parts[1] + "." + string(flipped), identity.Unknown},
		"with other claims":                          {parts[0] + "." + encode(t, l.claims(set{"sub": "root"})) + "." + parts[2], identity.Unknown},
		"signed with the public key as a secret":     {mac(t, set{"alg": "HS256", "kid": "key-1"}, l.claims(nil), public), identity.Unknown},
		"signed with the public key in PEM":          {mac(t, set{"alg": "HS256", "kid": "key-1"}, l.claims(nil), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), identity.Unknown},
		"signed by a stranger":                       {stranger.token(t, l.claims(nil)), identity.Unknown},
		"signed by a stranger, with the key in it":   {stranger.sign(t, set{"alg": "ES256", "kid": "key-1", "jwk": key}, l.claims(nil)), identity.Unknown},
		"signed by a stranger, with a URL of a key":  {stranger.sign(t, set{"alg": "ES256", "kid": "key-1", "jku": l.server.URL + "/keys"}, l.claims(nil)), identity.Unknown},
		"with the ID of no key":                      {l.sign(t, set{"alg": "ES256", "kid": "../key-1"}, l.claims(nil)), identity.Unknown},
		"with an empty ID of a key":                  {l.sign(t, set{"alg": "ES256", "kid": ""}, l.claims(nil)), identity.Unknown},
		"with an ID of a key that is a number":       {l.sign(t, set{"alg": "ES256", "kid": 1}, l.claims(nil)), identity.Unknown},
		"with an algorithm in another case":          {l.sign(t, set{"alg": "es256", "kid": "key-1"}, l.claims(nil)), identity.Unknown},
		"with two algorithms":                        {l.sign(t, `{"alg":"ES256","alg":"none","kid":"key-1"}`, l.claims(nil)), identity.Unknown},
		"with two spellings of the algorithm":        {l.sign(t, `{"alg":"ES256","Alg":"none","kid":"key-1"}`, l.claims(nil)), identity.Unknown},
		"of a type for logging out":                  {l.sign(t, set{"alg": "ES256", "kid": "key-1", "typ": "logout+jwt"}, l.claims(nil)), identity.Unknown},
		"with what is critical":                      {l.sign(t, set{"alg": "ES256", "kid": "key-1", "crit": []string{"b64"}, "b64": false}, l.claims(nil)), identity.Unknown},
		"in JSON":                                    {`{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, identity.Unknown},
		"with padding":                               {parts[0] + "=." + parts[1] + "." + parts[2], identity.Unknown},
		"with a line break":                          {parts[0] + ".\n" + parts[1] + "." + parts[2], identity.Unknown},
		"with a fourth part":                         {good + "." + parts[2], identity.Unknown},
		"with claims that are no object":             {l.sign(t, header, `[1]`), identity.Unknown},
		"with claims that are null":                  {l.sign(t, header, `null`), identity.Unknown},
		"with claims that are no UTF-8":              {l.sign(t, header, "{\"iss\":\"\xff\"}"), identity.Unknown},
		"that is huge":                               {l.token(t, l.claims(set{"more": repeat("a", 12<<10)})), identity.Unknown},
		"bound to a key":                             {l.token(t, l.claims(set{"cnf": set{"jkt": "abc"}})), identity.Unknown},
		"bound to a certificate":                     {l.token(t, l.claims(set{"cnf": set{"x5t#S256": "abc"}})), identity.Unknown},
		"of nobody":                                  {l.token(t, l.claims(set{"sub": nil})), identity.Nothing},
		"of somebody whose name is no text":          {l.token(t, l.claims(set{"sub": 7})), identity.Unknown},
		"of somebody whose name is too long":         {l.token(t, l.claims(set{"sub": repeat("a", 250)})), identity.Nothing},
		"in no group":                                {l.token(t, l.claims(set{"groups": nil})), identity.Nothing},
		"in no group that has a right":               {l.token(t, l.claims(set{"groups": []string{"Readers", "readers "}})), identity.Nothing},
		"in a group of groups":                       {l.token(t, l.claims(set{"groups": []any{[]string{"readers"}, set{"readers": true}}})), identity.Nothing},
		"of a writer who reads":                      {l.token(t, l.claims(set{"groups": []string{"readers", "writers"}})), identity.Nothing},
		"with claims that are elsewhere":             {l.token(t, l.claims(set{"_claim_names": set{"groups": "src"}})), identity.Unknown},
		"with groups that are a text between others": {l.token(t, l.claims(set{"groups": "staff readers"})), identity.Nothing},
	} {
		i, err := l.who(t, c.token)
		wantOutcome(t, what, err, c.want)
		if i.Name != "" || len(i.Rights) > 0 {
			t.Errorf("%s: got %+v", what, i)
		}
	}
	if asked := l.timesAsked(); asked > 2 {
		t.Errorf("the issuer was asked %d times for its keys, want twice at most", asked)
	}
}

// A key is for its own kind of signature, whatever a token says.
func TestKeyIsForItsAlgorithm(t *testing.T) {
	l := newLogin(t, nil)
	rs, ed := newSigner(t, "same", "RS256"), newSigner(t, "same", "EdDSA")
	unnamed := newSigner(t, "", "ES256")
	weakKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := signer{"weak", "RS256", "RS256", weakKey}
	l.rotate(t, rs, ed, l.signer, unnamed, weak)
	l.change(func() { l.keys[2].Use = "enc" })
	ps := rs
	ps.algorithm = "PS256"
	for what, c := range map[string]struct {
		token string
		good  bool
	}{
		"one of two keys of one ID":                 {rs.token(t, l.claims(nil)), true},
		"the other of two keys of one ID":           {ed.token(t, l.claims(nil)), true},
		"a key for another padding":                 {ps.token(t, l.claims(nil)), false},
		"a key for encryption":                      {l.token(t, l.claims(nil)), false},
		"the one key of its kind, without an ID":    {unnamed.token(t, l.claims(nil)), true},
		"an ID, of a key without one":               {unnamed.sign(t, set{"alg": "ES256", "kid": "other"}, l.claims(nil)), false},
		"a key that is too short":                   {weak.token(t, l.claims(nil)), false},
		"the algorithm of one key, signed by other": {ed.sign(t, set{"alg": "RS256", "kid": "same"}, l.claims(nil)), false},
	} {
		if _, err := l.who(t, c.token); (err == nil) != c.good {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	l.serve(unnamed, newSigner(t, "", "ES256"))
	l.clock.advance(24 * time.Hour)
	_, err = l.who(t, unnamed.token(t, l.claims(nil)))
	wantOutcome(t, "no ID where there are two keys", err, identity.Unknown)
}

func TestAlgorithmsCanBeFewer(t *testing.T) {
	l := newLogin(t, func(c *identity.Config) { c.Issuers[0].Algorithms = []string{"EdDSA"} })
	_, err := l.who(t, l.token(t, l.claims(nil)))
	wantOutcome(t, "an algorithm that the operator does not take", err, identity.Unknown)
	s := newSigner(t, "key-2", "EdDSA")
	l.serve(s, l.signer)
	l.clock.advance(10 * time.Second)
	if _, err := l.who(t, s.token(t, l.claims(nil))); err != nil {
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
