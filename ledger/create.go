package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// The classes and the stream that a new ledger has.
const (
	DefaultClass  = "standard" // kept for ever, until somebody sets another class
	AccessClass   = "access"   // of what the ledger records about its use; kept for ever, until it is set
	DefaultStream = "default"
)

// ErrExists means that the storage holds a ledger already.
var ErrExists = errors.New("there is a ledger here already")

// Create makes a ledger in empty storage: its first entries, signed. It is
// the only act that does. If it was interrupted, calling it again goes on; on
// a finished ledger it is [ErrExists] and changes nothing.
func Create(ctx context.Context, cfg Config) error {
	l, err := newLedger(cfg)
	if err != nil {
		return err
	}
	if _, err := cfg.Registers.Register(registerSigned).Load(ctx); err == nil {
		return ErrExists
	} else if !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("create ledger: register signed: %w", err)
	}
	if cfg.SignedCopy != nil {
		if _, err := cfg.SignedCopy.Load(ctx); err == nil {
			return fmt.Errorf("create ledger: the copy of the register signed belongs to a ledger: %w", ErrExists)
		}
	}
	if err := l.create(ctx); err != nil {
		return fmt.Errorf("create ledger: %w", err)
	}
	return nil
}

func (l *Ledger) create(ctx context.Context) error {
	size, _, err := l.cfg.Tree.Head(ctx)
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if size != 0 {
		return fmt.Errorf("the tree has %d entries: %w", size, ErrExists)
	}
	b, err := l.firstBatch(ctx)
	if err != nil {
		return err
	}
	// The signature comes second: what it covers must survive a crash first.
	var e edge
	for _, leaf := range b.leaves() {
		e.append(leaf)
	}
	_, err = l.sign(ctx, nil, e)
	return err
}

// firstBatch returns the batch that an interrupted creation left in the
// journal, or makes one and appends it.
func (l *Ledger) firstBatch(ctx context.Context) (*batch, error) {
	first, next := l.cfg.Journal.Bounds()
	if first != 0 || next > 1 {
		return nil, fmt.Errorf("the journal has %d records: %w", next, ErrExists)
	}
	if next == 1 {
		var b *batch
		err := l.cfg.Journal.Replay(ctx, 0, func(_ uint64, record []byte) (err error) {
			b, err = parseBatch(append([]byte(nil), record...))
			return err
		})
		return b, err
	}
	s := &sequencer{l: l}
	b := &batch{}
	admissions, err := l.firstEntries()
	if err != nil {
		return nil, err
	}
	now := uint64(l.cfg.Clock().UnixMicro())
	for _, a := range admissions {
		if err := s.add(b, a, now); err != nil {
			return nil, err
		}
	}
	_, err = l.cfg.Journal.Append(ctx, formatBatch(b))
	return b, err
}

// firstEntries are the entries that every ledger begins with: what it is, the
// first bucket of its own stream, two classes and a stream.
func (l *Ledger) firstEntries() ([]*admission, error) {
	var keys []string
	for _, k := range l.cfg.Keys {
		keys = append(keys, k.Key().String())
	}
	body, err := proofs.FormatCreated(proofs.CreatedBody{
		Origin: l.origin(), Keys: strings.Join(keys, "\n"), PolicyHash: sha256.Sum256(l.cfg.PolicyText),
	})
	if err != nil {
		return nil, err
	}
	admissions := []*admission{openControl(proofs.Created, body)}
	path := bucketPath{Stream: controlStream, Class: controlClass, Period: proofs.Month.Number(l.cfg.Clock())}
	opened, err := l.bucketEntry(1, path, nil)
	if err != nil {
		return nil, err
	}
	opened.sequenced(1) // what follows is sealed in it
	admissions = append(admissions, opened)
	access, err := l.settingsEntry(forEver(accessClass), proofs.ClassSettings{Name: AccessClass})
	if err != nil {
		return nil, err
	}
	class, err := l.settingsEntry(forEver(accessClass+1), proofs.ClassSettings{Name: DefaultClass})
	if err != nil {
		return nil, err
	}
	stream, err := l.settingsEntry(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1, Class: accessClass + 1}}, proofs.StreamSettings{Name: DefaultStream, Fields: []proofs.Field{}})
	if err != nil {
		return nil, err
	}
	return append(admissions, access, class, stream), nil
}

// openControl returns a control entry with a clear body and nothing sealed.
func openControl(kind proofs.Kind, body []byte) *admission {
	return &admission{
		leaf: proofs.Leaf{Kind: kind, C: proofs.Record{}.Commitment(), T: proofs.EmptyRoot(), Control: body},
	}
}

// forEver is a class that keeps entries for ever.
func forEver(class uint16) proofs.SettingsBody {
	return proofs.SettingsBody{Class: &proofs.ClassBody{Class: class, Period: proofs.Month}}
}
