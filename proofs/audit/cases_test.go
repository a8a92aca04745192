package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A want is a finding that a case must bring up.
type want struct {
	kind  audit.FindingKind
	path  string
	index int64
}

func demand(t *testing.T, r *audit.Report, wants ...want) {
	t.Helper()
	var got []want
	for _, f := range r.Findings {
		got = append(got, want{f.Kind, f.Path, f.Index})
	}
	if !slices.Equal(got, wants) {
		t.Errorf("found %v\nwant %v\n%v", got, wants, r.Findings)
	}
	if r.OK() != (len(wants) == 0) {
		t.Errorf("OK is %v", r.OK())
	}
}

const none = audit.NoIndex

// Files that are missing, too many, or from somewhere else.
func TestFiles(t *testing.T) {
	l := aLedger(t)
	bigger := l.copy()
	l2 := aLedger(t)
	l2.publish(1300)
	for path, f := range l2.files {
		if _, ok := bigger[path]; !ok && !strings.HasPrefix(path, "checkpoints/") {
			bigger[path] = f
		}
	}
	stranger := newLedger(t)
	stranger.log = check(proofs.GenerateKey(origin, proofs.Ed25519, randomness(99)))
	for _, tt := range []struct {
		name   string
		change func(files fstest.MapFS)
		want   []want
	}{
		{"nothing is changed", func(fstest.MapFS) {}, nil},
		{"a full bundle is missing", remove("tile/entries/001"), []want{{audit.BundleMissing, "tile/entries/001", 256}}},
		{"the last bundle is missing", remove("tile/entries/003.p/232"), []want{{audit.BundleMissing, "tile/entries/003.p/232", 768}}},
		{"a full tile is missing", remove("tile/0/002"), []want{{audit.TileMissing, "tile/0/002", 512}}},
		{"the last tile is missing", remove("tile/0/003.p/232"), []want{{audit.TileMissing, "tile/0/003.p/232", 768}}},
		{"a tile of level 1 is missing", remove("tile/1/000.p/3"), []want{{audit.TileMissing, "tile/1/000.p/3", 0}}},
		{"a bundle and its tile are missing", remove("tile/entries/001", "tile/0/001"),
			[]want{{audit.TileMissing, "tile/0/001", 256}, {audit.BundleMissing, "tile/entries/001", 256}}},
		{"partial files of earlier sizes are missing", remove("tile/0/000.p/1", "tile/entries/000.p/100", "tile/1/000.p/1", "vault/003.p/9"), nil},
		{"the bundles were cut short", remove("tile/entries/001", "tile/entries/002", "tile/entries/003.p/232"),
			[]want{{audit.BundleMissing, "tile/entries/001", 256}}},
		{"kept checkpoints are missing", remove("checkpoints/300", "checkpoints/777"), nil},
		{"a file of records is missing", remove("vault/001"), []want{{audit.VaultMissing, "vault/001", 256}}},
		{"there is no vault", func(files fstest.MapFS) {
			for path := range files {
				if strings.HasPrefix(path, audit.VaultDir) {
					delete(files, path)
				}
			}
		}, nil},
		{"the ledger went on meanwhile", func(files fstest.MapFS) { clear(files); copyAll(files, bigger) }, nil},
		{"the ledger went on, and partial files were deleted", func(files fstest.MapFS) {
			clear(files)
			copyAll(files, bigger)
			remove("tile/0/003.p/232", "tile/entries/003.p/232", "vault/003.p/232")(files)
		}, nil},
		{"a file that grew meanwhile disagrees", func(files fstest.MapFS) {
			clear(files)
			copyAll(files, bigger)
			files["tile/0/003"] = l2.flipped("tile/0/003", 8*32*5)["tile/0/003"]
		}, []want{{audit.TileAltered, "tile/0/003", 773}}},
		{"a partial tile is of another log", func(files fstest.MapFS) {
			files["tile/0/000.p/77"] = &fstest.MapFile{Data: make([]byte, 77*32)}
		}, altered(audit.TileAltered, "tile/0/000.p/77", 0, 77)},
		{"a partial tile has the wrong size", func(files fstest.MapFS) {
			files["tile/0/000.p/77"] = &fstest.MapFile{Data: make([]byte, 76*32)}
		}, []want{{audit.TileMalformed, "tile/0/000.p/77", 0}}},
		{"a tile has the wrong size", func(files fstest.MapFS) {
			files["tile/0/001"] = &fstest.MapFile{Data: files["tile/0/001"].Data[:8191]}
		}, []want{{audit.TileMalformed, "tile/0/001", 256}}},
		{"names that are none of the layout", func(files fstest.MapFS) {
			for _, path := range []string{"README", "tile/0/000.p/256", "tile/0/000.p/01", "checkpoints/1", "checkpoints/x000/001", "checkpoints/x001/000.tmp", "receipts/notes.txt"} {
				files[path] = &fstest.MapFile{Data: []byte("something")}
			}
		}, nil},
		{"two bundles changed places", func(files fstest.MapFS) {
			files["tile/entries/001"], files["tile/entries/002"] = files["tile/entries/002"], files["tile/entries/001"]
		}, append(altered(audit.EntryAltered, "tile/entries/001", 256, 512), altered(audit.EntryAltered, "tile/entries/002", 512, 768)...)},
		{"an entry was deleted from a bundle", func(files fstest.MapFS) {
			b := files["tile/entries/001"].Data
			files["tile/entries/001"] = &fstest.MapFile{Data: b[2+int(b[0])<<8+int(b[1]):]}
		}, []want{{audit.BundleMalformed, "tile/entries/001", 256}}},
		{"a bundle larger than any", func(files fstest.MapFS) {
			files["tile/entries/001"] = &fstest.MapFile{Data: make([]byte, proofs.MaxBundleSize+1)}
		}, []want{{audit.BundleMalformed, "tile/entries/001", 256}}},
		{"a record behind the last one", func(files fstest.MapFS) {
			files["vault/001"] = &fstest.MapFile{Data: append(slices.Clone(files["vault/001"].Data), 0, 0, 0, 0)}
		}, []want{{audit.VaultMalformed, "vault/001", 256}}},
		{"a record of two gigabytes", func(files fstest.MapFS) {
			files["vault/001"] = &fstest.MapFile{Data: []byte{0x80, 0, 0, 0}}
		}, []want{{audit.VaultMalformed, "vault/001", 256}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := l.copy()
			tt.change(files)
			demand(t, l.audit(files, nil), tt.want...)
		})
	}
}

