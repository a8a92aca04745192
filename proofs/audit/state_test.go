package audit_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// opened is files that notes which of them are opened.
type opened struct {
	fstest.MapFS
	mu    *sync.Mutex
	paths map[string]bool
}

func (o opened) Open(path string) (fs.File, error) {
	o.mu.Lock()
	o.paths[path] = true
	o.mu.Unlock()
	return o.MapFS.Open(path)
}

// Runs one after the other, each from the state of the one before, find the
// same as one run over everything, and leave the same state.
func TestRunsFromAStateAddUpToOneRun(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	var state *audit.State
	for _, size := range []int{0, 1, 5, 255, 256, 257, 512, 700, 700, 3000, 65_536, 65_700, 66_000} {
		l.publish(size)
		r := l.audit(l.files, state)
		demand(t, r)
		if from := r.Summary.From; state != nil && from != state.Checkpoint.Size {
			t.Errorf("size %d: begins with %d", size, from)
		}
		whole := l.audit(l.files, nil).State
		if !bytes.Equal(audit.FormatState(r.State), audit.FormatState(whole)) {
			t.Fatalf("size %d: state\n%s\nwant\n%s", size, audit.FormatState(r.State), audit.FormatState(whole))
		}
		// The state goes through its file.
		var err error
		if state, err = audit.ParseState(audit.FormatState(r.State)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARunFromAStateReadsOnlyWhatIsNew(t *testing.T) {
	l := newLedger(t)
	l.publish(66_000)
	state := l.audit(l.files, nil).State
	l.publish(66_500)
	files := opened{l.files, new(sync.Mutex), map[string]bool{}}
	r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, State: state})
	if err != nil || !r.OK() || r.Summary.From != 66_000 || r.Summary.To != 66_500 || r.Summary.Unread != 0 {
		t.Fatalf("%v, %v", r, err)
	}
	for path := range files.paths {
		old := func(index uint64) bool { return index < 66_000/256 }
		if b, err := proofs.ParseBundlePath(path); err == nil && old(b.Index) {
			t.Errorf("%s is read again", path)
		}
		if tile, err := proofs.ParseTilePath(path); err == nil && tile.Level == 0 && old(tile.Index) {
			t.Errorf("%s is read again", path)
		}
		if path == audit.CheckpointPath(66_000-1) || strings.HasPrefix(path, "vault/0") {
			t.Errorf("%s is read again", path)
		}
	}
}

// The ledger that a run begins with must be the one of the state, with all that
// came since.
func TestTheStateIsHeldAgainstTheLedger(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	state := l.audit(l.files, nil).State
	fork := func(size int, at int) *ledger { // another history by the same keys
		f := newLedger(t)
		f.grow(size)
		leaf := check(proofs.ParseLeaf(f.leaves[at]))
		leaf.T[0] ^= 1
		f.leaves[at] = check(proofs.FormatLeaf(leaf))
		f.rehash()
		f.publish(size)
		return f
	}
	shorter := newLedger(t)
	shorter.publish(299)
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []want
	}{
		{"the same", l.copy(), nil},
		{"forked early, at the same size", fork(300, 5).files, []want{{audit.CheckpointFork, "checkpoint", none}}},
		{"forked early, and longer", fork(1000, 5).files, []want{{audit.CheckpointFork, "checkpoint", none}}},
		{"forked just before", fork(1000, 299).files, []want{{audit.CheckpointFork, "checkpoint", none}}},
		{"other entries later", fork(1000, 300).files, nil},
		{"rolled back by an entry", shorter.files, []want{{audit.CheckpointRollback, "checkpoint", none}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := l.audit(tt.files, state)
			demand(t, r, tt.want...)
			if r.OK() != (r.State != nil) {
				t.Errorf("the next state is %v", r.State)
			}
			if !r.OK() && r.Summary.From != 0 {
				t.Errorf("only the entries from %d on were judged", r.Summary.From)
			}
		})
	}
}

// What is wrong in the new part is found there, and what is wrong at the seam
// leads to a whole run that finds it.
func TestFaultsAfterAState(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	state := l.audit(l.files, nil).State
	l.publish(1000)
	for _, path := range []string{"tile/entries/001", "tile/entries/003.p/232", "tile/0/002", "tile/0/003.p/232", "tile/1/000.p/3", "tile/0/001", "vault/002", "checkpoint", "checkpoints/x001/000"} {
		// The last bit belongs to what is new.
		r := l.audit(l.flipped(path, len(l.files[path].Data)*8-9), state)
		if !named(r, path, none) || r.Total != 1 {
			t.Errorf("%s: found %v", path, r.Findings)
		}
	}
}

// A gap is found again by each run from a state, and closed by the one that
// finds the missing number.
func TestGapsAreRemembered(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	number := func(n uint64) {
		l.add(check(proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 2, Time: entryTime(uint64(len(l.leaves))),
			Source: &proofs.LeafSource{Number: 77, Sequence: n}})))
	}
	l.grow(300)
	number(1)
	number(3)
	l.publish(302)
	r := l.audit(l.files, nil)
	demand(t, r, want{audit.SourceGap, "", 301})
	number(4)
	l.publish(303)
	r = l.audit(l.files, r.State)
	demand(t, r, want{audit.SourceGap, "", 301})
	number(2)
	l.publish(304)
	r = l.audit(l.files, r.State)
	demand(t, r)
	number(3)
	l.publish(305)
	demand(t, l.audit(l.files, r.State), want{audit.SourceRepeat, "tile/entries/001.p/49", 304})
}

