package keyservice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice/vaulttest"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// A world is a Vault and the two disks of a key state.
type world struct {
	t     *testing.T
	vault *vaulttest.Server
	disks []*memfs.FS
}

const keyName = "cairn-ledger"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, vault: vaulttest.Start(keyName), disks: []*memfs.FS{memfs.New(nil), memfs.New(nil)}}
	t.Cleanup(w.vault.Close)
	t.Setenv("VAULT_ADDR", w.vault.URL)
	t.Setenv("VAULT_TOKEN", w.vault.Token)
	return w
}

const (
	wraps    = "hashivault://" + keyName
	destroys = wraps + "?destroy=versions"
)

func (w *world) options(service string) keystate.Options {
	w.t.Helper()
	wrapper, err := keyservice.Open(w.t.Context(), service)
	if err != nil {
		w.t.Fatal(err)
	}
	return keystate.Options{Wrapper: wrapper, Rand: rand.NewChaCha8([32]byte{1}), Places: places(w.disks)}
}

func places(disks []*memfs.FS) (all []keystate.Place) {
	for i, d := range disks {
		all = append(all, keystate.Place{Name: fmt.Sprint("place ", i), FS: d})
	}
	return all
}

// copies returns the disks as they are now, as a backup would have them.
func (w *world) copies() (disks []*memfs.FS) {
	for _, d := range w.disks {
		disks = append(disks, d.Restart())
	}
	return disks
}

func bucket(n int) keytree.Path { return keytree.Bucket(1, 1, uint32(n)).For(keytree.Sealing) }

// holds checks that exactly these buckets' keys are gone.
func holds(t *testing.T, tree *keytree.Tree, gone ...int) {
	t.Helper()
	for n := range 4 {
		_, err := tree.Derive(bucket(n))
		want := false
		for _, g := range gone {
			want = want || g == n
		}
		if errors.Is(err, keytree.ErrDestroyed) != want {
			t.Errorf("bucket %d: got %v, want that its key is destroyed: %v", n, err, want)
		}
	}
}

// TestOldCopyOpensNoMore once its version of the key is destroyed. Without
// that, the service opens it for whoever may ask.
func TestOldCopyOpensNoMore(t *testing.T) {
	for service, opens := range map[string]bool{wraps: true, destroys: false} {
		w := newWorld(t)
		ctx := t.Context()
		s, err := keystate.Create(ctx, w.options(service), keytree.New([32]byte{5}))
		if err != nil {
			t.Fatal(err)
		}
		before := w.copies()
		o := w.options(service)
		o.Places = places(before)
		if _, err := keystate.Open(ctx, o); err != nil {
			t.Errorf("%s: the copy does not open before: %v", service, err)
		}
		for n := 1; n <= 2; n++ {
			if _, err := s.Destroy(ctx, bucket(n)); err != nil {
				t.Fatal(err)
			}
		}
		if at := s.Effective(); !at.IsZero() {
			t.Errorf("%s: effective from %v, want at once", service, at)
		}
		old, err := keystate.Open(ctx, o)
		if (err == nil) != opens || err != nil && !strings.Contains(err.Error(), "disallowed by policy (too old)") {
			t.Errorf("%s: the old copy: got %v, want that it opens: %v", service, err, opens)
		}
		if opens {
			holds(t, old.Tree()) // the keys that were destroyed are in it
		}
		if versions := w.vault.Versions(keyName); versions != 1 {
			t.Errorf("%s: the service holds %d versions of the key, want 1", service, versions)
		}
		s, err = keystate.Open(ctx, w.options(service))
		if err != nil {
			t.Fatal(err)
		}
		holds(t, s.Tree(), 1, 2)
	}
}