func remove(paths ...string) func(fstest.MapFS) {
	return func(files fstest.MapFS) {
		for _, path := range paths {
			if files[path] == nil {
				panic(path + " is not there")
			}
			delete(files, path)
		}
	}
}

func copyAll(to, from fstest.MapFS) {
	for path, f := range from {
		to[path] = f
	}
}

func altered(kind audit.FindingKind, path string, from, to int64) (list []want) {
	for i := from; i < to; i++ {
		list = append(list, want{kind, path, i})
	}
	return list
}

// What the log and the witnesses signed.
func TestCheckpoints(t *testing.T) {
	l := aLedger(t)
	other := newLedger(t)
	other.log = check(proofs.GenerateKey("ledger.example/other", proofs.Ed25519, randomness(7)))
	unsigned := func(size int) []byte {
		c := check(proofs.ParseSignedCheckpoint(l.sign(size, l.root(size))))
		c.Note.Signatures = c.Note.Signatures[1:]
		return proofs.FormatSignedCheckpoint(c)
	}
	wrongRoot := l.root(512)
	wrongRoot[3] ^= 1
	put := func(path string, b []byte) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[path] = &fstest.MapFile{Data: b} }
	}
	for _, tt := range []struct {
		name   string
		change func(files fstest.MapFS)
		want   []want
	}{
		{"there is no checkpoint", remove(audit.CheckpointFile), []want{{audit.CheckpointMissing, "checkpoint", none}}},
		{"it is something else", put("checkpoint", []byte("hello\n")), []want{{audit.CheckpointMalformed, "checkpoint", none}}},
		{"the log has not signed", put("checkpoint", unsigned(1000)), []want{{audit.CheckpointSignature, "checkpoint", none}}},
		{"one witness has cosigned, two are a quorum", put("checkpoint", l.sign(1000, l.root(1000), 1)),
			[]want{{audit.CheckpointQuorum, "checkpoint", none}}},
		{"an earlier one is published again", put("checkpoint", l.sign(777, l.root(777))),
			[]want{{audit.ReceiptRollback, "receipts/600-1000.tlog-proof", 600}, {audit.CheckpointRollback, "checkpoints/x001/000", none}}},
		{"it is of another tree", put("checkpoint", l.sign(1000, wrongRoot)),
			[]want{{audit.RootMismatch, "checkpoint", none}, {audit.CheckpointFork, "checkpoints/x001/000", none}}},
		{"a kept one is of another tree", put("checkpoints/512", l.sign(512, wrongRoot)),
			[]want{{audit.CheckpointFork, "checkpoints/512", none}}},
		{"a kept one has no quorum", put("checkpoints/512", l.sign(512, l.root(512), 0)), nil},
		{"a kept one is not signed", put("checkpoints/512", unsigned(512)), []want{{audit.CheckpointSignature, "checkpoints/512", none}}},
		{"a kept one is another one", put("checkpoints/512", l.sign(777, l.root(777))),
			[]want{{audit.CheckpointMisplaced, "checkpoints/512", none}}},
		{"a kept one is beyond the published one", put("checkpoints/x001/001", l.sign(1001, wrongRoot)),
			[]want{{audit.CheckpointRollback, "checkpoints/x001/001", none}}},
		{"a kept one of size 0 has a root", put("checkpoints/000", l.sign(0, wrongRoot)),
			[]want{{audit.CheckpointFork, "checkpoints/000", none}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := l.copy()
			tt.change(files)
			r := l.audit(files, nil)
			slices.SortStableFunc(tt.want, func(a, b want) int { return int(a.index - b.index) })
			demand(t, r, tt.want...)
			if r.OK() != (r.State != nil) {
				t.Errorf("the state to go on from is %v", r.State)
			}
		})
	}
}