// A run does not change the state that it begins with.
func TestAStateIsNotChanged(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	state := l.audit(l.files, nil).State
	before := audit.FormatState(state)
	l.publish(900)
	demand(t, l.audit(l.files, state))
	if !bytes.Equal(audit.FormatState(state), before) {
		t.Errorf("state\n%s\nwas\n%s", audit.FormatState(state), before)
	}
}

func TestMoreSourcesThanTheLimit(t *testing.T) {
	l := aLedger(t)
	r, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, MaxSources: 5})
	if err != nil || !r.OK() || r.State != nil || len(r.Summary.NotJudged) != 1 {
		t.Errorf("%v, state %v, not judged %v, %v", r.Findings, r.State, r.Summary.NotJudged, err)
	}
}

func TestStatesThatAreNone(t *testing.T) {
	l := aLedger(t)
	good := string(audit.FormatState(l.audit(l.files, nil).State))
	if _, err := audit.ParseState([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":                    "",
		"another header":             strings.Replace(good, "v1", "v2", 1),
		"no checkpoint":              "cairn/v1 audit state\ntime 5\n",
		"no base64":                  strings.Replace(good, "checkpoint bGVk", "checkpoint !GVk", 1),
		"no checkpoint, but a hello": strings.Replace(good, "checkpoint bGVk", "checkpoint aGVsbG8K\ncheckpoint bGVk", 1),
		"no time":                    strings.Replace(good, "\ntime ", "\ntme ", 1),
		"a negative time":            strings.Replace(good, "\ntime ", "\ntime -", 1),
		"no newline at the end":      strings.TrimSuffix(good, "\n"),
		"an empty line":              good + "\n",
		"a bucket twice":             strings.Replace(good, "bucket 1 0 1 20780 7 957 20\n", "bucket 1 0 1 20780 7 957 20\nbucket 1 0 1 20780 7 957 20\n", 1),
		"buckets in another order":   strings.Replace(good, "bucket 1 0 1 20780 7 957 20\nbucket 2 1 1 20780 4 998 651\n", "bucket 2 1 1 20780 4 998 651\nbucket 1 0 1 20780 7 957 20\n", 1),
		"a bucket of three numbers":  strings.Replace(good, "bucket 1 0 1 20780 7 957 20", "bucket 1 0 1", 1),
		"a bucket beyond 32 bits":    strings.Replace(good, "bucket 3 ", "bucket 4294967296 ", 1),
		"a source without numbers":   good + "source 4 1\n",
		"a source beyond 32 bits":    good + "source 4294967296 1 0-5@7\n",
		"a run that goes down":       good + "source 4 1 5-4@7\n",
		"runs that touch":            good + "source 4 1 0-5@7 6-9@20\n",
		"runs that overlap":          good + "source 4 1 0-5@7 3-9@20\n",
		"a number with a plus":       good + "source 4 1 +0-5@7\n",
		"a number with leading zero": good + "source 4 1 00-5@7\n",
		"closed twice":               strings.Replace(good, "\nclass 1", "\nclosed 3\nclosed 3\nclass 1", 1),
	} {
		if bad == good {
			t.Fatalf("%s: nothing is changed", name)
		}
		if s, err := audit.ParseState([]byte(bad)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
	closed := strings.Replace(good, "\nclass 1", "\nclosed 999\nclass 1", 1)
	if s, err := audit.ParseState([]byte(closed + "source 4 1 0-5@7 7-18446744073709551615@20\n")); err != nil {
		t.Errorf("a closed one: %v, %v", s, err)
	}
}

func FuzzParseState(f *testing.F) {
	l := newLedger(f)
	l.publish(9)
	f.Add(audit.FormatState(l.audit(l.files, nil).State))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := audit.ParseState(b)
		if err == nil && !bytes.Equal(audit.FormatState(s), b) {
			t.Errorf("%q is not what it formats to", b)
		}
		if err != nil && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%q: %v", b, err)
		}
	})
}

// Whatever numbers come in whatever order, gaps and repeats are what a set
// of them shows.
func TestSequenceNumbersAgainstASet(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l := newLedger(t)
		l.vault = false
		l.grow(10)
		seen := map[uint64]bool{}
		repeats := 0
		for range 40 {
			n := rnd.Uint64N(50)
			if seed%2 == 1 {
				n += 1<<64 - 50
			}
			if seen[n] {
				repeats++
			}
			seen[n] = true
			l.add(check(proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 2, Time: entryTime(1000),
				Source: &proofs.LeafSource{Number: 77, Sequence: n}})))
		}
		l.publish(50)
		gaps := -1
		numbers := slices.Sorted(maps.Keys(seen))
		for i, n := range numbers {
			if i == 0 || n != numbers[i-1]+1 {
				gaps++
			}
		}
		got := map[audit.FindingKind]int{}
		for _, f := range l.audit(l.files, nil).Findings {
			got[f.Kind]++
		}
		if got[audit.SourceGap] != gaps || got[audit.SourceRepeat] != repeats || len(got) > 2 {
			t.Errorf("seed %d: found %v, want %d gaps and %d repeats", seed, got, gaps, repeats)
		}
	}
}
