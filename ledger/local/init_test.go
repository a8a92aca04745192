package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
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

// TestInitRefusesOtherFiles: what is there and is not what was asked for
// would be used in its place.
func TestInitRefusesOtherFiles(t *testing.T) {
	const origin = "example.com/local"
	for name, c := range map[string]struct {
		change func(dir string) error
		again  local.InitOptions
		names  string
	}{
		"another policy":                     {nil, local.InitOptions{Policy: "quorum none\n# mine\n"}, "policy"},
		"another configuration":              {nil, local.InitOptions{ConfigText: "heartbeat = \"5s\"\n"}, local.ConfigFile},
		"a passphrase, and keys without one": {nil, local.Quick(local.InitOptions{Passphrase: "p"}), "log.key"},
		"a policy of a key that is lost": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "keys", "log.key"))
		}, local.InitOptions{}, "log.key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := initLedger(t, local.InitOptions{Origin: origin})
			if c.change != nil {
				if err := c.change(dir); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil { // as if it had been interrupted
				t.Fatal(err)
			}
			c.again.Origin = origin
			err := local.Init(t.Context(), dir, c.again)
			if !errors.Is(err, ledger.ErrExists) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got %v, want ErrExists and the name %s", err, c.names)
			}
		})
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
