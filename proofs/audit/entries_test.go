package audit_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// What the entries say. Each case appends entries to a ledger of 300.
func TestEntries(t *testing.T) {
	event := func(bucket uint32, number, sequence uint64) proofs.Leaf {
		return proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: bucket, T: proofs.EmptyRoot(), Source: &proofs.LeafSource{Number: number, Sequence: sequence}}
	}
	control := func(kind proofs.Kind, body []byte) proofs.Leaf {
		return proofs.Leaf{Kind: kind, T: proofs.EmptyRoot(), Control: body}
	}
	opened := func(bucket, stream uint32) proofs.Leaf {
		return control(proofs.BucketOpened, check(proofs.FormatBucket(proofs.BucketBody{Bucket: bucket, Stream: stream, Class: 1, Period: 20776 + max(bucket, 4)})))
	}
	keyed := func(bucket uint32, keys ...byte) proofs.Leaf {
		body := proofs.BucketBody{Bucket: bucket, Stream: 1, Class: 1, Period: 20776 + max(bucket, 4)}
		for i, key := range keys {
			if key > 0 {
				body.Keys = append(body.Keys, proofs.FieldKeyBody{Field: uint16(i + 1), Hash: proofs.Hash{key}})
			}
		}
		return control(proofs.BucketOpened, check(proofs.FormatBucket(body)))
	}
	created := control(proofs.Created, check(proofs.FormatCreated(proofs.CreatedBody{Origin: origin, Keys: "k"})))
	const path = "tile/entries/001.p/"
	for _, tt := range []struct {
		name string
		add  []proofs.Leaf
		back map[int]uint64 // of the added entries, how far their time goes back, in microseconds
		want []want
	}{
		{"a source's numbers in any order", []proofs.Leaf{event(2, 9, 7), event(2, 9, 5), event(2, 9, 6), event(2, 9, 4)}, nil, nil},
		{"a source of the same number in another bucket", []proofs.Leaf{opened(5, 1), event(2, 9, 7), event(5, 9, 70)}, nil, nil},
		{"the largest numbers", []proofs.Leaf{event(2, 9, 1<<64-1), event(2, 9, 1<<64-2), event(2, 1<<64-1, 0)}, nil, nil},
		{"a number is missing", []proofs.Leaf{event(2, 9, 7), event(2, 9, 9)}, nil, []want{{audit.SourceGap, "", 301}}},
		{"two ranges are missing", []proofs.Leaf{event(2, 9, 40), event(2, 9, 20), event(2, 9, 1)}, nil,
			[]want{{audit.SourceGap, "", 300}, {audit.SourceGap, "", 301}}},
		{"0 and the largest number are not neighbours", []proofs.Leaf{event(2, 9, 1<<64-1), event(2, 9, 0)}, nil, []want{{audit.SourceGap, "", 300}}},
		{"a number comes twice", []proofs.Leaf{event(2, 9, 7), event(2, 9, 8), event(2, 9, 7)}, nil, []want{{audit.SourceRepeat, path + "47", 302}}},
		{"a number that came long before", []proofs.Leaf{event(2, 1, 3)}, nil, []want{{audit.SourceRepeat, path + "45", 300}}},
		{"time goes back", []proofs.Leaf{event(2, 9, 1), event(2, 9, 2), event(2, 9, 3)}, map[int]uint64{1: 1001}, []want{{audit.TimeBackwards, path + "47", 301}}},
		{"time stands still", []proofs.Leaf{event(2, 9, 1), event(2, 9, 2)}, map[int]uint64{1: 1000}, nil},
		{"the witnesses cosigned earlier", []proofs.Leaf{event(2, 9, 1)}, map[int]uint64{0: 1<<64 - 70e6}, []want{{audit.TimeAhead, "checkpoint", 300}, {audit.TimeAhead, "checkpoints/301", 300}}},
		{"a bucket that nobody opened", []proofs.Leaf{event(5, 9, 1), event(5, 9, 2)}, nil, []want{{audit.BucketUnopened, path + "46", 300}}},
		{"a bucket that is opened too late", []proofs.Leaf{event(5, 9, 1), opened(5, 1), event(5, 9, 2)}, nil, []want{{audit.BucketUnopened, path + "47", 300}}},
		{"a bucket of another stream", []proofs.Leaf{event(3, 9, 1)}, nil, []want{{audit.BucketConflict, path + "45", 300}}},
		{"a bucket opened again with more keys", []proofs.Leaf{opened(2, 1)}, nil, nil},
		{"a bucket opened again with the same keys", []proofs.Leaf{keyed(5, 7), keyed(5, 7, 8), keyed(5, 0, 8), keyed(2, 9)}, nil, nil},
		{"two keys of a field", []proofs.Leaf{keyed(5, 7, 8), keyed(5, 8)}, nil, []want{{audit.FieldKeyConflict, path + "46", 301}}},
		{"two keys of two fields", []proofs.Leaf{keyed(5, 7), keyed(5, 0, 8), keyed(5, 1, 1), keyed(5, 7, 8)}, nil, []want{{audit.FieldKeyConflict, path + "48", 302}}},
		{"a bucket with the keys of another one", []proofs.Leaf{opened(4, 1)}, nil, []want{{audit.BucketConflict, path + "45", 300}}},
		{"a bucket opened for another stream", []proofs.Leaf{opened(2, 2)}, nil, []want{{audit.BucketConflict, path + "45", 300}}},
		{"the ledger is created again", []proofs.Leaf{created}, nil, []want{{audit.CreatedAgain, path + "45", 300}}},
		{"the ledger ends", []proofs.Leaf{control(proofs.Closed, nil)}, nil, nil},
		{"entries after the end", []proofs.Leaf{control(proofs.Closed, nil), event(2, 9, 1), event(2, 9, 2)}, nil, []want{{audit.AfterClose, path + "47", 301}}},
		{"a control entry that can't be read", []proofs.Leaf{control(proofs.Settings, []byte("?"))}, nil, []want{{audit.EntryMalformed, path + "45", 300}}},
		{"an access entry, which has no body", []proofs.Leaf{control(proofs.Access, []byte("?"))}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(t)
			l.vault = false
			l.grow(300)
			for i, leaf := range tt.add {
				leaf.Time = entryTime(uint64(300+i)) - tt.back[i]
				l.add(check(proofs.FormatLeaf(leaf)))
			}
			l.publish(300 + len(tt.add))
			demand(t, l.audit(l.files, nil), tt.want...)
		})
	}
}