// Without a published checkpoint that is believed, the last kept one serves, so
// that all faults are seen at once.
func TestKeptCheckpointsServeWhereThePublishedOneIsDamaged(t *testing.T) {
	l := aLedger(t)
	files := l.flipped("tile/entries/002", 999*8)
	files["checkpoint"] = &fstest.MapFile{Data: []byte("gone")}
	r := l.audit(files, nil)
	if !named(r, "checkpoint", none) || !named(r, "tile/entries/002", none) || r.Total != 2 || r.Checkpoint.Size != 1000 {
		t.Errorf("by size %d: found %v", r.Checkpoint.Size, r.Findings)
	}
	for path := range files {
		if strings.HasPrefix(path, audit.CheckpointsDir) {
			delete(files, path)
		}
	}
	r = l.audit(files, nil)
	if r.Total != 1 || len(r.Summary.NotJudged) != 1 || r.State != nil {
		t.Errorf("without any: found %v, not judged %v", r.Findings, r.Summary.NotJudged)
	}
}

// What the entries say. Each case appends entries to a ledger of 300.
func TestEntries(t *testing.T) {
	event := func(bucket uint32, number, sequence uint64) proofs.Leaf {
		return proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: bucket, T: proofs.EmptyRoot(), Source: &proofs.LeafSource{Number: number, Sequence: sequence}}
	}
	control := func(kind proofs.Kind, body []byte) proofs.Leaf {
		return proofs.Leaf{Kind: kind, T: proofs.EmptyRoot(), Control: body}
	}
	opened := func(bucket, stream uint32) proofs.Leaf {
		return control(proofs.BucketOpened, check(proofs.FormatBucket(proofs.BucketBody{Bucket: bucket, Stream: stream, Class: 1, Period: 20780})))
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
		{"a source of the same number in another bucket", []proofs.Leaf{opened(4, 1), event(2, 9, 7), event(4, 9, 70)}, nil, nil},
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
		{"a bucket opened for another stream", []proofs.Leaf{opened(2, 2)}, nil, []want{{audit.BucketConflict, path + "45", 300}}},
		{"the ledger is created again", []proofs.Leaf{created}, nil, []want{{audit.CreatedAgain, path + "45", 300}}},
		{"the ledger ends", []proofs.Leaf{control(proofs.Closed, nil)}, nil, nil},
		{"entries after the end", []proofs.Leaf{control(proofs.Closed, nil), event(2, 9, 1), event(2, 9, 2)}, nil, []want{{audit.AfterClose, path + "47", 301}}},
		{"a control entry that can't be read", []proofs.Leaf{control(proofs.Settings, []byte("?"))}, nil, []want{{audit.EntryMalformed, path + "45", 300}}},
		{"a control entry of a kind without a body of its own", []proofs.Leaf{control(proofs.Hold, []byte("?"))}, nil, nil},
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

func TestReceipts(t *testing.T) {
	l := aLedger(t)
	fork := newLedger(t)
	fork.grow(300)
	leaf := check(proofs.ParseLeaf(fork.leaves[17]))
	leaf.C[0] ^= 1
	fork.leaves[17] = check(proofs.FormatLeaf(leaf))
	fork.rehash()
	// The forked log has the same keys; it makes receipts of its own.
	fork.policy, fork.witnesses, fork.log = l.policy, l.witnesses, l.log
	write := func(change func(r *proofs.Receipt)) fstest.MapFS {
		files := l.copy()
		r := check(proofs.ParseReceipt(files["receipts/255-512.tlog-proof"].Data))
		change(&r)
		files["receipts/changed.tlog-proof"] = &fstest.MapFile{Data: check(proofs.FormatReceipt(r))}
		return files
	}
	forked := l.copy()
	path := fork.receipt(17, 300)
	forked[path] = fork.files[path]
	const changed = "receipts/changed.tlog-proof"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []want
	}{
		{"without its leaf", write(func(r *proofs.Receipt) { r.Extra = nil }), nil},
		{"of another index", write(func(r *proofs.Receipt) { r.Index = 254 }), []want{{audit.ReceiptInvalid, changed, 254}}},
		{"of another index, without its leaf", write(func(r *proofs.Receipt) { r.Index, r.Extra = 254, nil }), []want{{audit.ReceiptInvalid, changed, 254}}},
		{"of an index beyond its checkpoint", write(func(r *proofs.Receipt) { r.Index, r.Extra = 512, nil }), []want{{audit.ReceiptInvalid, changed, 512}}},
		{"of another leaf", write(func(r *proofs.Receipt) { r.Extra = l.leaves[254] }), []want{{audit.ReceiptInvalid, changed, 255}}},
		{"with fewer cosignatures than the quorum", write(func(r *proofs.Receipt) { r.Checkpoint = l.sign(512, l.root(512), 1) }), []want{{audit.ReceiptInvalid, changed, 255}}},
		{"of another history", forked, []want{{audit.ReceiptForeign, path, 17}}},
	} {
		t.Run(tt.name, func(t *testing.T) { demand(t, l.audit(tt.files, nil), tt.want...) })
	}
}

