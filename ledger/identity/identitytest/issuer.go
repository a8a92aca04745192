package identitytest

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
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An Issuer is a double of one, on this host: it serves a discovery document and keys,
// and signs whatever a test wants to be signed.
type Issuer struct {
	Server *httptest.Server

	// What follows is changed by Change alone, once it is started.
	Keys     []jose.JSONWebKey                            // that it serves
	Down     bool                                         // it answers with errors
	Document func(w http.ResponseWriter, r *http.Request) // in the place of the document
	KeySet   func(w http.ResponseWriter, r *http.Request) // in the place of the keys

	mu    sync.Mutex
	asked int // times for its keys
}

// NewIssuer starts an issuer that serves the keys.
func NewIssuer(t T, keys ...Signer) *Issuer {
	t.Helper()
	d := Unstarted(t, keys...)
	d.Server.Start()
	return d
}

// Unstarted makes an issuer that serves the keys once it is started.
func Unstarted(t T, keys ...Signer) *Issuer {
	t.Helper()
	d := &Issuer{}
	d.Serve(keys...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if instead := d.instead(&d.Document); instead != nil {
			instead(w, r)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["RS256"]}`, d.Server.URL, d.Server.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.asked++
		data, err := json.Marshal(jose.JSONWebKeySet{Keys: d.Keys})
		d.mu.Unlock()
		if instead := d.instead(&d.KeySet); instead != nil {
			instead(w, r)
			return
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(data) // whoever asked is gone
	})
	d.Server = httptest.NewUnstartedServer(mux)
	d.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(d.Server.Close)
	return d
}

// instead returns what answers in the place of the document.
func (d *Issuer) instead(of *func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Down {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) }
	}
	return *of
}

// Change changes the double under its lock.
func (d *Issuer) Change(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// Serve makes these the keys that are served.
func (d *Issuer) Serve(keys ...Signer) {
	d.Change(func() {
		d.Keys = nil
		for _, k := range keys {
			d.Keys = append(d.Keys, jose.JSONWebKey{Key: k.Key.Public(), KeyID: k.ID, Algorithm: k.Served, Use: "sig"})
		}
	})
}

// TimesAsked returns how often it was asked for its keys.
func (d *Issuer) TimesAsked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// A Signer is a key that signs tokens.
type Signer struct {
	ID        string
	Algorithm string // of its tokens
	Served    string // as the set of keys says; empty: it says nothing
	Key       crypto.Signer
}

func NewSigner(t T, id, algorithm string) Signer {
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
	return Signer{id, algorithm, algorithm, key}
}

// Claims are a JSON object.
type Claims map[string]any

// Encode returns a JSON object, or a text as it is, in base64.
func Encode(t T, v any) string {
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

// Sign returns a token with a header and claims, each [Claims] or a JSON text.
func (s Signer) Sign(t T, header, claims any) string {
	t.Helper()
	body := Encode(t, header) + "." + Encode(t, claims)
	digest := sha256.Sum256([]byte(body))
	var signature []byte
	var err error
	switch s.Algorithm {
	case "RS256":
		signature, err = s.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	case "PS256":
		signature, err = s.Key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "ES256":
		r, v, e := ecdsa.Sign(rand.Reader, s.Key.(*ecdsa.PrivateKey), digest[:])
		if err = e; err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
		}
	case "EdDSA":
		signature, err = s.Key.Sign(rand.Reader, []byte(body), crypto.Hash(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Token returns a token of the Signer, with its usual header.
func (s Signer) Token(t T, claims any) string {
	t.Helper()
	header := Claims{"alg": s.Algorithm, "typ": "JWT"}
	if s.ID != "" {
		header["kid"] = s.ID
	}
	return s.Sign(t, header, claims)
}

// MAC returns a token with an HMAC under any bytes as its key.
func MAC(t T, header, claims any, key []byte) string {
	t.Helper()
	body := Encode(t, header) + "." + Encode(t, claims)
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// ClaimsOf returns the claims of a token of the issuer at a URL. It is alice's,
// for the audience "cairn", and good for an hour. Changes are made to it; nil
// leaves a claim out.
func ClaimsOf(url string, now time.Time, changes Claims) Claims {
	c := Claims{
		"iss": url, "aud": "cairn", "sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": "id-1",
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