// A key that was committed to is known to a later run, from its state.
func TestAStateKnowsFieldKeys(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	l.grow(300)
	open := func(size int, keys ...proofs.FieldKeyBody) {
		body := proofs.BucketBody{Bucket: 5, Stream: 1, Class: 1, Period: 20781, Keys: keys}
		leaf := proofs.Leaf{Kind: proofs.BucketOpened, Time: entryTime(uint64(size - 1)), T: proofs.EmptyRoot(), Control: check(proofs.FormatBucket(body))}
		l.add(check(proofs.FormatLeaf(leaf)))
		l.publish(size)
	}
	open(301, proofs.FieldKeyBody{Field: 2, Hash: proofs.Hash{1}}, proofs.FieldKeyBody{Field: 4, Hash: proofs.Hash{2}})
	r := l.audit(l.files, nil)
	demand(t, r)
	text := audit.FormatState(r.State)
	state := check(audit.ParseState(text))
	open(302, proofs.FieldKeyBody{Field: 4, Hash: proofs.Hash{1}})
	demand(t, l.audit(l.files, state), want{audit.FieldKeyConflict, "tile/entries/001.p/46", 301})
	for _, bad := range []string{"keys 5 4:", "keys 9 2:"} {
		if _, err := audit.ParseState(bytes.Replace(text, []byte("keys 5 2:"), []byte(bad), 1)); err == nil {
			t.Errorf("a state with %q is one", bad)
		}
	}
}

func TestTheFirstEntryCreatesTheLedger(t *testing.T) {
	other := proofs.Leaf{Kind: proofs.Created, Time: entryTime(0), Control: check(proofs.FormatCreated(proofs.CreatedBody{Origin: "another.example", Keys: "k"}))}
	for name, leaf := range map[string][]byte{
		"another ledger":   check(proofs.FormatLeaf(other)),
		"something else":   check(proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Hold, Time: entryTime(0)})),
		"no leaf, at that": []byte("a leaf"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			l.vault = false
			l.add(leaf)
			l.publish(9)
			r := l.audit(l.files, nil)
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == audit.CreatedMissing && f.Index == 0 }) {
				t.Errorf("found %v", r.Findings)
			}
		})
	}
}

// A ledger that nothing was appended to is a ledger.
func TestAnEmptyLedger(t *testing.T) {
	l := newLedger(t)
	l.publish(0)
	demand(t, l.audit(l.files, nil))
	wrong := l.root(0)
	wrong[0] ^= 1
	l.write(audit.CheckpointFile, l.sign(0, wrong))
	demand(t, l.audit(l.files, nil), want{audit.RootMismatch, "checkpoint", none}, want{audit.CheckpointFork, "checkpoints/000", none})
}

// Gaps are all counted; no more are kept than are asked for, and the next run
// begins with all of them.
func TestManyGapsAreCounted(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	l.grow(10)
	for i := range uint64(3000) {
		l.add(check(proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 2, Time: entryTime(uint64(len(l.leaves))),
			Source: &proofs.LeafSource{Number: 77, Sequence: 2 * (3000 - i)}})))
	}
	l.publish(3010)
	r, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, MaxFindings: 10})
	if err != nil || len(r.Findings) != 10 || r.Total != 2999 || r.Findings[0].Kind != audit.SourceGap || r.State == nil {
		t.Fatalf("%d findings of %d, state %v, %v", len(r.Findings), r.Total, r.State != nil, err)
	}
	state := check(audit.ParseState(audit.FormatState(r.State)))
	if r := l.audit(l.files, state); r.Total != 2999 || r.Summary.From != 3010 {
		t.Errorf("from the state: %d findings, judged from entry %d on", r.Total, r.Summary.From)
	}
}
