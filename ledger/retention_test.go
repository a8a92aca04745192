package ledger

import (
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// kept returns what is kept of a stream in its class.
func (a *archive) kept(stream string) (k KeptInfo, now time.Time) {
	a.t.Helper()
	info, err := a.as("auditor").Retention(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, k := range info.Kept {
		if k.Stream == stream {
			return k, time.Unix(int64(info.Now), 0)
		}
	}
	return k, time.Unix(int64(info.Now), 0)
}

func TestItIsSaidWhatIsKeptAndUntilWhen(t *testing.T) {
	a := newArchive(t)
	a.short("week", 7)
	a.short("people", 0)
	old := a.record("week", "alice", "bob")
	a.record("people", "alice")
	if k, _ := a.kept("people"); k.Class != "people" || k.Days != 0 || k.Next != 0 || k.Entries != 1 {
		t.Errorf("got %+v of a class that is kept for ever", k)
	}
	k, now := a.kept("week")
	next := time.Unix(int64(k.Next), 0)
	if k.Class != "week" || k.Days != 7 || k.Buckets != 1 || k.Entries != 2 || k.Overdue != 0 || next.Before(now.AddDate(0, 0, 7).Add(-time.Minute)) || next.After(now.AddDate(0, 0, 7)) {
		t.Errorf("got %+v at %v, want two entries for a week", k, now)
	}
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Stream: "week", Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	a.later(3)
	a.record("week", "carol")
	if k, _ := a.kept("week"); k.Buckets != 2 || k.Entries != 3 || k.Next != uint64(next.Unix()) || len(k.Holds) != 1 || k.Holds[0] != hold.Hold {
		t.Errorf("got %+v, want two buckets, held", k)
	}
	a.later(5)
	a.readable(old...)
	if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
		t.Fatal(err)
	}
	a.gone(old[0])
	if k, now := a.kept("week"); k.Buckets != 1 || k.Entries != 1 || len(k.Holds) != 0 || int64(k.Next) <= now.Unix() {
		t.Errorf("got %+v at %v, want the later one", k, now)
	}
	if k, _ := a.kept(""); k.Days != 0 || k.Entries == 0 {
		t.Errorf("got %+v of the ledger's own", k)
	}
	end := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, unit := range []proofs.Period{proofs.Day, proofs.Month} {
		b := retain.Bucket{Unit: unit, Period: unit.Number(end.Add(-time.Second))}
		if got := periodEnd(b); !got.Equal(end) {
			t.Errorf("the %v before %v: got the end %v", unit, end, got)
		}
	}
}
