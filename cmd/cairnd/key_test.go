package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice/vaulttest"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/ledger/local"
)

// A keyLedger is a ledger with two places and an escrow.
type keyLedger struct {
	t                               *testing.T
	dir, one, two, escrow, identity string
}

func newKeyLedger(t *testing.T) *keyLedger {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	l := &keyLedger{t: t, dir: filepath.Join(here, "ledger"), two: filepath.Join(here, "two"), escrow: filepath.Join(here, "escrow")}
	l.one = filepath.Join(l.dir, "one")
	l.identity = write(t, filepath.Join(here, "identity.txt"), identity.String()+"\n")
	l.runs(command.Yes, "made the ledger", "init", "--origin", "example.com/l", "--key-place", "one", "--key-place", l.two,
		"--escrow-place", l.escrow, "--escrow-recipient", identity.Recipient().String())
	return l
}

// runs runs cairnd and wants an exit status and words in what it prints.
func (l *keyLedger) runs(status int, want string, args ...string) string {
	l.t.Helper()
	got, out, talk := cairnd(l.t, append([]string{"--dir", l.dir}, args...)...)
	if got != status || !strings.Contains(out+talk, want) {
		l.t.Errorf("cairnd %s: got exit status %d, want %d with %q:\n%s%s", args, got, status, want, out, talk)
	}
	return out + talk
}

// opens opens the ledger, and destroys keys n times.
func (l *keyLedger) opens(n int) error {
	var c Config
	if err := local.Decode(filepath.Join(l.dir, local.ConfigFile), &c); err != nil {
		return err
	}
	d, err := local.Open(l.t.Context(), l.dir, c.Config, local.Options{})
	if err != nil {
		return err
	}
	for i := range n {
		_, destroyed := d.KeyState.Destroy(l.t.Context(), keytree.Bucket(1, 1, uint32(i)))
		err = errors.Join(err, destroyed)
	}
	return errors.Join(err, d.Close())
}

func (l *keyLedger) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func TestKeyStatusSaysWhatErasingIsWorth(t *testing.T) {
	l := newKeyLedger(t)
	l.must(l.opens(3))
	out := l.runs(command.Yes, "epoch 3, in 2 places and an escrow", "key", "status")
	for _, want := range []string{l.one + ": epoch 3, in clear, on ", l.two + ": epoch 3", l.escrow + ": epoch 3, closed by age, on", "are on one file system, and can be lost together"} {
		if !strings.Contains(out, want) {
			t.Errorf("got\n%swant %q in it", out, want)
		}
	}
	l.runs(command.Yes, `"destroys": true`, "key", "status", "--json")
	l.must(os.RemoveAll(l.two))
	l.runs(command.No, l.two+": it is not there", "key", "status")
	l.must(os.Mkdir(l.two, 0o700))
	l.runs(command.No, l.two+": it is empty", "key", "status")
}

func TestOnePlaceIsToldEverywhere(t *testing.T) {
	dir := serveNew(t)
	const warning, hint = "nothing can be erased and nothing expires", "hint: nothing can be erased before the key state has a second place"
	for args, status := range map[string]int{"status": command.Yes, "status --json": command.Yes, "key status": command.No} {
		got, out, talk := cairnd(t, append([]string{"--dir", dir}, strings.Fields(args)...)...)
		if got != status || !strings.Contains(out, warning) || !strings.Contains(talk, hint) {
			t.Errorf("%s: got exit status %d, want %d with a warning and a hint:\n%s%s", args, got, status, out, talk)
		}
	}
	status, _, talk := cairnd(t, "init", "--dir", filepath.Join(t.TempDir(), "l"), "--origin", "example.com/l")
	if status != command.Yes || !strings.Contains(talk, hint) || !strings.Contains(talk, "out of every backup") {
		t.Errorf("init: got exit status %d and\n%swant the hint and a warning", status, talk)
	}
}

// TestPlacesAreMadeAgainFromTheEscrow as an operator does who lost all of them.
func TestPlacesAreMadeAgainFromTheEscrow(t *testing.T) {
	l := newKeyLedger(t)
	l.must(l.opens(1))
	early, err := os.ReadFile(filepath.Join(l.escrow, "escrow-1.age"))
	l.must(err)
	l.must(l.opens(2))
	recover := func(status int, want, escrow, identity string) {
		t.Helper()
		l.runs(status, want, "key", "recover", "--escrow", escrow, "--identity", identity)
	}
	latest := filepath.Join(l.escrow, "escrow-2.age")
	recover(command.Unknown, "there is a key state already", latest, l.identity)
	for _, place := range []string{l.one, l.two} {
		l.must(os.RemoveAll(place))
	}
	if err := l.opens(0); err == nil {
		t.Error("it opens without its keys")
	}
	l.runs(command.Misuse, "--escrow FILE", "key", "recover")
	recover(command.Misuse, "it is no file of age identities", latest, latest)
	recover(command.Unknown, "recover key state", l.identity, l.identity)
	old := write(t, filepath.Join(t.TempDir(), "old.age"), string(early))
	recover(command.Unknown, "the key state is older than it has been", old, l.identity)
	recover(command.Yes, "the key state of epoch 2 is in its places again", latest, l.identity)
	l.must(l.opens(3))
	l.runs(command.Yes, "epoch 3, in 2 places and an escrow", "key", "status")
}

