package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A damagedVault has lost records: what is read of each is what became of it.
type damagedVault struct {
	storage.Vault
	lost map[uint64]damage
}

// A damage says what becomes of a record: it is another one, or there is none.
type damage struct {
	data []byte
	err  error // nil: the record is data
}

func (v damagedVault) Read(ctx context.Context, bucket uint32, index uint64) ([]byte, error) {
	data, err := v.Vault.Read(ctx, bucket, index)
	if d, ok := v.lost[index]; ok && err == nil {
		return slices.Clone(d.data), d.err
	}
	return data, err
}

// Scan ends where a record is corrupt, as the law of vaults has it, and passes
// over one that is not there.
func (v damagedVault) Scan(ctx context.Context, bucket uint32, from uint64) iter.Seq2[storage.VaultRecord, error] {
	return func(yield func(storage.VaultRecord, error) bool) {
		for r, err := range v.Vault.Scan(ctx, bucket, from) {
			d, lost := v.lost[r.Index]
			switch {
			case err == nil && lost && errors.Is(d.err, storage.ErrNotFound):
				continue
			case err == nil && lost && d.err != nil:
				yield(storage.VaultRecord{}, d.err)
				return
			case err == nil && lost:
				r.Data = slices.Clone(d.data)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Rewrite gives what is corrupt as damaged, and what is another one as it is. What
// change leaves as it is comes back when the damage is mended.
func (v damagedVault) Rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	return v.Vault.Rewrite(ctx, bucket, func(records []storage.VaultRecord) error {
		given := slices.Clone(records)
		for i, r := range given {
			d, lost := v.lost[r.Index]
			if !lost || errors.Is(d.err, storage.ErrNotFound) {
				continue
			}
			given[i].Damaged, given[i].Data = d.err != nil, slices.Clone(d.data)
			if d.err != nil {
				given[i].Data = []byte("damaged")
			}
		}
		was := make([][]byte, len(given))
		for i, r := range given {
			was[i] = slices.Clone(r.Data)
		}
		if err := change(given); err != nil {
			return err
		}
		for i, r := range given {
			if _, lost := v.lost[r.Index]; !lost || !slices.Equal(r.Data, was[i]) {
				records[i].Data = r.Data
			}
		}
		return nil
	})
}

// TestALedgerGoesOnWithoutWhatItsMediumHasLost: no record that is damaged stops it
// at the place of a directory, and what is proven says what was not read.
func TestALedgerGoesOnWithoutWhatItsMediumHasLost(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	people := a.crowd("people", int(proofs.DirectoryPlace(0))-200, "alice", "bob")
	lost := []uint64{people["alice"][7], people["alice"][8], people["bob"][20], people["bob"][300], people["alice"][700]}
	a.damage = map[uint64]damage{
		lost[0]: {err: fmt.Errorf("row: %w", storage.ErrCorrupt)}, lost[1]: {err: storage.ErrNotFound}, lost[2]: {data: []byte("rubbish")},
		lost[3]: {data: a.vaultRecord(lost[3])}, lost[4]: {err: storage.ErrNotFound},
	}
	sealed := a.damage[lost[3]].data
	sealed[len(sealed)-1] ^= 1 // of the tags
	swapped := people["bob"][900]
	lost = append(lost, swapped)
	a.damage[swapped] = damage{data: a.vaultRecord(people["bob"][902])} // which is whole, and another's
	slices.Sort(lost)
	a.restart()
	for name, more := range a.crowd("people", proofs.SegmentSize+300, "alice", "bob", "carol") {
		people[name] = append(people[name], more...)
	}
	check := func(now bool, unread []uint64) {
		t.Helper()
		for _, name := range []string{"alice", "bob", "carol", "nobody"} {
			want := slices.DeleteFunc(slices.Clone(people[name]), func(i uint64) bool { return slices.Contains(unread, i) })
			v := a.proven(client.CompleteQuery{Stream: "people", Fields: by(name), Now: now})
			want = slices.DeleteFunc(want, func(i uint64) bool { return i >= v.Stop })
			if !slices.Equal(v.Hits, want) || !slices.Equal(v.Unread, proofs.RunsOf(unread)) || v.Complete || v.Directory == 0 {
				t.Errorf("%s: got %d hits, complete %v, unread %v, want %d and %v", name, len(v.Hits), v.Complete, v.Unread, len(want), unread)
			}
		}
	}
	check(true, lost)
	check(false, lost)
	a.restart()
	check(true, lost)

	// What is lost later is of a directory that has it, or of none yet.
	whole := a.damage
	tail := people["bob"][len(people["bob"])-1]
	a.damage = map[uint64]damage{tail: {err: storage.ErrNotFound}, people["alice"][30]: {err: storage.ErrCorrupt}}
	for index, d := range whole {
		a.damage[index] = d
	}
	a.restart()
	var p *client.Problem
	if _, err := a.as("reader").ProveComplete(t.Context(), client.CompleteQuery{Stream: "people", Fields: by("bob")}); !errors.As(err, &p) || p.Code() != client.Unavailable ||
		!strings.Contains(p.Detail, fmt.Sprintf("entry %d cannot be read any more, of which a proof over any of the entries 0 to 4095 ", people["alice"][30])) {
		t.Errorf("got %v of a directory that cannot be made again", err)
	}
	q := client.CompleteQuery{Stream: "people", Fields: by("bob"), First: proofs.SegmentSize, Now: true}
	if v := a.proven(q); !slices.Equal(v.Unread, proofs.RunsOf([]uint64{tail})) || v.Complete {
		t.Errorf("got %v, complete %v, want entry %d", v.Unread, v.Complete, tail)
	}

	// What comes back stays out of the directories that were made without it.
	a.damage = nil
	a.restart()
	check(true, lost)
	a.record(DefaultStream, "")
}

// vaultRecord returns what the vault has of an entry.
func (a *archive) vaultRecord(index uint64) []byte {
	a.t.Helper()
	e, err := a.l.stored(a.t.Context(), index)
	if err != nil {
		a.t.Fatal(err)
	}
	return e.record
}
