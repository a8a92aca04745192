package local_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing/fstest"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// judge opens the ledger of a machine that was stopped in some way and holds
// it to what callers were told before. Then it does the rest of all loads, as
// callers would who were left without an answer, takes the power again, and
// looks again: what an opening believed must be durable too.
func (m *machine) judge(rng *rand.Rand, all []load) error {
	ctx := context.Background()
	d, err := m.open(ctx)
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	err = m.look(ctx, d)
	if err == nil {
		err = m.finish(ctx, d, all)
	}
	after := m.cut(rng)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if d, err = after.open(ctx); err != nil {
		return fmt.Errorf("open once more: %w", err)
	}
	if err = after.look(ctx, d); err == nil {
		err = after.audit(ctx, d)
	}
	return errors.Join(err, d.Close())
}

// finish does every task of every load once more, until all is witnessed.
func (m *machine) finish(ctx context.Context, d *local.Directory, all []load) error {
	for _, l := range all {
		for _, tasks := range l {
			tasks = slices.Clone(tasks)
			for i := range tasks {
				tasks[i].wait = client.Witnessed
			}
			if rest, err := m.run(ctx, d, load{tasks}); err != nil {
				return fmt.Errorf("%d tasks are left: %w", len(rest[0]), err)
			}
		}
	}
	return nil
}

// look checks that the ledger holds all that callers were told.
func (m *machine) look(ctx context.Context, d *local.Directory) error {
	told := m.answers.clone()
	var last answer // of those that are published
	for key, a := range told.appended {
		e, err := d.Ledger.As(ledger.Caller{Name: a.who}).Entry(ctx, a.Index)
		if err == nil && (!bytes.Equal(e.Leaf, a.Leaf) || !bytes.Equal(e.Disclosure.Parts[0].Data, a.event.Data)) {
			err = errors.New("another entry is there")
		}
		if err != nil {
			return fmt.Errorf("%w: event %s, %s at index %d: %w", errLost, key, a.State, a.Index, err)
		}
		if a.State == client.Witnessed && a.Index >= last.Index {
			last = a
		}
	}
	if last.Leaf != nil { // what was published stays so
		receipt, err := d.Ledger.As(ledger.Caller{Name: last.who}).Receipt(ctx, last.Index)
		if err != nil {
			return fmt.Errorf("%w: the publication of entry %d: %w", errLost, last.Index, err)
		}
		last.Receipt = receipt
		if err := last.check(d.Policy); err != nil {
			return err
		}
	}
	streams := d.Ledger.Streams()
	for name, want := range told.streams {
		i := slices.IndexFunc(streams, func(c ledger.StreamConfig) bool { return c.Name == name })
		if i < 0 || len(streams[i].Fields) != len(want.Fields) {
			return fmt.Errorf("%w: the settings of stream %s", errLost, name)
		}
	}
	return nil
}

// check checks the evidence that came with an answer.
func (a answer) check(p *proofs.Policy) error {
	if a.Promise != nil {
		if _, err := a.Promise.Check(p, a.Index, a.Leaf); err != nil {
			return err
		}
	}
	if a.Receipt != nil {
		r, err := proofs.ParseReceipt(a.Receipt)
		if err != nil {
			return err
		}
		if _, err := r.Check(p, a.Leaf); err != nil {
			return err
		}
	}
	return nil
}

// audit lets the auditor judge all that the ledger serves, with the receipts
// that callers were given of each checkpoint, and counts the events: each is
// there once.
func (m *machine) audit(ctx context.Context, d *local.Directory) error {
	files, events, err := export(ctx, d)
	if err != nil {
		return err
	}
	told := m.answers.clone()
	for _, a := range told.appended {
		if r, err := proofs.ParseReceipt(a.Receipt); err == nil {
			name := fmt.Sprintf("receipts/%x.tlog-proof", sha256.Sum256(r.Checkpoint))
			files[name] = &fstest.MapFile{Data: a.Receipt}
		}
	}
	report, err := audit.Run(ctx, files, audit.Options{Policy: d.Policy, Workers: 1})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if report.Total > 0 {
		return fmt.Errorf("audit: %v", report.Findings)
	}
	if events != len(told.appended) {
		return fmt.Errorf("the ledger has %d events of %d: one is there twice", events, len(told.appended))
	}
	return nil
}

// export returns what an auditor reads, and how many events it has.
func export(ctx context.Context, d *local.Directory) (files fstest.MapFS, events int, err error) {
	files = fstest.MapFS{}
	read := func(path string) {
		data, readErr := d.Ledger.ReadFile(ctx, path)
		err = errors.Join(err, readErr)
		files[path] = &fstest.MapFile{Data: data}
	}
	for path, listErr := range d.Ledger.KeptCheckpoints(ctx) {
		err = errors.Join(err, listErr)
		read(path)
	}
	read(audit.CheckpointFile) // later: meanwhile more may be published
	c, parseErr := proofs.ParseSignedCheckpoint(files[audit.CheckpointFile].Data)
	if err = errors.Join(err, parseErr); err != nil {
		return nil, 0, err
	}
	for tile, ok := proofs.TileIn(c.Size, 0, 0); ok; tile, ok = proofs.TileIn(c.Size, 0, tile.Index+1) {
		read(tile.Path())
	}
	for b, ok := proofs.BundleIn(c.Size, 0); ok; b, ok = proofs.BundleIn(c.Size, b.Index+1) {
		read(b.Path())
		leaves, parseErr := proofs.ParseBundle(files[b.Path()].Data, b.Width)
		err = errors.Join(err, parseErr)
		var records [][]byte
		for record, vaultErr := range d.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).SealedRecords(ctx, b) {
			records, err = append(records, record), errors.Join(err, vaultErr)
		}
		files[audit.VaultPath(b)] = &fstest.MapFile{Data: audit.FormatVault(records)}
		for _, l := range leaves {
			if leaf, parseErr := proofs.ParseLeaf(l); parseErr == nil && leaf.Kind == proofs.Event {
				events++
			}
		}
	}
	return files, events, err
}