// TestEveryRequestEveryFailure takes the life of a store once for each of its
// requests and each way in which that can fail. What was asked for is done
// again, or the process dies and the store is opened again.
func TestEveryRequestEveryFailure(t *testing.T) {
	tried := 0
	for step := 0; ; step++ {
		struck := false
		for _, how := range vaulttest.Failures() {
			for _, dies := range []bool{false, true} {
				w := newWorld(t)
				w.vault.Fail(step, how)
				w.live(dies)
				requests := w.vault.Requests()
				if struck = len(requests) > step; struck {
					tried++
				}
				if t.Failed() {
					t.Fatalf("request %d of %q %s, the process dies: %v", step, requests, how, dies)
				}
			}
		}
		if !struck {
			break
		}
	}
	if tried < 60 {
		t.Errorf("only %d failures were tried", tried)
	}
	t.Logf("%d failures", tried)
}

// live creates a store, destroys keys and opens it again, with every step done
// once more where it failed.
func (w *world) live(dies bool) {
	ctx := context.Background()
	open := func() (s *keystate.Store, err error) {
		for range 2 {
			if s, err = keystate.Open(ctx, w.options(destroys)); err == nil {
				break
			}
		}
		return s, err
	}
	s, err := keystate.Create(ctx, w.options(destroys), keytree.New([32]byte{5}))
	if err != nil {
		s, err = keystate.Create(ctx, w.options(destroys), keytree.New([32]byte{5}))
		if errors.Is(err, keystate.ErrExists) {
			s, err = open()
		}
	}
	for n := 1; n <= 2 && err == nil; n++ {
		if _, err = s.Destroy(ctx, bucket(n)); err == nil {
			continue
		}
		if !errors.Is(err, keystate.ErrAgain) || s.Check() != nil {
			w.t.Errorf("destroy: got %v and then %v, want ErrAgain and that it can be tried again", err, s.Check())
		}
		if dies {
			if s, err = open(); err != nil {
				break
			}
		}
		_, err = s.Destroy(ctx, bucket(n))
	}
	if err == nil {
		s, err = open()
	}
	if err != nil {
		w.t.Error(err)
		return
	}
	holds(w.t, s.Tree(), 1, 2)
	if versions := w.vault.Versions(keyName); versions != 1 {
		w.t.Errorf("the service holds %d versions of the key, want 1", versions)
	}
}

func TestServiceThatRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(w *world)
		url  string
		want string
	}{
		"a wrong token":    {func(w *world) { t.Setenv("VAULT_TOKEN", "wrong") }, wraps, "status 403: permission denied"},
		"no token":         {func(w *world) { t.Setenv("VAULT_TOKEN", "") }, wraps, "status 403: permission denied"},
		"another key":      {func(*world) {}, "hashivault://other", "status 400: encryption key not found"},
		"another engine":   {func(*world) {}, wraps + "?engine=kv/transit", "status 404: no handler for route"},
		"nobody there":     {func(w *world) { w.vault.Close() }, wraps, "connection refused"},
		"a key to export":  {func(w *world) { w.vault.Exportable(keyName) }, destroys, "can be exported or backed up in clear"},
		"no token in file": {func(*world) {}, wraps + "?token_file=" + filepath.Join(t.TempDir(), "none"), "vault: token: open"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.harm(w)
			wrapper, err := keyservice.Open(t.Context(), c.url)
			if err != nil {
				t.Fatal(err)
			}
			o := keystate.Options{Wrapper: wrapper, Rand: rand.NewChaCha8([32]byte{1}), Places: places(w.disks)}
			if _, err := keystate.Create(t.Context(), o, keytree.New([32]byte{5})); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			for _, d := range w.disks {
				if infos, err := d.ReadDir("."); err != nil || len(infos) > 0 {
					t.Errorf("something was written: %v, %v", infos, err)
				}
			}
		})
	}
}

// TestTokenIsReadForEachRequest, since those who renew it write it anew.
func TestTokenIsReadForEachRequest(t *testing.T) {
	w := newWorld(t)
	t.Setenv("VAULT_TOKEN", "")
	file := filepath.Join(t.TempDir(), "token")
	wrapper, err := keyservice.Open(t.Context(), wraps+"?token_file="+file)
	if err != nil {
		t.Fatal(err)
	}
	for token, works := range map[string]bool{w.vault.Token + "\n": true, "expired": false} {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := wrapper.Wrap(t.Context(), make([]byte, 32)); (err == nil) != works {
			t.Errorf("got %v, want that it works: %v", err, works)
		}
	}
}

