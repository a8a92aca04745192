package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
)

// damaged is a record that is ErrCorrupt.
func damaged() damage { return damage{err: fmt.Errorf("row: %w", storage.ErrCorrupt)} }

// restarted starts the ledger again with a vault that has lost records.
func (a *archive) restarted(lost map[uint64]damage) {
	a.t.Helper()
	a.damage = lost
	a.restart()
}

// TestAnErasureIsDoneThoughRecordsAreDamaged: some of others and some of hers. What
// cannot be read may be hers, and the announcement says so; what is restored later
// is closed where it is.
func TestAnErasureIsDoneThoughRecordsAreDamaged(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice", "carol", "alice", "dave", "bob", "alice")
	a.restarted(map[uint64]damage{all[1]: damaged(), all[2]: damaged(), all[3]: {data: []byte("rubbish")}, all[7]: damaged()})
	unread := proofs.RunsOf([]uint64{all[1], all[2], all[3], all[7]})
	erasure := Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}
	plan, err := a.as("custodian").PlanErasure(t.Context(), erasure)
	if err != nil || plan.Entries != 2 || !slices.Equal(plan.Unread, unread) {
		t.Fatalf("got the plan %+v, %v, want two entries and %v", plan, err, unread)
	}
	if plan, err = a.as("custodian").Erase(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{all[0], all[4]} {
		if p := a.gone(index); !slices.Equal(p.Reasons, []uint64{plan.Announced}) {
			t.Errorf("entry %d is gone for the reasons %d, want %d", index, p.Reasons, plan.Announced)
		}
	}
	a.readable(all[5], all[6])
	leaf, err := a.l.leaf(t.Context(), plan.Announced)
	if err != nil {
		t.Fatal(err)
	}
	body, err := proofs.ParseErasure(leaf.Control)
	if err != nil || !slices.Equal(body.Erased.Closes, proofs.RunsOf([]uint64{all[0], all[4]})) || !slices.Equal(body.Erased.Unread, unread) {
		t.Errorf("the announcement says %+v, %v", body.Erased, err)
	}
	a.onlyAltered(all[1], all[2], all[3], all[7])

	a.restarted(nil)
	for _, index := range []uint64{all[0], all[2], all[4], all[7]} {
		if p := a.gone(index); !slices.Equal(p.Reasons, []uint64{plan.Announced}) {
			t.Errorf("entry %d is gone for the reasons %d, want %d", index, p.Reasons, plan.Announced)
		}
	}
	a.readable(all[1], all[3], all[5], all[6])
	a.judged(audit.Retained{GoneErased: 2})

	// To erase her again takes what was restored out of the vault.
	restored := proofs.RunsOf([]uint64{all[2], all[7]})
	if plan, err = a.as("custodian").Erase(t.Context(), erasure); err != nil || !slices.Equal(plan.Closes, restored) || plan.Unread != nil {
		t.Fatalf("got %+v, %v, want that it closes %v", plan, err, restored)
	}
	eventually(t, "that is done", func() bool { return len(a.l.retain.Open()) == 0 })
	a.readable(all[1], all[3], all[5], all[6])
	a.judged(audit.Retained{GoneErased: 4})
}

// onlyAltered lets the auditor judge the ledger: it finds the damage of records, and
// accuses nobody of anything.
func (a *archive) onlyAltered(indices ...uint64) {
	a.t.Helper()
	a.record(DefaultStream, "")
	report, err := audit.Run(context.Background(), exported(a.t, a.l), audit.Options{Policy: a.policy})
	if err != nil {
		a.t.Fatal(err)
	}
	var found []uint64
	for _, f := range report.Findings {
		if f.Kind != audit.RecordAltered {
			a.t.Errorf("audit: %v", f)
			continue
		}
		found = append(found, uint64(f.Index))
	}
	if !slices.Equal(found, indices) {
		a.t.Errorf("the auditor finds damage of %d, want %d", found, indices)
	}
}

