package ledger

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// The register "state" is a snapshot of what the control entries said, sealed
// under a key of the ledger because it holds names. It only makes the start
// quick: without it the state is made again from the tree.

// A savedState is the snapshot as JSON.
type savedState struct {
	Size    uint64    `json:"size"` // it covers the control entries below this index
	Classes []*class  `json:"classes"`
	Streams []*stream `json:"streams"`
	Buckets []*bucket `json:"buckets"`

	Custodians []string `json:"custodians,omitempty"`

	// Retain is what the entries say about retention, of a size of its own.
	Retain json.RawMessage `json:"retain"`
}

// saveState writes the snapshot, if it fits the register.
func (l *Ledger) saveState(ctx context.Context) error {
	sizes, _ := l.progress.snapshot()
	snapshot := l.state.save()
	snapshot.Size = sizes.Integrated // applied before they were integrated
	var err error
	snapshot.Retain, err = l.retain.Save()
	if errors.Is(err, retain.ErrTooLarge) {
		return nil // the older one will do: the rest is made again from the tree
	}
	if err != nil {
		return fmt.Errorf("register state: %w", err)
	}
	sealed, err := l.sealState(snapshot)
	if err != nil || len(sealed) > storage.MaxRegister {
		return err
	}
	r := l.cfg.Registers.Register(registerState)
	old, err := r.Load(ctx)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("register state: %w", err)
	}
	if err := r.Swap(ctx, old, sealed); err != nil {
		return fmt.Errorf("register state: %w", err)
	}
	return nil
}

// loadState reads the snapshot and brings it up to the tree of a size. The entries
// that are not yet in the tree follow from the journal.
func (l *Ledger) loadState(ctx context.Context, size uint64) error {
	sealed, err := l.cfg.Registers.Register(registerState).Load(ctx)
	switch {
	case errors.Is(err, storage.ErrNotFound):
	case err != nil:
		return fmt.Errorf("register state: %w", err)
	default:
		saved, err := l.openState(sealed)
		if err != nil {
			return fmt.Errorf("register state: %w", err)
		}
		if slices.ContainsFunc(saved.Buckets, func(b *bucket) bool { return len(b.Opened) != len(b.Fields) }) {
			break // an older program wrote it, and did not know all of it
		}
		if err := l.state.load(saved); err != nil {
			return fmt.Errorf("register state: %w", err)
		}
		if l.retain, err = retain.Load(saved.Retain); err != nil {
			return fmt.Errorf("register state: %w", err)
		}
	}
	return l.catchUpState(ctx, size)
}

// catchUpState applies the control entries of the tree that the snapshot does
// not cover, as far as their payloads are in the vault.
func (l *Ledger) catchUpState(ctx context.Context, size uint64) error {
	const step = 4096
	for start := min(l.state.size, l.retain.Size()); start < size; start += step {
		leaves, err := l.cfg.Tree.Leaves(ctx, start, min(step, size-start))
		if err != nil {
			return fmt.Errorf("tree: entries from %d on: %w", start, err)
		}
		for i, b := range leaves {
			index := start + uint64(i)
			err := l.catchUpEntry(ctx, index, b)
			if errors.Is(err, storage.ErrNotFound) { // not in the vault yet, so still in the journal with all that follows
				l.state.size = index
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	l.state.size = max(l.state.size, size)
	return nil
}

func (l *Ledger) catchUpEntry(ctx context.Context, index uint64, b []byte) error {
	leaf, err := proofs.ParseLeaf(b)
	if err != nil {
		return fmt.Errorf("tree: entry %d: %w", index, err)
	}
	if leaf.Kind != proofs.Settings {
		return l.applyEntry(index, leaf, nil)
	}
	record, err := l.cfg.Vault.Read(ctx, leaf.Bucket, index)
	if err != nil {
		return fmt.Errorf("vault: entry %d: %w", index, err)
	}
	return l.applyEntry(index, leaf, record)
}

func (st *state) save() savedState {
	s := savedState{Classes: st.classList(), Streams: st.streamList()}
	st.mu.RLock()
	defer st.mu.RUnlock()
	for _, of := range st.ofStream {
		s.Buckets = append(s.Buckets, of...)
	}
	s.Custodians = st.custodians
	return s
}

func (st *state) load(s savedState) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.size, st.custodians = s.Size, s.Custodians
	for _, c := range s.Classes {
		st.classes[c.Body.Class] = c
	}
	for _, s := range s.Streams {
		for i := range s.History {
			if err := s.History[i].compile(); err != nil {
				return err
			}
		}
		st.addStream(s)
	}
	for _, b := range s.Buckets {
		st.addBucket(b)
	}
	return nil
}

func (l *Ledger) sealState(s savedState) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	aead := l.stateAEAD()
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(l.cfg.Rand, nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, packed.Bytes(), []byte(l.origin())), nil
}

func (l *Ledger) openState(sealed []byte) (s savedState, err error) {
	aead := l.stateAEAD()
	if len(sealed) < aead.NonceSize() {
		return s, storage.ErrCorrupt
	}
	nonce, rest := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	packed, err := aead.Open(nil, nonce, rest, []byte(l.origin()))
	if err != nil {
		return s, fmt.Errorf("it does not open with this ledger's keys: %w", storage.ErrCorrupt)
	}
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(plain, &s)
}

// stateAEAD returns AES-256-GCM with random nonces under a key that seals
// snapshots only. There are some thousands in the life of a ledger.
func (l *Ledger) stateAEAD() cipher.AEAD {
	block, err := aes.NewCipher(l.cfg.Secrets.Derive("state"))
	if err != nil {
		panic("ledger: AES-256 refuses a 32-byte key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("ledger: GCM refuses AES: " + err.Error())
	}
	return aead
}
