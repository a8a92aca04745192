package keystate

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"

	"github.com/cairnlog/cairn/ledger/keytree"
)

// An Escrow is a place whose file nobody here can read: the state, encrypted
// with age to recipients who keep their identities elsewhere. It holds the
// latest state only, as the other places do.
type Escrow struct {
	Place      Place
	Recipients []age.Recipient
}

const (
	escrowPrefix = "escrow-"
	escrowSuffix = ".age"
)

func escrowName(epoch uint64) string {
	return escrowPrefix + strconv.FormatUint(epoch, 10) + escrowSuffix
}

func parseEscrowName(name string) (epoch uint64, ours bool) {
	if !strings.HasPrefix(name, escrowPrefix) || !strings.HasSuffix(name, escrowSuffix) {
		return 0, false
	}
	epoch, err := strconv.ParseUint(name[len(escrowPrefix):max(len(escrowPrefix), len(name)-len(escrowSuffix))], 10, 64)
	return epoch, err == nil && escrowName(epoch) == name
}

// put gives the escrow a state, unless it has one of that epoch, and then
// erases every other.
func (e *Escrow) put(epoch uint64, owner [ownSize]byte, state []byte) error {
	files, err := e.files()
	if err != nil {
		return err
	}
	if _, has := files[epoch]; !has {
		var b bytes.Buffer
		w, err := age.Encrypt(&b, e.Recipients...)
		if err != nil {
			return e.Place.wrong("encrypt", err)
		}
		for _, part := range [][]byte{{version}, owner[:], state} {
			if _, err := w.Write(part); err != nil {
				return e.Place.wrong("encrypt", err)
			}
		}
		if err := w.Close(); err != nil {
			return e.Place.wrong("encrypt", err)
		}
		if err := e.Place.replace(escrowName(epoch), b.Bytes()); err != nil {
			return err
		}
	}
	for other, name := range files {
		if other == epoch {
			continue
		}
		if err := e.Place.shredFile(name); err != nil {
			return e.Place.wrong("erase "+name, err)
		}
	}
	return nil
}

// notAfter checks that an escrow, if there is one, has no later epoch: it is
// given each after the places.
func (e *Escrow) notAfter(epoch uint64) error {
	if e == nil {
		return nil
	}
	files, err := e.files()
	if err != nil {
		return err
	}
	for later := range files {
		if later > epoch {
			return fmt.Errorf("%w: %s has epoch %d and the places have %d: recover it from there", ErrStale, e.Place.Name, later, epoch)
		}
	}
	return nil
}

// files returns the names of the escrow's files by their epochs.
func (e *Escrow) files() (map[uint64]string, error) {
	infos, err := e.Place.FS.ReadDir(".")
	if err != nil {
		return nil, e.Place.wrong("list", err)
	}
	files := make(map[uint64]string)
	for _, info := range infos {
		if epoch, ok := parseEscrowName(info.Name); ok {
			files[epoch] = info.Name
		}
	}
	return files, nil
}

// Recover reads the file of an escrow of a ledger with one of its recipients'
// identities, and returns the tree, which [Restore] puts into places again. The
// error matches [ErrOther] where it is the escrow of another ledger.
func Recover(r io.Reader, owner [ownSize]byte, identities ...age.Identity) (*keytree.Tree, error) {
	plain, err := age.Decrypt(r, identities...)
	if err != nil {
		return nil, fmt.Errorf("recover key state: %w", err)
	}
	state, err := io.ReadAll(io.LimitReader(plain, maxState))
	if err != nil {
		return nil, fmt.Errorf("recover key state: %w", err)
	}
	defer clear(state)
	if len(state) < 1+ownSize || state[0] != version {
		return nil, fmt.Errorf("recover key state: %w: it is no escrow of version %d", ErrMalformed, version)
	}
	if [ownSize]byte(state[1:]) != owner {
		return nil, fmt.Errorf("recover key state: %w", ErrOther)
	}
	tree, err := keytree.Parse(state[1+ownSize:])
	if err != nil {
		return nil, fmt.Errorf("recover key state: %w", err)
	}
	return tree, nil
}