// TestADamagedBucketIsReadAroundTheDamage holds it to what each record says alone.
func TestADamagedBucketIsReadAroundTheDamage(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	var all []uint64
	for range 40 {
		all = append(all, a.record("people", "alice")...)
		a.record(DefaultStream, "x")
	}
	leaf, err := a.l.leaf(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		lost := make(map[uint64]damage)
		for range rng.IntN(len(all)) {
			d := damaged()
			if rng.IntN(4) == 0 {
				d.err = storage.ErrNotFound
			}
			lost[all[rng.IntN(len(all))]] = d
		}
		whole := a.l.cfg.Vault
		a.l.cfg.Vault = damagedVault{whole, lost}
		start := all[rng.IntN(len(all))] + uint64(rng.IntN(2))
		end := start + uint64(rng.IntN(80))
		var got, unread, want, gone []uint64
		for _, index := range all {
			d, damaged := lost[index]
			switch {
			case index < start || index >= end:
			case !damaged:
				want = append(want, index)
			case errors.Is(d.err, storage.ErrCorrupt):
				gone = append(gone, index)
			}
		}
		r := bucketRange{l: a.l, bucket: leaf.Bucket, start: start, end: end, leaves: risingLeaves{l: a.l}}
		err := r.each(t.Context(), func(r storage.VaultRecord) error { got = append(got, r.Index); return nil },
			func(index uint64) error { unread = append(unread, index); return nil })
		if err != nil || !slices.Equal(got, want) || !slices.Equal(unread, gone) {
			t.Errorf("of [%d, %d) it reads %d and loses %d, %v, want %d and %d", start, end, got, unread, err, want, gone)
		}
		a.l.cfg.Vault = whole
	}
}

// TestWhatAHoldKeepsIsNotErasedUnread: its keys could not be saved, and would be
// destroyed.
func TestWhatAHoldKeepsIsNotErasedUnread(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice")
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[2], Last: all[2]}}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	a.restarted(map[uint64]damage{all[2]: damaged()})
	erasure := Erasure{Stream: "people", Subject: "alice", Reason: "r"}
	var p *client.Problem
	if _, err := a.as("custodian").Erase(t.Context(), erasure); !errors.As(err, &p) || p.Code() != client.NotNow || !strings.Contains(p.Hint, "release the hold") {
		t.Fatalf("got %v, want that the hold keeps what is damaged", err)
	}
	if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hold is over", func() bool { return len(a.l.retain.Holds()) == 0 })
	if _, err := a.as("custodian").Erase(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	a.gone(all[0])
	a.restarted(nil)
	a.gone(all[2])
	a.judged(audit.Retained{GoneErased: 1})
}

// TestAHoldThatComesBeforeTheAnnouncementKeepsWhatIsUnread though it was not there
// when the erasure began.
func TestAHoldThatComesBeforeTheAnnouncementKeepsWhatIsUnread(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice")
	a.restarted(map[uint64]damage{all[2]: damaged()})
	target, err := a.l.erasure(Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := a.l.plan(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[2], Last: all[2]}}, Reason: "a lawsuit"}); err != nil {
		t.Fatal(err)
	}
	act := a.as("custodian").caller.act(proofs.ActErase)
	act.Stream, act.Subject, act.Because = "people", "alice", "r"
	var p *client.Problem
	if _, err := a.l.announceErasure(t.Context(), target, plan, act); !errors.As(err, &p) || p.Code() != client.NotNow {
		t.Fatalf("got %v, want that the hold keeps what is damaged", err)
	}
	a.restarted(nil)
	a.readable(all...)
}

// TestAnExpiryWaitsForWhatAHoldKeeps while its record is damaged: until it is
// restored, or the hold is released.
func TestAnExpiryWaitsForWhatAHoldKeeps(t *testing.T) {
	for _, way := range []string{"it is restored", "the hold is released"} {
		t.Run(way, func(t *testing.T) {
			a := newArchive(t)
			a.short("week", 7)
			old := a.record("week", "alice", "bob", "carol")
			hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: old[1], Last: old[1]}}, Reason: "a lawsuit"})
			if err != nil {
				t.Fatal(err)
			}
			a.restarted(map[uint64]damage{old[1]: damaged(), old[2]: damaged()})
			a.later(9)
			waits := func() bool {
				list := a.l.closings()
				return len(list) == 1 && list[0].Waits == WaitsForRetry && strings.Contains(list[0].Trouble, fmt.Sprintf("release hold %d", hold.Hold))
			}
			eventually(t, "the expiry waits, and says for what", waits)
			if way == "it is restored" {
				a.restarted(nil)
			} else if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all is closed", func() bool {
				a.l.closer.nudge()
				return len(a.l.retain.Open()) == 0
			})
			if way == "it is restored" {
				a.readable(old[1])
				a.judged(audit.Retained{GoneExpired: 2, KeptByHolds: 1})
				return
			}
			a.restarted(nil)
			a.gone(old[1])
			a.judged(audit.Retained{GoneExpired: 3})
		})
	}
}
