package local_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

func TestInitNeverTouchesALedger(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	d := open(t, dir, local.Options{})
	appendOne(t, d, payload(1, 100))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	err := local.Init(context.Background(), dir, local.InitOptions{Origin: "example.com/local"})
	if !errors.Is(err, ledger.ErrExists) {
		t.Errorf("the same name: got %v, want ErrExists", err)
	}
	err = local.Init(context.Background(), dir, local.InitOptions{Origin: "example.com/other"})
	if !errors.Is(err, ledger.ErrExists) {
		t.Errorf("another name: got %v, want ErrExists", err)
	}
}

const initOrigin = "example.com/local"

// TestInitRefusesOtherFiles: what is there and is not what was asked for
// would be used in its place.
func TestInitRefusesOtherFiles(t *testing.T) {
	encrypted := local.Quick(local.InitOptions{Origin: initOrigin, Passphrase: "p"})
	for name, c := range map[string]struct {
		first, again local.InitOptions
		names        string
	}{
		"another policy":                     {local.InitOptions{}, local.InitOptions{Policy: "quorum none\n# mine\n"}, "policy"},
		"another configuration":              {local.InitOptions{}, local.InitOptions{Config: local.Config{Heartbeat: "5s"}}, local.ConfigFile},
		"a passphrase, and keys without one": {local.InitOptions{}, encrypted, "not encrypted"},
		"no passphrase, and keys with one":   {encrypted, local.InitOptions{}, "and encrypted"},
		"another name":                       {local.InitOptions{}, local.InitOptions{Origin: "example.com/other"}, "log.key"},
		"keys of fewer kinds":                {local.InitOptions{}, local.InitOptions{PostQuantum: true}, "ML-DSA-44"},
		"keys of more kinds":                 {local.InitOptions{PostQuantum: true}, local.InitOptions{}, "ML-DSA-44"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := initLedger(t, c.first)
			interrupt(t, dir)
			if c.again.Origin == "" {
				c.again.Origin = initOrigin
			}
			err := local.Init(t.Context(), dir, c.again)
			if !errors.Is(err, ledger.ErrExists) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got %v, want ErrExists and %q", err, c.names)
			}
		})
	}
}

// interrupt makes of a ledger what it was when nothing but the lock was in
// its data directory.
func interrupt(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "data"))
	must(t, err)
	for _, e := range entries {
		if e.Name() != "lock" {
			remove(t, dir, "data/"+e.Name())
		}
	}
}

