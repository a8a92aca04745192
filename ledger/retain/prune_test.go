package retain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// newPruned returns a log with two buckets of stream 1, of which the second
// begins behind the first bundle, and with pruning after a year.
func newPruned(t testing.TB) *log {
	l := newLog(t)
	l.class(1, 30, proofs.Day)
	l.must(pruningLeaf(365, 0))
	first := l.bucket(1, 1, 0)
	for l.state.Size() < 300 {
		l.event(1, first)
	}
	second := l.bucket(1, 1, 1)
	for l.state.Size() < 600 {
		l.event(1, second)
	}
	return l
}

func pruningLeaf(days uint32, request uint64) proofs.Leaf {
	return settingsLeaf(proofs.SettingsBody{Request: request, Pruning: &proofs.PruningBody{Days: days}})
}

// minimum returns the announcement of a minimum index by checkpoints of now.
func (l *log) minimum(index uint64) proofs.MinimumBody {
	size := proofs.CheckpointRef{Size: l.state.Size()}
	return proofs.MinimumBody{Index: index, Controls: l.state.Controls(), Aged: size, Now: size}
}

func minimumLeaf(m proofs.MinimumBody) proofs.Leaf {
	return settingsLeaf(proofs.SettingsBody{Minimum: &m})
}

func TestHowFarPruningMayGo(t *testing.T) {
	l := newPruned(t)
	limit := func(want retain.Limit) {
		t.Helper()
		if got := l.state.Prunable(l.state.Size()); got != want {
			t.Fatalf("the limit is %+v, want %+v", got, want)
		}
	}
	limit(retain.Limit{Index: 0, Bucket: 1})
	announced := l.expire(1)
	limit(retain.Limit{Open: announced})
	l.done()
	limit(retain.Limit{Index: 256, Bucket: 2}) // which begins with entry 301
	if got := l.state.Prunable(announced); got != (retain.Limit{Index: 0, Bucket: 1}) {
		t.Errorf("by a checkpoint from before the expiry: %+v", got)
	}
	l.expire(2)
	l.done()
	limit(retain.Limit{Index: 512})
	hold := l.hold(0, run(5, 5))
	limit(retain.Limit{Index: 0, Hold: hold})
	l.release(hold)
	l.done()
	other := l.hold(2)
	limit(retain.Limit{Index: 512})
	l.addHold(other, 1)
	limit(retain.Limit{Index: 0, Hold: other})
}

func TestAMinimumIndexIsInForceOnceItIsPublished(t *testing.T) {
	l := newPruned(t)
	for bucket := range uint32(2) {
		l.expire(bucket + 1)
		l.done()
	}
	l.restarts = true
	first := l.must(minimumLeaf(l.minimum(256)))
	second := l.must(minimumLeaf(l.minimum(512)))
	for _, row := range []struct{ published, want uint64 }{{first + 1, 256}, {second, 256}, {second + 1, 512}} {
		if got := l.state.Minimum(row.published); got != row.want {
			t.Errorf("where %d entries are published it is %d, want %d", row.published, got, row.want)
		}
	}
	if got, want := l.state.Pruning(), (retain.Pruning{Days: 365, Minimum: 512, Entry: second, Now: second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMinimumIndicesThatAreRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(l *log, m *proofs.MinimumBody)
		why    string
	}{
		{"no entry allows pruning", func(l *log, m *proofs.MinimumBody) { l.must(pruningLeaf(0, 0)); *m = l.minimum(512) }, "no entry says that anything is pruned"},
		{"one that was announced", func(l *log, m *proofs.MinimumBody) { l.must(minimumLeaf(*m)); *m = l.minimum(512) }, "not above the one of entry"},
		{"one behind another that nobody may have seen", func(l *log, m *proofs.MinimumBody) {
			size := m.Now.Size
			l.must(minimumLeaf(l.minimum(256)))
			*m = l.minimum(512)
			m.Now.Size, m.Aged.Size = size, size
		}, "not in force before a checkpoint covers it"},
		{"a checkpoint yet to come", func(l *log, m *proofs.MinimumBody) { m.Now.Size++ }, "cannot be older than entry"},
		{"other entries that last", func(l *log, m *proofs.MinimumBody) { m.Controls[0] ^= 1 }, "commits to other entries"},
		{"entries that last and came meanwhile", func(l *log, m *proofs.MinimumBody) { l.class(2, 1, proofs.Day) }, "commits to other entries"},
		{"entries that are not old enough", func(l *log, m *proofs.MinimumBody) { m.Aged.Size = 512 }, "only those below 0"},
		{"entries that are held", func(l *log, m *proofs.MinimumBody) { l.hold(0, run(300, 400)); *m = l.minimum(512) }, "only those below 256"},
		{"while something is closed", func(l *log, m *proofs.MinimumBody) { l.erase(1, run(3, 4)); *m = l.minimum(512) }, "only those below 0"},
	} {
		l := newPruned(t)
		for bucket := range uint32(2) {
			l.expire(bucket + 1)
			l.done()
		}
		m := l.minimum(512)
		row.change(l, &m)
		var refused *retain.EntryError
		if _, err := l.write(minimumLeaf(m)); !errors.As(err, &refused) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, want %q", row.name, err, row.why)
		}
	}
}

func TestPruningNeedsARequestWhereItTakesMore(t *testing.T) {
	l := newCustodians(t)
	if _, err := l.write(pruningLeaf(365, 0)); !errors.Is(err, retain.ErrNeedsRequest) {
		t.Fatalf("pruning by one custodian: %v", err)
	}
	request := l.request(proofs.Settings, alice)
	l.must(approvalLeaf(request, bob))
	l.now += grace * 1e6
	l.must(pruningLeaf(365, request))
	l.must(pruningLeaf(366, 0))
	if _, err := l.write(pruningLeaf(365, 0)); !errors.Is(err, retain.ErrNeedsRequest) {
		t.Errorf("pruning earlier by one custodian: %v", err)
	}
	l.must(pruningLeaf(0, 0))
}

func TestSnapshotsOfPruningThatAreRefused(t *testing.T) {
	const minima = `"minima":[{"index":256,"entry":400,"now":300},{"index":512,"entry":700,"now":600}]`
	const saved = `{"size":900,"pruning":{"days":3,` + minima + `}}`
	if _, err := retain.Load([]byte(saved)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, old, new string }{
		{"nothing", `"days":3,` + minima, ``},
		{"half a hash", `"days"`, `"controls":"AQAA","days"`},
		{"a hash of nothing", `"days"`, `"controls":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","days"`},
		{"three", `"minima":[`, `"minima":[{"index":0,"entry":1,"now":1},`},
		{"one within a bundle", `"index":256`, `"index":257`},
		{"one that does not rise", `"index":512`, `"index":256`},
		{"one beyond its checkpoint", `"now":300`, `"now":255`},
		{"one before its checkpoint", `"now":300`, `"now":401`},
		{"one before the last was in force", `"now":600`, `"now":400`},
		{"one yet to come", `"entry":700`, `"entry":900`},
	} {
		if strings.Count(saved, row.old) != 1 {
			t.Fatalf("%s: %q is not there once", row.name, row.old)
		}
		if _, err := retain.Load([]byte(strings.Replace(saved, row.old, row.new, 1))); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %v, want it malformed", row.name, err)
		}
	}
}