func TestWhatAnOldPlaceHoldsIsErased(t *testing.T) {
	l := newKeyLedger(t)
	l.must(l.opens(1))
	old := filepath.Join(t.TempDir(), "old")
	l.must(os.CopyFS(old, os.DirFS(l.two)))
	l.must(l.opens(2))
	link := filepath.Join(t.TempDir(), "link")
	l.must(os.Symlink(l.two, link))
	for _, place := range []string{l.one, l.two, link, l.escrow} {
		l.runs(command.Unknown, "it is a place of the ledger", "key", "erase", place)
	}
	l.runs(command.Yes, "holds no key state any more", "key", "erase", old)
	for _, name := range []string{"cell-1", "state-1"} {
		if _, err := os.Stat(filepath.Join(old, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	l.runs(command.Unknown, "there is no key state", "key", "erase", old)
	other := newKeyLedger(t)
	l.runs(command.Unknown, "it is the key state of another ledger", "key", "erase", other.two)
	l.must(other.opens(0))
	// Without any place that holds the latest, nothing is erased that could be it.
	for _, place := range []string{l.one, l.two} {
		l.must(os.Rename(place, place+"-away"))
	}
	l.runs(command.Unknown, "no place of the ledger holds its key state", "key", "erase", l.two+"-away")
}

func TestInitRefusesPlacesThatAreNone(t *testing.T) {
	for want, args := range map[string][]string{
		"is in the data directory":          {"--key-place", "data/keys"},
		"is named twice":                    {"--key-place", "one", "--key-place", "./one"},
		"escrow_recipients belong together": {"--escrow-place", "escrow"},
		"key_state.escrow_recipients":       {"--escrow-place", "escrow", "--escrow-recipient", "me"},
		`"rot13" is not "none", "passphrase" or the URL of a key service`: {"--key-wrap", "rot13"},
		`"vault://k" is not hashivault://, awskms://`:                     {"--key-wrap", "vault://k"},
		"is not engine=PATH, token_file=FILE or destroy=versions":         {"--key-wrap", "hashivault://k?destroy=all"},
		"the passphrase, and none was given to init":                      {"--key-wrap", "passphrase"},
	} {
		dir := filepath.Join(t.TempDir(), "ledger")
		status, _, talk := cairnd(t, append([]string{"init", "--dir", dir, "--origin", "o"}, args...)...)
		if status != command.Misuse || !strings.Contains(talk, want) {
			t.Errorf("%s: got exit status %d and %q, want 2 and %q", args, status, talk, want)
		}
		if made := files(t, dir); made != nil {
			t.Errorf("%s: it made %q", args, made)
		}
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	write(t, filepath.Join(dir, local.ConfigFile), "[listen]\naddress = \"127.0.0.1:0\"\n")
	status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "o", "--key-place", "one")
	if status != command.Misuse || !strings.Contains(talk, "say in its table key_state") {
		t.Errorf("beside a configuration: got exit status %d and %q", status, talk)
	}
}

// TestHintsOfTheKeyState tells operators what to do.
func TestHintsOfTheKeyState(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(l *keyLedger) error
		want string
	}{
		"a place is not mounted": {func(l *keyLedger) error { return os.RemoveAll(l.two) }, "hint: mount the disk that it is on"},
		"all places are empty": {func(l *keyLedger) error {
			return errors.Join(os.Remove(filepath.Join(l.one, "cell-1")), os.Remove(filepath.Join(l.two, "cell-1")),
				os.Remove(filepath.Join(l.one, "state-1")), os.Remove(filepath.Join(l.two, "state-1")))
		}, "hint: mount the disks that its places are on"},
		"the places are of an earlier time": {func(l *keyLedger) error {
			return os.Rename(filepath.Join(l.escrow, "escrow-1.age"), filepath.Join(l.escrow, "escrow-2.age"))
		}, "hint: bring back the latest state"},
		"it is of before the first release": {func(l *keyLedger) error {
			path := filepath.Join(l.dir, "keys", "secrets.key")
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, fmt.Appendf(text, "tree AQ==\n"), 0o600))
		}, "hint: make a new ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newKeyLedger(t)
			l.must(l.opens(1))
			l.must(c.harm(l))
			l.runs(command.Unknown, c.want, "serve", "--listen", "127.0.0.1:0")
		})
	}
}

func TestKeyServiceClosesThePlaces(t *testing.T) {
	vault := vaulttest.Start("cairn")
	t.Cleanup(vault.Close)
	t.Setenv("VAULT_ADDR", vault.URL)
	t.Setenv("VAULT_TOKEN", vault.Token)
	l := &keyLedger{t: t, dir: filepath.Join(t.TempDir(), "ledger")}
	l.runs(command.Yes, "made the ledger", "init", "--origin", "example.com/l", "--key-place", "one", "--key-place", "two",
		"--key-wrap", "hashivault://cairn?destroy=versions")
	l.runs(command.Yes, "closed by hashivault://cairn?destroy=versions, on ", "key", "status")
	serve(t, l.dir, "--listen", "127.0.0.1:0")
	vault.Close()
	l.runs(command.Unknown, "a server has this ledger open", "serve", "--listen", "127.0.0.1:0")
}