// TestAnswersThatAreNoneOfVaults are refused, and what they hold is not told.
func TestAnswersThatAreNoneOfVaults(t *testing.T) {
	newWorld(t)
	secret := "c2VjcmV0IHNlY3JldA"
	for _, body := range []string{
		"", "null", "[]", "{}", `{"data":null}`, `{"data":{}}`, `{"data":{"ciphertext":7,"plaintext":7}}`, `<html>` + secret,
		`{"data":{"ciphertext":"` + secret + `","plaintext":"` + secret + `!"}}`, `{"data":{"ciphertext":"vault:v0:` + secret + `","plaintext":"a"}}`,
		`{"data":{"ciphertext":"vault:v01:` + secret + `","plaintext":"=="}}`, `{"data":{"ciphertext":"vault:v1","plaintext":"a==="}}`,
		strings.Repeat(" ", 2<<20) + `{"data":{"ciphertext":"vault:v1:a","plaintext":""}}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		t.Setenv("VAULT_ADDR", server.URL)
		wrapper, err := keyservice.Open(t.Context(), wraps)
		if err != nil {
			t.Fatal(err)
		}
		_, wrapErr := wrapper.Wrap(t.Context(), make([]byte, 32))
		cell, unwrapErr := wrapper.Unwrap(t.Context(), []byte("vault:v1:x"))
		if unwrapErr == nil && len(cell) == 0 {
			unwrapErr = errors.New("no cell") // as keystate finds
		}
		for _, err := range []error{wrapErr, unwrapErr} {
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%.80q: got %v", body, err)
			}
		}
		server.Close()
	}
}

func TestDeadlineOfTheCallerHolds(t *testing.T) {
	newWorld(t)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	t.Setenv("VAULT_ADDR", server.URL)
	wrapper, err := keyservice.Open(t.Context(), wraps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := wrapper.Wrap(ctx, make([]byte, 32)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestAddressesAndURLsThatAreRefused(t *testing.T) {
	for _, url := range []string{
		"", "none", "vault://k", "base64key://", "hashivault://", "hashivault://a/b", "hashivault://user@k", "hashivault://k?destroy=all",
		"hashivault://k?engine=", "hashivault://k?engine=a&engine=b", "hashivault://k#f", "hashivault://" + strings.Repeat("k", 300), "awskms://%zz",
	} {
		if err := keyservice.Check(url); err == nil {
			t.Errorf("%q is taken", url)
		}
		if _, err := keyservice.Open(t.Context(), url); err == nil {
			t.Errorf("%q is opened", url)
		}
	}
	for _, address := range []string{"", "vault", "http://vault.example.com:8200", "ftp://127.0.0.1"} {
		t.Setenv("VAULT_ADDR", address)
		if _, err := keyservice.Open(t.Context(), wraps); err == nil {
			t.Errorf("the address %q is taken", address)
		}
	}
	t.Setenv("VAULT_ADDR", "https://vault.example.com:8200")
	if _, err := keyservice.Open(t.Context(), wraps); err != nil {
		t.Errorf("an address with TLS: %v", err)
	}
	t.Setenv("VAULT_CACERT", filepath.Join(t.TempDir(), "none"))
	if _, err := keyservice.Open(t.Context(), wraps); err == nil {
		t.Error("certificates that are not there are taken")
	}
}

func TestNothingPrintsTheToken(t *testing.T) {
	w := newWorld(t)
	for _, service := range []string{wraps, destroys} {
		o := w.options(service)
		var b bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&b, verb+"\n"+verb+"\n", o.Wrapper, []any{o.Wrapper, struct{ W keystate.Wrapper }{o.Wrapper}})
		}
		slog.New(slog.NewTextHandler(&b, nil)).Error("message", "wrapper", o.Wrapper)
		slog.New(slog.NewJSONHandler(&b, nil)).Error("message", "wrapper", o.Wrapper)
		if strings.Contains(b.String(), w.vault.Token) || !strings.Contains(b.String(), keyName) {
			t.Errorf("got %s", b.String())
		}
	}
}