// Too many findings are counted, not kept.
func TestFindingsAreBounded(t *testing.T) {
	l := aLedger(t)
	files := l.copy()
	files["tile/entries/001"], files["tile/entries/002"] = files["tile/entries/002"], files["tile/entries/001"]
	r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, MaxFindings: 10})
	if err != nil || len(r.Findings) != 10 || r.Total != 512 || r.OK() {
		t.Errorf("%d findings out of %d, %v", len(r.Findings), r.Total, err)
	}
}

// An error means that the ledger could not be judged.
func TestErrors(t *testing.T) {
	l := aLedger(t)
	if r, err := audit.Run(t.Context(), l.files, audit.Options{}); err == nil {
		t.Errorf("without a policy: %v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := audit.Run(ctx, l.files, audit.Options{Policy: l.policy}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", r, err)
	}
	other := newLedger(t)
	other.publish(5)
	state := other.audit(other.files, nil).State
	state.Checkpoint.Origin = "another.example"
	if r, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, State: state}); err == nil {
		t.Errorf("with another ledger's state: %v", r)
	}
	for path := range l.files {
		r, err := audit.Run(t.Context(), broken{l.files, path}, audit.Options{Policy: l.policy})
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s can't be read: %v, %v", path, r, err)
		}
	}
}

var errDisk = errors.New("the disk is broken")

// broken is files of which one can't be read.
type broken struct {
	fstest.MapFS
	path string
}

func (b broken) Open(path string) (fs.File, error) {
	if path == b.path {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errDisk}
	}
	return b.MapFS.Open(path)
}

// plain is files that can be opened by name and not listed, as over HTTP.
type plain struct{ files fstest.MapFS }

func (p plain) Open(path string) (fs.File, error) {
	if _, ok := p.files[path]; !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return p.files.Open(path)
}

func TestFilesThatCanNotBeListed(t *testing.T) {
	l := aLedger(t)
	r, err := audit.Run(t.Context(), plain{l.files}, audit.Options{Policy: l.policy})
	if err != nil || !r.OK() || len(r.Summary.NotJudged) != 1 || r.Summary.To != 1000 || r.State == nil {
		t.Errorf("%v, %v", r, err)
	}
	r, err = audit.Run(t.Context(), plain{l.flipped("tile/0/001", 80)}, audit.Options{Policy: l.policy})
	if err != nil || !named(r, "tile/0/001", 256) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestProgress(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	l.publish(20_000)
	var last audit.Progress
	calls := 0
	_, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, Progress: func(p audit.Progress) {
		if p.Entries < last.Entries || p.Total != 20_000 {
			t.Errorf("%v after %v", p, last)
		}
		last, calls = p, calls+1
	}})
	if err != nil || last.Entries != 20_000 || calls < 2 {
		t.Errorf("%d calls up to %v, %v", calls, last, err)
	}
}

// However many workers there are, the report is the same.
func TestWorkersDoNotChangeTheReport(t *testing.T) {
	l := aLedger(t)
	files := l.flipped("tile/entries/002", 8*100)
	delete(files, "tile/0/001")
	files["checkpoints/777"] = &fstest.MapFile{Data: l.sign(777, proofs.Hash{})}
	var reports []string
	for _, workers := range []int{1, 2, 7} {
		r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, fmt.Sprint(r.Findings, r.Total, r.Summary))
	}
	if reports[0] != reports[1] || reports[0] != reports[2] || !strings.Contains(reports[0], "777") {
		t.Errorf("%q", reports)
	}
}
