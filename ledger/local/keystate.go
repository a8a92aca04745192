package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness/signing"
)

// A KeyState says where the key tree is kept, from which the keys of payloads
// come, and in which they are destroyed; see package keystate. None of its
// directories may be in a backup or a snapshot, or what was erased can be
// opened again.
type KeyState struct {
	// Places are directories, outside the data directory, that each hold the
	// key tree in its latest state only. Before anything can be erased or
	// expire there must be two, best on two disks, or an escrow. One that is
	// empty is filled from the others at the start. Default: ["keystate"].
	Places []string `toml:"places,omitempty"`

	// Wrap says what closes the places for those who can read their files:
	// "passphrase", that of the key files, "none", or the URL of a key service,
	// see package keyservice. Default: "passphrase" where secrets.key is
	// encrypted, else "none".
	Wrap string `toml:"wrap,omitempty"`

	// EscrowPlace is a directory that always holds the latest key tree
	// encrypted with age for EscrowRecipients, who keep their identities
	// elsewhere. The places can be made again from it. Default: none.
	EscrowPlace      string   `toml:"escrow_place,omitempty"`
	EscrowRecipients []string `toml:"escrow_recipients,omitempty"`
}

// How the places are closed.
const (
	defaultPlace   = "keystate"
	wrapNone       = "none"
	wrapPassphrase = "passphrase"
)

// A PlaceError means that a directory of the key state cannot be used: its
// disk is lost, or not mounted.
type PlaceError struct {
	Path string
	Err  error
}

func (e *PlaceError) Error() string { return "key state: " + e.Err.Error() }
func (e *PlaceError) Unwrap() error { return e.Err }

// checkKeyState refuses places that nothing can be kept in, or that are no
// places.
func (c Config) checkKeyState() error {
	c = c.resolve(string(filepath.Separator))
	k := c.KeyState
	dirs := k.Places
	if (k.EscrowPlace == "") != (len(k.EscrowRecipients) == 0) {
		return errors.New("key_state.escrow_place and key_state.escrow_recipients belong together")
	}
	if k.EscrowPlace != "" {
		dirs = append(dirs[:len(dirs):len(dirs)], k.EscrowPlace)
	}
	for i, dir := range dirs {
		if dir == c.Data || strings.HasPrefix(dir, c.Data+string(filepath.Separator)) {
			return fmt.Errorf("key_state: %s is in the data directory, with whose copies it must not be kept", dir)
		}
		for _, other := range dirs[:i] {
			if dir == other {
				return fmt.Errorf("key_state: %s is named twice", dir)
			}
		}
	}
	if _, err := k.recipients(); err != nil {
		return fmt.Errorf("key_state.escrow_recipients: %w: each is one of age, which begins with age1", err)
	}
	if k.Wrap != "" && k.Wrap != wrapNone && k.Wrap != wrapPassphrase && !k.atService() {
		return fmt.Errorf("key_state.wrap: %q is not \"none\", \"passphrase\" or the URL of a key service", k.Wrap)
	}
	return nil
}

// atService reports whether a key service closes the places.
func (k KeyState) atService() bool { return isURL(k.Wrap) }

func isURL(wrap string) bool { return strings.Contains(wrap, "://") }

// recipients returns those of the escrow.
func (k KeyState) recipients() ([]age.Recipient, error) {
	if len(k.EscrowRecipients) == 0 {
		return nil, nil
	}
	return age.ParseRecipients(strings.NewReader(strings.Join(k.EscrowRecipients, "\n")))
}

// wrapping names what closes the cells; "" is nothing.
func (k KeyState) wrapping(encrypted bool) string {
	switch {
	case k.Wrap == wrapNone, k.Wrap == "" && !encrypted:
		return ""
	case k.Wrap == "":
		return wrapPassphrase
	}
	return k.Wrap
}

