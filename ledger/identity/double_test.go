package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A double is an issuer on this host: it serves a discovery document and keys,
// and signs whatever a test wants to be signed.
type double struct {
	server *httptest.Server

	mu        sync.Mutex
	keys      []jose.JSONWebKey // that it serves
	down      bool
	asked     int // times for its keys
	discovery func(w http.ResponseWriter, r *http.Request)
	set       func(w http.ResponseWriter, r *http.Request)
}

// newDouble starts an issuer that serves the keys.
func newDouble(t testing.TB, keys ...signer) *double {
	t.Helper()
	d := unstarted(t, keys...)
	d.server.Start()
	return d
}

// unstarted makes an issuer that serves the keys once it is started.
func unstarted(t testing.TB, keys ...signer) *double {
	t.Helper()
	d := &double{}
	d.serve(keys...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if instead := d.instead(&d.discovery); instead != nil {
			instead(w, r)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["RS256"]}`, d.server.URL, d.server.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.asked++
		data, err := json.Marshal(jose.JSONWebKeySet{Keys: d.keys})
		d.mu.Unlock()
		if instead := d.instead(&d.set); instead != nil {
			instead(w, r)
			return
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(data) // whoever asked is gone
	})
	d.server = httptest.NewUnstartedServer(mux)
	d.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(d.server.Close)
	return d
}

// instead returns what answers in the place of the document.
func (d *double) instead(of *func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) }
	}
	return *of
}

// change changes the double under its lock.
func (d *double) change(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// serve makes these the keys that are served.
func (d *double) serve(keys ...signer) {
	d.change(func() {
		d.keys = nil
		for _, k := range keys {
			d.keys = append(d.keys, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.id, Algorithm: k.served, Use: "sig"})
		}
	})
}

func (d *double) timesAsked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// A signer is a key that signs tokens.
type signer struct {
	id        string
	algorithm string // of its tokens
	served    string // as the set of keys says; empty: it says nothing
	key       crypto.Signer
}

func newSigner(t testing.TB, id, algorithm string) signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch algorithm {
	case "RS256", "PS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no key for %s", algorithm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{id, algorithm, algorithm, key}
}

// A set is a JSON object.
type set map[string]any

func encode(t testing.TB, v any) string {
	t.Helper()
	if text, ok := v.(string); ok {
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// sign returns a token with a header and claims, each a set or a JSON text.
func (s signer) sign(t testing.TB, header, claims any) string {
	t.Helper()
	body := encode(t, header) + "." + encode(t, claims)
	digest := sha256.Sum256([]byte(body))
	var signature []byte
	var err error
	switch s.algorithm {
	case "RS256":
		signature, err = s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	case "PS256":
		signature, err = s.key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "ES256":
		r, v, e := ecdsa.Sign(rand.Reader, s.key.(*ecdsa.PrivateKey), digest[:])
		if err = e; err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
		}
	case "EdDSA":
		signature, err = s.key.Sign(rand.Reader, []byte(body), crypto.Hash(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// token returns a token of the signer, with its usual header.
func (s signer) token(t testing.TB, claims any) string {
	t.Helper()
	header := set{"alg": s.algorithm, "typ": "JWT"}
	if s.id != "" {
		header["kid"] = s.id
	}
	return s.sign(t, header, claims)
}

// mac returns a token with an HMAC under any bytes as its key.
func mac(t testing.TB, header, claims any, key []byte) string {
	t.Helper()
	body := encode(t, header) + "." + encode(t, claims)
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// claimsOf returns the claims of a good token of the double, with changes; nil
// leaves a claim out.
func claimsOf(url string, changes set) set {
	c := set{
		"iss": url, "aud": "cairn", "sub": "alice", "iat": start.Unix(), "exp": start.Add(time.Hour).Unix(), "jti": "id-1",
		"groups": []string{"staff", "readers"},
	}
	maps.Copy(c, changes)
	for name, value := range c {
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

// bearer returns the credentials of a request with a token.
func bearerOf(token string) []string { return []string{"Bearer " + token} }

func repeat(s string, n int) string { return strings.Repeat(s, n) }
