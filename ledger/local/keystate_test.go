package local_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice/vaulttest"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/ledger/local"
)

// placesOf returns the names of what lies in a directory but the lock.
func placesOf(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "lock" {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// expired destroys the keys of some bucket.
func expired(t *testing.T, d *local.Directory) keystate.Replacement {
	t.Helper()
	r, err := d.KeyState.Destroy(t.Context(), keytree.Bucket(1, 1, 20000))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeyTreeIsInItsPlacesOnly(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	c := local.Config{KeyState: local.KeyState{
		Places:      []string{"here", filepath.Join(elsewhere, "there")},
		EscrowPlace: filepath.Join(elsewhere, "escrow"), EscrowRecipients: []string{identity.Recipient().String()},
	}}
	dir := initLedger(t, local.InitOptions{Config: c})
	for epoch, want := range []string{"cell-0 state-0", "cell-1 state-1"} {
		d := open(t, dir, local.Options{})
		appendOne(t, d, payload(int64(epoch), 100))
		if got := int(d.KeyState.Current().Epoch); got != epoch {
			t.Errorf("got epoch %d, want %d", got, epoch)
		}
		for _, place := range []string{filepath.Join(dir, "here"), filepath.Join(elsewhere, "there")} {
			if got := placesOf(t, place); got != want {
				t.Errorf("%s has %s, want %s", place, got, want)
			}
		}
		if got := placesOf(t, filepath.Join(elsewhere, "escrow")); got != "escrow-"+want[5:6]+".age" {
			t.Errorf("the escrow has %s", got)
		}
		expired(t, d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	secrets, err := os.ReadFile(filepath.Join(dir, "keys", "secrets.key"))
	if err != nil || bytes.Count(secrets, []byte("\n")) != 2 {
		t.Errorf("secrets.key has more than the master key (%v): %d bytes", err, len(secrets))
	}
}

func TestOnePlaceKeepsAndDestroysNothing(t *testing.T) {
	d := open(t, initLedger(t, local.InitOptions{}), local.Options{})
	defer d.Close()
	if err := d.KeyState.Check(); !errors.Is(err, keystate.ErrOneCopy) {
		t.Errorf("got %v, want ErrOneCopy", err)
	}
}

// TestPlaceCanBeAddedAndLost is what an operator does whose disk dies.
func TestPlaceCanBeAddedAndLost(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	second := filepath.Join(t.TempDir(), "second")
	c := local.Config{KeyState: local.KeyState{Places: []string{"keystate", second}}}
	_, err := local.Open(t.Context(), dir, c, local.Options{})
	var place *local.PlaceError
	if !errors.As(err, &place) || place.Path != second || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("of a directory that is not there: got %v, want a PlaceError", err)
	}
	for _, lost := range []string{second, filepath.Join(dir, "keystate")} {
		if err := os.RemoveAll(lost); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(lost, 0o700); err != nil {
			t.Fatal(err)
		}
		d, err := local.Open(t.Context(), dir, c, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		expired(t, d)
		appendOne(t, d, payload(1, 100))
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if a, b := placesOf(t, second), placesOf(t, filepath.Join(dir, "keystate")); a != b || a != "cell-1 state-1" {
			t.Errorf("the places have %s and %s, want epoch 1 in both", a, b)
		}
	}
	for _, lost := range []string{second, filepath.Join(dir, "keystate")} {
		if err := os.RemoveAll(lost); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(lost, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := local.Open(t.Context(), dir, c, local.Options{}); !errors.Is(err, keystate.ErrNone) {
		t.Errorf("without any: got %v, want ErrNone", err)
	}
}

// TestPlaceOfAnotherLedgerIsNotTaken neither when a ledger is made nor later.
func TestPlaceOfAnotherLedgerIsNotTaken(t *testing.T) {
	other := filepath.Join(initLedger(t, local.InitOptions{Origin: "example.com/other"}), "keystate")
	c := local.Config{KeyState: local.KeyState{Places: []string{"keystate", other}}}
	err := local.Init(t.Context(), filepath.Join(t.TempDir(), "ledger"), local.InitOptions{Origin: initOrigin, Config: c})
	if !errors.Is(err, ledger.ErrExists) || !strings.Contains(err.Error(), "the key state in "+other+" is of a ledger") {
		t.Errorf("init: got %v, want ErrExists and the place", err)
	}
	if _, err := local.Open(t.Context(), initLedger(t, local.InitOptions{}), c, local.Options{}); !errors.Is(err, keystate.ErrOther) {
		t.Errorf("open: got %v, want ErrOther", err)
	}
	d, err := local.Open(t.Context(), filepath.Dir(other), local.Config{}, local.Options{})
	if err != nil {
		t.Fatalf("the other ledger does not open any more: %v", err)
	}
	closeAll(t, d)
}

// TestPassphraseClosesTheKeyTreeToo unless the configuration says otherwise.
func TestPassphraseClosesTheKeyTreeToo(t *testing.T) {
	right := func() (string, error) { return "correct horse", nil }
	for name, c := range map[string]struct {
		passphrase, wrap string
		closed           bool
	}{
		"encrypted key files":          {"correct horse", "", true},
		"key files in clear":           {"", "", false},
		"encrypted, and the tree open": {"correct horse", "none", false},
	} {
		t.Run(name, func(t *testing.T) {
			config := local.Config{KeyState: local.KeyState{Places: []string{"one", "two"}, Wrap: c.wrap}}
			dir := initLedger(t, local.Quick(local.InitOptions{Passphrase: c.passphrase, Config: config}))
			cell, err := os.ReadFile(filepath.Join(dir, "two", "cell-0"))
			if err != nil || bytes.Contains(cell, []byte("passphrase")) != c.closed {
				t.Errorf("got a cell of %d bytes (%v), want that a passphrase closes it: %v", len(cell), err, c.closed)
			}
			d := open(t, dir, local.Options{Passphrase: right})
			appendOne(t, d, payload(1, 100))
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestLedgerOfTheOldLayoutIsToldSo(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	path := filepath.Join(dir, "keys", "secrets.key")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "tree AQAAAAAAAAAAAAAAIQA=\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(t.Context(), dir, local.Config{}, local.Options{}); !errors.Is(err, local.ErrOldLayout) {
		t.Errorf("got %v, want ErrOldLayout", err)
	}
}

// TestKeyServiceClosesThePlaces from init on, and can be changed for another
// and back.
func TestKeyServiceClosesThePlaces(t *testing.T) {
	vault := vaulttest.Start("cairn")
	t.Cleanup(vault.Close)
	t.Setenv("VAULT_ADDR", vault.URL)
	t.Setenv("VAULT_TOKEN", vault.Token)
	const url = "hashivault://cairn?destroy=versions"
	c := local.Config{KeyState: local.KeyState{Places: []string{"one", "two"}, Wrap: url}}
	o := local.InitOptions{Origin: initOrigin, Config: c}
	if err := local.Init(t.Context(), filepath.Join(t.TempDir(), "ledger"), o); err == nil || !strings.Contains(err.Error(), "knows no key services") {
		t.Errorf("without any: got %v", err)
	}
	o.KeyService = keyservice.Open
	dir := initLedger(t, o)
	for i, now := range []struct{ wrap, cell string }{{url, url}, {"none", ""}, {url, url}} {
		c.KeyState.Wrap = now.wrap
		d, err := local.Open(t.Context(), dir, c, local.Options{KeyService: keyservice.Open})
		if err != nil {
			t.Fatal(err)
		}
		appendOne(t, d, payload(int64(i), 100))
		if _, err := d.KeyState.Destroy(t.Context(), keytree.Bucket(1, 1, uint32(i))); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		info := local.InspectKeyState(dir, c)
		if info.Epoch != uint64(i+1) || info.Places[1].Wrapping != now.cell {
			t.Errorf("got %+v, want epoch %d closed by %q", info, i+1, now.cell)
		}
	}
	vault.Close()
	if _, err := local.Open(t.Context(), dir, c, local.Options{KeyService: keyservice.Open}); err == nil {
		t.Error("it opens without the service")
	}
}