// TestInitGoesOn from wherever it was interrupted, with the same keys.
func TestInitGoesOn(t *testing.T) {
	for name, missing := range map[string][]string{
		"before the data":         nil,
		"before the policy":       {"data", "policy"},
		"before the key state":    {"data", "policy", "keystate"},
		"before the signing keys": {"data", "policy", "keystate", "keys/log.key"},
		"after the configuration": {"data", "policy", "keystate", "keys"},
		"before the beginning":    {""},
	} {
		dir := initLedger(t, local.InitOptions{})
		interrupt(t, dir)
		for _, m := range missing {
			remove(t, dir, m)
		}
		key, _ := os.ReadFile(filepath.Join(dir, "keys", "log.key"))
		if err := local.Init(t.Context(), dir, local.InitOptions{Origin: initOrigin}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if now, err := os.ReadFile(filepath.Join(dir, "keys", "log.key")); err != nil || key != nil && string(now) != string(key) {
			t.Errorf("%s: the signing keys are others (%v)", name, err)
		}
		d := open(t, dir, local.Options{})
		appendOne(t, d, payload(1, 100))
		must(t, d.Close())
		if err := local.Init(t.Context(), dir, local.InitOptions{Origin: initOrigin}); !errors.Is(err, ledger.ErrExists) {
			t.Errorf("%s: once more: got %v, want ErrExists", name, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestInitMakesNothingAnew: what is missing of a ledger was lost, or is not
// mounted.
func TestInitMakesNothingAnew(t *testing.T) {
	for _, missing := range []string{"policy", "data", "keystate", "keys", "keys/log.key", "keys/secrets.key", local.ConfigFile} {
		for _, data := range []bool{true, false} {
			if missing == "policy" && !data {
				continue // as it is where init goes on
			}
			dir := initLedger(t, local.InitOptions{})
			remove(t, dir, missing)
			if !data {
				remove(t, dir, "data")
			}
			if err := local.Init(t.Context(), dir, local.InitOptions{Origin: initOrigin}); !errors.Is(err, ledger.ErrExists) {
				t.Errorf("without %s: got %v, want ErrExists", missing, err)
			}
			if _, err := os.Stat(filepath.Join(dir, missing)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("without %s: it is there again (%v)", missing, err)
			}
		}
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

// TestInitChecksBeforeItTouches: what cannot be made leaves nothing behind.
func TestInitChecksBeforeItTouches(t *testing.T) {
	stranger, err := proofs.GenerateKey("example.com/stranger", proofs.Ed25519, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    local.InitOptions
		want string
	}{
		"no name":                       {local.InitOptions{}, "origin"},
		"a name with a space":           {local.InitOptions{Origin: "a b"}, "origin"},
		"a name that is too long":       {local.InitOptions{Origin: strings.Repeat("o", 256)}, "origin: 256 bytes"},
		"a policy of another log":       {local.InitOptions{Origin: "o", Policy: "log " + stranger.Key().String() + "\nquorum none\n"}, "policy: it has the log example.com/stranger"},
		"a policy without a quorum":     {local.InitOptions{Origin: "o", Policy: "# nothing\n"}, "policy: "},
		"a policy with a wrong line":    {local.InitOptions{Origin: "o", Policy: "# one\nwitness two\n"}, "line 2"},
		"a setting beyond its bounds":   {local.InitOptions{Origin: "o", Config: local.Config{MaxPayload: -1}}, "cairn.toml: max_payload"},
		"a tree at no server's address": {local.InitOptions{Origin: "o", Config: local.Config{Tree: "trillian://"}}, "cairn.toml: tree"},
	} {
		dir := filepath.Join(t.TempDir(), "ledger")
		for _, err := range []error{c.o.Check(), local.Init(t.Context(), dir, c.o)} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the directory was made (%v)", name, err)
		}
	}
	if err := (local.InitOptions{Origin: strings.Repeat("o", 255), PostQuantum: true}).Check(); err != nil {
		t.Errorf("the longest name: got %v", err)
	}
}

// TestInitDoesWhatTheConfigurationSays also where it was written before.
func TestInitDoesWhatTheConfigurationSays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, local.ConfigFile)
	text := "data = \"elsewhere\" # on a disk of its own\n\n[listen]\naddress = \"127.0.0.1:0\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := local.Config{Data: "elsewhere"}
	if err := local.Init(t.Context(), dir, local.InitOptions{Origin: initOrigin}); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("without what it says: got %v, want ErrExists", err)
	}
	if err := local.Init(t.Context(), dir, local.InitOptions{Origin: initOrigin, Config: c}); err != nil {
		t.Fatal(err)
	}
	if held, err := os.ReadFile(path); err != nil || string(held) != text {
		t.Errorf("the configuration became %q (%v)", held, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a directory data (%v)", err)
	}
	d, err := local.Open(t.Context(), dir, c, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, d, payload(1, 100))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	written := initLedger(t, local.InitOptions{Config: local.Config{Data: "there", Heartbeat: "2s"}})
	d = open(t, written, local.Options{})
	appendOne(t, d, payload(1, 100))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPolicyOfAnotherLogIsRefused(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	stranger, err := proofs.GenerateKey("example.com/stranger", proofs.Ed25519, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "policy")
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign := "log " + stranger.Key().String() + "\n"
	for name, text := range map[string]string{
		"a log beside it":      foreign + string(own),
		"a log in its place":   foreign + "quorum none\n",
		"no log":               "quorum none\n",
		"nothing that is read": "nonsense\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := local.Open(t.Context(), dir, local.Config{}, local.Options{}); err == nil || !strings.Contains(err.Error(), "policy "+path) {
			t.Errorf("%s: got %v, want an error that names the policy", name, err)
		}
	}
}

// TestInitAtTheSameTime: whoever makes the ledger, its keys are those that
// are found afterwards.
func TestInitAtTheSameTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	const callers = 4
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			errs[i] = local.Init(t.Context(), dir, local.Quick(local.InitOptions{Origin: "example.com/local", Passphrase: "p"}))
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, ledger.ErrExists) && !errors.Is(err, storage.ErrLocked):
			t.Errorf("got %v, want ErrExists or ErrLocked", err)
		}
	}
	if made != 1 {
		t.Errorf("the ledger was made %d times", made)
	}
	d := open(t, dir, local.Options{Passphrase: func() (string, error) { return "p", nil }})
	appendOne(t, d, payload(1, 100))
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestNothingPrintsThePassphrase(t *testing.T) {
	o := local.InitOptions{Origin: "example.com/l", Passphrase: "correct horse"}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&b, verb+"\n"+verb+"\n", o, []any{&o, struct{ O local.InitOptions }{o}})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Error("message", "options", o)
	}
	if strings.Contains(b.String(), "horse") {
		t.Errorf("got %s", b.String())
	}
}
