package identity

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A network answers requests without one.
type network func(*http.Request) (string, error)

// RoundTrip answers a request.
func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := n(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// A testIssuer is the source of one key, and tokens of it.
type testIssuer struct {
	*keySource
	key     ed25519.PrivateKey
	fetches atomic.Int64 // of sets of keys
	answer  atomic.Pointer[func(*http.Request) error]
}

const testURL = "https://login.example.com"

func newTestIssuer(t *testing.T) *testIssuer {
	i := &testIssuer{key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	i.keySource = newKeySource(testURL, nil, time.Now, slog.New(slog.DiscardHandler), func(error) {})
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	i.client.Transport = network(func(r *http.Request) (string, error) {
		if r.URL.Path != "/keys" {
			return `{"issuer":"` + testURL + `","jwks_uri":"` + testURL + `/keys"}`, nil
		}
		i.fetches.Add(1)
		if answer := i.answer.Load(); answer != nil {
			return string(keys), (*answer)(r)
		}
		return string(keys), nil
	})
	return i
}

// hang makes the issuer answer nothing until it is asked no more.
func (i *testIssuer) hang() {
	hang := func(r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	}
	i.answer.Store(&hang)
}

// token returns a token that the key signed, and that names a key.
func (i *testIssuer) token(t *testing.T, id string) *jwt {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	body := encode([]byte(`{"alg":"EdDSA","kid":"`+id+`"}`)) + "." + encode([]byte(`{"iss":"`+testURL+`"}`))
	token, err := parseJWT(body + "." + encode(ed25519.Sign(i.key, []byte(body))))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask asks for the payload of a token, and says how long that took.
func (i *testIssuer) ask(t *testing.T, id string) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	_, err := i.payload(t.Context(), i.token(t, id), []jose.SignatureAlgorithm{jose.EdDSA})
	return time.Since(start), err
}

func TestIssuerIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestIssuer(t)
		defer i.close()
		for range 100 { // tokens of keys that there are not
			if _, err := i.ask(t, "2"); err == nil {
				t.Fatal("a token of no key is good")
			}
			time.Sleep(time.Second)
		}
		if got := i.fetches.Load(); got != 10 {
			t.Errorf("asked %d times in 100 s, want each 10 s", got)
		}
		i.fetches.Store(0)
		for range 3600 {
			if _, err := i.ask(t, "1"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if got := i.fetches.Load(); got < 5 || got > 6 {
			t.Errorf("asked %d times in an hour for a key that is known, want each 10 min", got)
		}
	})
}

func TestIssuerThatHangsIsWaitedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestIssuer(t)
		defer i.close()
		i.hang()
		took := make(chan time.Duration)
		for range maxWaiting + 1 {
			go func() {
				d, err := i.ask(t, "1")
				if !errors.Is(err, errKeysAway) {
					t.Errorf("got error %v, want that the keys are away", err)
				}
				took <- d
			}()
		}
		refused := 0
		for range maxWaiting + 1 {
			switch d := <-took; d {
			case 0:
				refused++
			case fetchTime:
			default:
				t.Errorf("waited for %v, want %v", d, fetchTime)
			}
		}
		if refused != 1 || i.fetches.Load() != 1 {
			t.Errorf("%d did not wait, and the issuer was asked %d times, want once each", refused, i.fetches.Load())
		}
		if d, err := i.ask(t, "1"); !errors.Is(err, errKeysAway) || d != 0 {
			t.Errorf("just after: waited for %v, error %v", d, err)
		}
		i.answer.Store(nil)
		time.Sleep(fetchPause)
		if _, err := i.ask(t, "1"); err != nil {
			t.Errorf("when it answers: %v", err)
		}
		i.hang()
		time.Sleep(keysRenewed)
		for range 2 {
			if d, err := i.ask(t, "1"); err != nil || d != 0 {
				t.Errorf("a key that is known, while the issuer hangs: waited for %v, error %v", d, err)
			}
		}
	})
}

func TestWhoeverAsksCanGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newTestIssuer(t)
		i.hang()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := i.payload(ctx, i.token(t, "1"), []jose.SignatureAlgorithm{jose.EdDSA})
		if !errors.Is(err, errKeysAway) || time.Since(start) != time.Second {
			t.Errorf("got error %v after %v", err, time.Since(start))
		}
		i.close() // ends the fetch
		if got := time.Since(start); got != time.Second {
			t.Errorf("close took until %v", got)
		}
		if d, err := i.ask(t, "1"); !errors.Is(err, errKeysAway) || d != 0 || i.fetches.Load() != 1 {
			t.Errorf("once closed: waited for %v, error %v, %d fetches", d, err, i.fetches.Load())
		}
	})
}