// wrapper returns the wrapper of a name.
func (o Options) wrapper(ctx context.Context, name string) (keystate.Wrapper, error) {
	switch {
	case isURL(name) && o.KeyService == nil:
		return nil, fmt.Errorf("key_state.wrap: this program knows no key services, and so not %s", name)
	case isURL(name):
		return o.KeyService(ctx, name)
	case name != wrapPassphrase:
		return nil, fmt.Errorf("this program does not know %q", name)
	case o.Passphrase == nil:
		return nil, errors.New("the key state is closed with the passphrase, and none was given")
	}
	secret, err := o.Passphrase()
	if err != nil {
		return nil, err
	}
	return keystate.Passphrase(secret, o.parts.workFactor), nil
}

// openKeyState opens the key tree for the ledger. With create it is made where
// there is none.
func (d *Directory) openKeyState(ctx context.Context, cfg *ledger.Config, c Config, o Options, create bool) error {
	ks, err := d.keyStateOptions(ctx, cfg.Secrets, c, o, create)
	if err != nil {
		return err
	}
	if create {
		tree, err := keytree.Generate(rand.Reader)
		if err != nil {
			return err
		}
		// Where one is there an earlier call made it, or it is another ledger's.
		if _, err := keystate.Create(ctx, ks, tree); err != nil && !errors.Is(err, keystate.ErrExists) {
			return err
		}
	}
	d.KeyState, err = keystate.Open(ctx, ks)
	if create && errors.Is(err, keystate.ErrOther) {
		return fmt.Errorf("%w: %w", ledger.ErrExists, err)
	}
	if err != nil {
		return err
	}
	cfg.Secrets.Tree, cfg.Keystate = d.KeyState.Tree(), d.KeyState
	return nil
}

// owner tells a ledger from others in the places of its key state.
func owner(s ledger.Secrets) [32]byte { return [32]byte(s.Derive("key state")) }

// keyStateOptions opens and locks the directories of a key state. With create
// those that are missing are made.
func (d *Directory) keyStateOptions(ctx context.Context, s ledger.Secrets, c Config, o Options, create bool) (ks keystate.Options, err error) {
	ks = keystate.Options{Owner: owner(s), Rand: rand.Reader, Former: o.wrapper}
	encrypted, err := signing.IsEncrypted(filepath.Join(c.Keys, secretsFile))
	if err != nil {
		return ks, err
	}
	if name := c.KeyState.wrapping(encrypted); name != "" {
		if ks.Wrapper, err = o.wrapper(ctx, name); err != nil {
			return ks, err
		}
	}
	return ks, d.openPlaces(&ks, c.KeyState, o, create)
}

// openPlaces opens and locks the directories of the key state.
func (d *Directory) openPlaces(ks *keystate.Options, k KeyState, o Options, create bool) error {
	for _, path := range k.Places {
		p, err := d.openPlace(path, o, create)
		if err != nil {
			return err
		}
		ks.Places = append(ks.Places, p)
	}
	if k.EscrowPlace == "" {
		return nil
	}
	p, err := d.openPlace(k.EscrowPlace, o, create)
	if err != nil {
		return err
	}
	recipients, err := k.recipients()
	ks.Escrow = &keystate.Escrow{Place: p, Recipients: recipients}
	return err
}

func (d *Directory) openPlace(path string, o Options, create bool) (p keystate.Place, err error) {
	p = keystate.Place{Name: path}
	if o.parts.place != nil {
		p.FS, err = o.parts.place(path)
	} else {
		p.FS, err = d.openOS(path, create)
	}
	var lock io.Closer
	if err == nil {
		lock, err = p.FS.Lock("lock")
	}
	if err != nil {
		return p, &PlaceError{path, err}
	}
	d.closers = append(d.closers, lock)
	return p, nil
}

func (d *Directory) openOS(path string, create bool) (disk.FS, error) {
	if create {
		if err := disk.MakePath(path); err != nil {
			return nil, err
		}
	}
	dir, err := disk.OpenOS(path)
	if err != nil {
		return nil, err
	}
	d.closers = append(d.closers, dir)
	return dir, nil
}

// inUse returns the places that hold a key state, or may.
func (k KeyState) inUse() (places []string) {
	for _, path := range k.Places {
		entries, err := os.ReadDir(path)
		cell := func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "cell-") }
		if err != nil && !errors.Is(err, os.ErrNotExist) || slices.ContainsFunc(entries, cell) {
			places = append(places, path)
		}
	}
	return places
}
