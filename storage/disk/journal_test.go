package disk_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// TestTornAfterFull: an append runs out of space halfway, the next one at the
// same place is torn by a power cut. What is left of both is no damage.
func TestTornAfterFull(t *testing.T) {
	for seed := range uint64(200) {
		plan, rng := &fault.Plan{Seed: seed}, rand.New(rand.NewPCG(seed, 0))
		fsys := memfs.New(plan)
		j, err := openSimulated(t, fsys).Journal("journal", key)
		must(t, err)
		_, err = j.Append(t.Context(), []byte("first"))
		must(t, err)
		plan.At(len(plan.Steps()), fault.NoSpace)
		_, err = j.Append(t.Context(), bytes.Repeat([]byte("full"), 5000))
		wantErr(t, "append to a full disk", err, storage.ErrNoSpace)
		plan.At(len(plan.Steps())+1, fault.Torn)
		_, err = j.Append(t.Context(), bytes.Repeat([]byte("torn"), 150))
		wantErr(t, "a torn append", err, fault.ErrInjected)

		j, err = openSimulated(t, fsys.Crash(rng)).Journal("journal", key)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if _, next := j.Bounds(); next != 1 && next != 2 {
			t.Errorf("seed %d: %d records are left", seed, next)
		}
	}
}

// TestFullJournalGoesOn: a journal whose disk is full goes on when there is
// room again, also where it was to begin a segment.
func TestFullJournalGoesOn(t *testing.T) {
	plan := new(fault.Plan)
	fsys := memfs.New(plan)
	j, err := openSimulated(t, fsys).Journal("journal", key)
	must(t, err)
	for n := range uint64(12) {
		record := bytes.Repeat([]byte{byte(n)}, 4000)
		plan.At(len(plan.Steps()), fault.NoSpace)
		_, err := j.Append(t.Context(), record)
		wantErr(t, "append to a full disk", err, storage.ErrNoSpace)
		position, err := j.Append(t.Context(), record)
		if err != nil || position != n {
			t.Fatalf("Append = %d, %v, want %d", position, err, n)
		}
	}
}
