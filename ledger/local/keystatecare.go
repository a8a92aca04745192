package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/storage/disk"
)

// RecoverKeyState makes the key state of a ledger again in all its places,
// which hold none, from the file of its escrow, with an identity of one of the
// escrow's recipients. Directories that are missing are made. No server may
// have the ledger open.
//
// The error matches [keystate.ErrExists] where a place holds a state, and
// [keystate.ErrOther] where the escrow is another ledger's.
func RecoverKeyState(ctx context.Context, dir string, c Config, o Options, escrow io.Reader, identities ...age.Identity) (r keystate.Replacement, err error) {
	d := &Directory{}
	defer func() { err = errors.Join(err, d.Close()) }()
	c = c.resolve(dir)
	var cfg ledger.Config
	if err := readKeys(&cfg, c, o); err != nil {
		return r, err
	}
	ks, err := d.keyStateOptions(ctx, cfg.Secrets, c, o, true)
	if err != nil {
		return r, err
	}
	tree, err := keystate.Recover(escrow, ks.Owner, identities...)
	if err != nil {
		return r, err
	}
	s, err := keystate.Restore(ctx, ks, tree)
	if err != nil {
		return r, err
	}
	return s.Current(), nil
}

// EraseKeyState overwrites and removes the key state of a ledger in a directory
// that is none of its places any more.
func EraseKeyState(dir string, c Config, o Options, path string) (err error) {
	d := &Directory{}
	defer func() { err = errors.Join(err, d.Close()) }()
	c = c.resolve(dir)
	var cfg ledger.Config
	if err := readKeys(&cfg, c, o); err != nil {
		return err
	}
	own := owner(cfg.Secrets)
	var latest *uint64
	for _, used := range append([]string{c.KeyState.EscrowPlace}, c.KeyState.Places...) {
		if sameFile(used, path) {
			return fmt.Errorf("%s: it is a place of the ledger", path)
		}
		if dir, err := disk.OpenOS(used); err == nil {
			h, ok, err := keystate.Place{Name: used, FS: dir}.Holding()
			if err == nil && ok && h.Owner == own && (latest == nil || h.Epoch > *latest) {
				latest = &h.Epoch
			}
			if err := dir.Close(); err != nil {
				return err
			}
		}
	}
	if latest == nil {
		return fmt.Errorf("no place of the ledger holds its key state: %w", keystate.ErrNone)
	}
	p, err := d.openPlace(path, o, false)
	if err != nil {
		return err
	}
	return p.Erase(own, *latest)
}

func sameFile(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return a == b || errA == nil && errB == nil && os.SameFile(ia, ib)
}
