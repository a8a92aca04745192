package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/witness"
)

// An awayVault has a sector that cannot be read, for as long as it names an entry
// that lies there: nobody knows whether it is lost.
type awayVault struct {
	storage.Vault
	at *atomic.Uint64 // 0: all can be read
}

func (v awayVault) err(index uint64) error {
	if at := v.at.Load(); at > 0 && at == index {
		return fmt.Errorf("read: %w", syscall.EIO)
	}
	return nil
}

func (v awayVault) Read(ctx context.Context, bucket uint32, index uint64) ([]byte, error) {
	if err := v.err(index); err != nil {
		return nil, err
	}
	return v.Vault.Read(ctx, bucket, index)
}

func (v awayVault) Scan(ctx context.Context, bucket uint32, from uint64) iter.Seq2[storage.VaultRecord, error] {
	return func(yield func(storage.VaultRecord, error) bool) {
		for r, err := range v.Vault.Scan(ctx, bucket, from) {
			if away := v.err(r.Index); err == nil && away != nil {
				yield(storage.VaultRecord{}, away)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (v awayVault) Rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	for r, err := range v.Scan(ctx, bucket, 0) {
		if err != nil {
			return fmt.Errorf("%d: %w", r.Index, err)
		}
	}
	return v.Vault.Rewrite(ctx, bucket, change)
}

// TestADirectoryWaitsForADiskThatCannotBeRead: what may be read later is not
// committed to as unread, and entries are taken up to the place of the directory.
func TestADirectoryWaitsForADiskThatCannotBeRead(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	place := proofs.DirectoryPlace(0)
	people := a.crowd("people", int(place)-100, "alice", "bob")
	a.away = new(atomic.Uint64)
	a.away.Store(people["alice"][7])
	a.restart() // what the tags were is not in memory any more
	eventually(t, "the ledger says what it waits for", func() bool {
		return strings.Contains(a.l.Status().Unread, syscall.EIO.Error())
	})
	people["alice"] = append(people["alice"], a.record("people", "alice")...) // it takes entries
	done := make(chan []client.Appended)
	go func() {
		var events []client.Event
		for i := range 200 {
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":"alice","n":%d}`, i)})
		}
		got, err := a.as("app").Append(context.Background(), "people", events, client.Witnessed)
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	eventually(t, "the events wait", func() bool { return a.l.Status().Queue > 0 || a.l.Status().Sizes.Sequenced >= place-200 })
	if s := a.l.Status(); s.Stopped != "" || s.Sizes.Sequenced > place || !strings.Contains(s.Unread, fmt.Sprintf("before entry %d", place)) {
		t.Errorf("got %+v, want that entries wait at the place of the directory", s)
	}
	a.away.Store(0)
	for _, g := range <-done {
		people["alice"] = append(people["alice"], g.Index)
	}
	v := a.proven(client.CompleteQuery{Stream: "people", Fields: by("alice"), Now: true})
	if !slices.Equal(v.Hits, people["alice"]) || !v.Complete || v.Directory == 0 || a.l.Status().Unread != "" {
		t.Errorf("got %d hits, complete %v, %q, want all %d", len(v.Hits), v.Complete, a.l.Status().Unread, len(people["alice"]))
	}
	a.judged(audit.Retained{})
}

// TestAnErasureWaitsForADiskThatCannotBeRead, and stops nothing else.
func TestAnErasureWaitsForADiskThatCannotBeRead(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice")
	a.away = new(atomic.Uint64)
	a.restart()
	erasure := Erasure{Stream: "people", Subject: "alice", Reason: "r"}
	a.away.Store(all[1])
	if _, err := a.as("custodian").Erase(t.Context(), erasure); !errors.Is(err, errUnreadable) || !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want that the disk cannot be read", err)
	}
	a.readable(all[0], all[2])
	a.away.Store(0)
	unpublished := a.stall()
	if _, err := a.as("custodian").Erase(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	a.away.Store(all[1])
	unpublished()
	eventually(t, "the erasure waits", func() bool {
		list := a.l.closings()
		return len(list) == 1 && list[0].Waits == WaitsForRetry && strings.Contains(list[0].Trouble, syscall.EIO.Error())
	})
	a.record("people", "carol")
	a.away.Store(0)
	a.l.closer.nudge()
	a.gone(all[0])
	a.readable(all[1])
	a.judged(audit.Retained{GoneErased: 2})
}

// stall lets no witness cosign until the function that it returns is called.
func (a *archive) stall() (over func()) {
	for _, w := range a.witnesses {
		w.misbehave(func(witness.Request) ([]byte, error) { return nil, errors.New("test: stalled") })
	}
	return func() {
		for _, w := range a.witnesses {
			w.misbehave(nil)
		}
	}
}
