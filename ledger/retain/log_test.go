package retain_test

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

const day = 24 * 60 * 60 // seconds

// A log writes entries as a ledger does: each is checked before it is
// applied, and the state survives a restart behind each if restarts is set.
type log struct {
	t        testing.TB
	state    *retain.State
	leaves   []proofs.Leaf
	now      uint64 // microseconds since 1970
	buckets  uint32
	epoch    uint64
	restarts bool
}

// newLog returns a log with the entry that every ledger begins with.
func newLog(t testing.TB) *log {
	l := &log{t: t, state: &retain.State{}}
	l.must(proofs.Leaf{Kind: proofs.Created})
	return l
}

// write writes an entry that may be refused, and says how.
func (l *log) write(leaf proofs.Leaf) (index uint64, err error) {
	l.t.Helper()
	leaf.Time = l.now
	index = l.state.Size()
	err = l.state.Check(leaf)
	applied := l.state.Apply(index, leaf)
	if (err == nil) != (applied == nil) || err != nil && err.Error() != applied.Error() {
		l.t.Fatalf("entry %d: checked: %v; applied: %v", index, err, applied)
	}
	var refused *retain.EntryError
	if err != nil && (!errors.As(err, &refused) || refused.Index != index || refused.Kind != leaf.Kind || l.state.Size() != index) {
		l.t.Fatalf("entry %d is refused by %#v, and the state covers %d", index, err, l.state.Size())
	}
	if err == nil {
		l.leaves = append(l.leaves, leaf)
	}
	if l.restarts {
		l.state = reload(l.t, l.state)
	}
	return index, err
}

// must writes an entry that is not refused.
func (l *log) must(leaf proofs.Leaf) uint64 {
	l.t.Helper()
	index, err := l.write(leaf)
	if err != nil {
		l.t.Fatal(err)
	}
	return index
}

// reload returns the state of a snapshot.
func reload(t testing.TB, s *retain.State) *retain.State {
	t.Helper()
	loaded, err := retain.Load(must(s.Save()))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (l *log) event(stream, bucket uint32) uint64 {
	l.t.Helper()
	return l.must(proofs.Leaf{Kind: proofs.Event, Stream: stream, Bucket: bucket})
}

// bucket opens the next bucket and returns its number.
func (l *log) bucket(stream uint32, class uint16, period uint32) uint32 {
	l.t.Helper()
	l.buckets++
	l.must(bucketLeaf(proofs.BucketBody{Bucket: l.buckets, Stream: stream, Class: class, Period: period}))
	return l.buckets
}

func bucketLeaf(body proofs.BucketBody) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.BucketOpened, Control: must(proofs.FormatBucket(body))}
}

func (l *log) class(class uint16, days uint32, period proofs.Period) uint64 {
	l.t.Helper()
	return l.must(classLeaf(class, days, period, 0))
}

func classLeaf(class uint16, days uint32, period proofs.Period, request uint64) proofs.Leaf {
	return settingsLeaf(proofs.SettingsBody{Request: request, Class: &proofs.ClassBody{Class: class, Days: days, Period: period}})
}

func ledgerLeaf(custodians uint8, grace uint32, request uint64) proofs.Leaf {
	return settingsLeaf(proofs.SettingsBody{Request: request, Ledger: &proofs.LedgerBody{Custodians: custodians, Grace: grace}})
}

func settingsLeaf(body proofs.SettingsBody) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Settings, Control: must(proofs.FormatSettings(body))}
}

// hold makes a hold of a stream, if it is not 0, and of runs.
func (l *log) hold(stream uint32, runs ...proofs.Run) uint64 {
	l.t.Helper()
	return l.addHold(0, stream, runs...)
}

func (l *log) addHold(hold uint64, stream uint32, runs ...proofs.Run) uint64 {
	l.t.Helper()
	return l.must(holdLeaf(hold, stream, runs...))
}

func holdLeaf(hold uint64, stream uint32, runs ...proofs.Run) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Hold, Control: must(proofs.FormatHold(proofs.HoldBody{Hold: hold, Stream: stream, Holds: runs}))}
}

func (l *log) release(hold uint64) uint64 {
	l.t.Helper()
	return l.must(releaseLeaf(hold, 0))
}

func releaseLeaf(hold, request uint64) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Release, Control: must(proofs.FormatRelease(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold, Request: request}}))}
}

// expire announces a bucket's expiry as it is.
func (l *log) expire(bucket uint32) uint64 {
	l.t.Helper()
	return l.must(expiryLeaf(l.expired(bucket)))
}

func (l *log) expired(bucket uint32) proofs.ExpiredBody {
	l.t.Helper()
	b, ok := l.state.Bucket(bucket)
	if !ok {
		l.t.Fatalf("there is no bucket %d", bucket)
	}
	class, _ := l.state.ClassAt(b.Class, l.state.Size())
	size := l.state.Size()
	return proofs.ExpiredBody{
		Bucket: bucket, First: b.First, Last: b.Last, Count: b.Count, Settings: class.Settings,
		Closed: proofs.CheckpointRef{Size: size}, Now: proofs.CheckpointRef{Size: size},
	}
}

func expiryLeaf(x proofs.ExpiredBody) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Expiry, Control: must(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &x}))}
}

// erase announces an erasure in one entry.
func (l *log) erase(stream uint32, runs ...proofs.Run) uint64 {
	l.t.Helper()
	return l.must(erasureLeaf(proofs.ErasedBody{Stream: stream, Part: 1, Parts: 1, Closes: runs}))
}

func erasureLeaf(x proofs.ErasedBody) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Erasure, Control: must(proofs.FormatErasure(proofs.ErasureBody{Erased: &x}))}
}

// done completes the first open closing.
func (l *log) done() uint64 {
	l.t.Helper()
	l.epoch++
	c := l.state.Open()[0]
	return l.must(doneLeaf(c.Kind, proofs.KeysDestroyed{Announced: c.Index, Epoch: l.epoch, State: proofs.Hash{byte(l.epoch)}}))
}

func doneLeaf(kind proofs.Kind, k proofs.KeysDestroyed) proofs.Leaf {
	leaf := proofs.Leaf{Kind: kind}
	switch kind {
	case proofs.Expiry:
		leaf.Control = must(proofs.FormatExpiry(proofs.ExpiryBody{Done: &k}))
	case proofs.Erasure:
		leaf.Control = must(proofs.FormatErasure(proofs.ErasureBody{Done: &k}))
	case proofs.Release:
		leaf.Control = must(proofs.FormatRelease(proofs.ReleaseBody{Done: &k}))
	}
	return leaf
}

func (l *log) request(kind proofs.Kind, by uint64) uint64 {
	l.t.Helper()
	return l.must(requestLeaf(kind, by))
}

func requestLeaf(kind proofs.Kind, by uint64) proofs.Leaf {
	return administrationLeaf(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: kind, By: by}})
}

func approvalLeaf(request, by uint64) proofs.Leaf {
	return administrationLeaf(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: by}})
}

func withdrawalLeaf(request, by uint64) proofs.Leaf {
	return administrationLeaf(proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{Request: request, By: by}})
}

func administrationLeaf(body proofs.AdministrationBody) proofs.Leaf {
	return proofs.Leaf{Kind: proofs.Administration, Control: must(proofs.FormatAdministration(body))}
}

func checkpoint(size, time uint64) retain.Checkpoint {
	return retain.Checkpoint{CheckpointRef: proofs.CheckpointRef{Size: size, Note: proofs.Hash{byte(size)}}, Time: time}
}
