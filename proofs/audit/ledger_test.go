package audit_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

const (
	origin    = "ledger.example/audit"
	startTime = 1_795_435_200 // 2026-11-23 12:00:00 UTC, in seconds
)

// A ledger is a synthetic one, made by the API of proofs alone: its entries
// are in memory and what it serves is in files.
type ledger struct {
	tb        testing.TB
	log       proofs.SigningKey
	witnesses []proofs.SigningKey
	policy    *proofs.Policy
	leaves    [][]byte
	records   [][]byte
	nodes     [][]proofs.Hash // by level
	files     fstest.MapFS
	vault     bool
	clock     func() uint64 // of the witnesses, in seconds; nil: that of the last entry

	directories directoryFixture
	counts      map[[2]uint64]uint64 // of (bucket, source), the next number
	swapped     map[[2]uint64]bool
}

// randomness is the same in every run.
func randomness(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// newLedger returns a ledger without entries, with a witness for each type of
// key. Half of its witnesses are a quorum.
func newLedger(tb testing.TB, types ...proofs.KeyType) *ledger {
	if types == nil {
		types = []proofs.KeyType{proofs.Ed25519Cosignature, proofs.Ed25519Cosignature, proofs.Ed25519Cosignature}
	}
	l := &ledger{tb: tb, files: fstest.MapFS{}, vault: true,
		counts: map[[2]uint64]uint64{}, swapped: map[[2]uint64]bool{}}
	l.log = check(proofs.GenerateKey(origin, proofs.Ed25519, randomness(0)))
	text := "log " + l.log.Key().String() + "\n"
	names := ""
	for i, typ := range types {
		name := fmt.Sprintf("w%d", i+1)
		k := check(proofs.GenerateKey("witness.example/"+name, typ, randomness(byte(i+1))))
		l.witnesses = append(l.witnesses, k)
		names += " " + name
		text += "witness " + name + " " + k.Key().String() + "\n"
	}
	text += fmt.Sprintf("group all %d%s\nquorum all\n", (len(types)+1)/2, names)
	l.policy = check(proofs.ParsePolicy([]byte(text)))
	return l
}

// check panics on errors: they would be mistakes of the test.
func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// grow appends entries until there are size of them: first those that create
// the ledger and open its buckets, then events of five sources, and now and
// then the record of an access.
func (l *ledger) grow(size int) {
	for i := len(l.leaves); i < size; i++ {
		leaf, record := l.entry(uint64(i))
		if record != nil {
			b := check(proofs.FormatRecord(*record))
			leaf.C = record.Commitment()
			l.records = append(l.records, b)
		} else {
			l.records = append(l.records, nil)
		}
		l.add(check(proofs.FormatLeaf(leaf)))
	}
}

// add appends a leaf and hashes it into the tree.
func (l *ledger) add(leaf []byte) {
	l.leaves = append(l.leaves, leaf)
	for len(l.records) < len(l.leaves) {
		l.records = append(l.records, nil)
	}
	h := proofs.LeafHash(leaf)
	for level := 0; ; level++ {
		if len(l.nodes) == level {
			l.nodes = append(l.nodes, nil)
		}
		l.nodes[level] = append(l.nodes[level], h)
		n := len(l.nodes[level])
		if n%2 == 1 {
			return
		}
		h = proofs.NodeHash(l.nodes[level][n-2], h)
	}
}

// rehash makes the tree again, of leaves that were changed.
func (l *ledger) rehash() {
	leaves, records := l.leaves, l.records
	l.leaves, l.records, l.nodes = nil, records, nil
	for _, leaf := range leaves {
		l.add(leaf)
	}
}

func (l *ledger) entry(i uint64) (proofs.Leaf, *proofs.Record) {
	leaf := proofs.Leaf{Time: entryTime(i), T: proofs.EmptyRoot()}
	switch {
	case l.directories.place(i):
		leaf.Kind, leaf.Control = proofs.Directory, l.directories.next()
		return leaf, nil
	case i == 0:
		leaf.Kind = proofs.Created
		leaf.Control = check(proofs.FormatCreated(proofs.CreatedBody{Origin: origin, Keys: l.log.Key().String() + "\n"}))
		return leaf, nil
	case i <= 3:
		leaf.Kind = proofs.BucketOpened
		leaf.Control = check(proofs.FormatBucket(proofs.BucketBody{Bucket: uint32(i), Stream: uint32(i - 1), Class: 1, Period: 20780}))
		return leaf, nil
	case i%50 == 7:
		leaf.Kind, leaf.Bucket = proofs.Access, 1
	default:
		leaf.Kind, leaf.Stream, leaf.Bucket = proofs.Event, 1, 2
		if i%3 == 0 {
			leaf.Stream, leaf.Bucket = 2, 3
		}
		leaf.Source = &proofs.LeafSource{Number: i % 5}
		leaf.Source.Sequence = l.next(leaf.Bucket, i%5, i < 80)
	}
	record := &proofs.Record{Parts: []proofs.RecordPart{{Sealed: sealed(i)}}, Tags: []proofs.RecordTags{{Sealed: sealed(i + 1)}}}
	binary.BigEndian.PutUint64(record.ID[:], i)
	return leaf, check2(proofs.ParseRecord(check(proofs.FormatRecord(*record))))
}

// next returns the next number of a source. Where they may, numbers 1 and 2 out
// of every eight change places.
func (l *ledger) next(bucket uint32, source uint64, swap bool) uint64 {
	key := [2]uint64{uint64(bucket), source}
	n := l.counts[key]
	l.counts[key]++
	switch {
	case n%8 == 1 && swap:
		l.swapped[key] = true
		return n + 1
	case n%8 == 2 && l.swapped[key]:
		l.swapped[key] = false
		return n - 1
	}
	return n
}

func check2(r proofs.Record, err error) *proofs.Record { return new(check(r, err)) }

func entryTime(i uint64) uint64 { return startTime*1_000_000 + i*1000 }

// sealed stands for a sealed part: nobody can tell the difference.
func sealed(i uint64) []byte {
	b := make([]byte, 40+i%64)
	check(randomness(byte(i)).Read(b))
	return b
}

// ReadNodes makes proofs from the ledger's memory.
func (l *ledger) ReadNodes(_ context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	var out []proofs.Hash
	for _, id := range ids {
		out = append(out, l.nodes[id.Level][id.Index])
	}
	return out, nil
}

func (l *ledger) root(size int) proofs.Hash {
	return check(proofs.Root(context.Background(), uint64(size), l))
}

// publish writes the files of the ledger as it serves them at a size.
func (l *ledger) publish(size int) {
	l.grow(size)
	for level := range uint8(8) {
		for index := uint64(0); ; index++ {
			t, ok := proofs.TileIn(uint64(size), level, index)
			if !ok {
				break
			}
			if _, done := l.files[t.Path()]; !done {
				first := index * proofs.TileWidth
				l.write(t.Path(), proofs.FormatTile(l.nodes[8*level][first:first+uint64(t.Width)]))
			}
		}
	}
	for index := uint64(0); ; index++ {
		b, ok := proofs.BundleIn(uint64(size), index)
		if !ok {
			break
		}
		first := index * proofs.TileWidth
		if _, done := l.files[b.Path()]; !done {
			l.write(b.Path(), check(proofs.FormatBundle(l.leaves[first:first+uint64(b.Width)])))
		}
		if l.vault {
			l.write(audit.VaultPath(b), audit.FormatVault(l.records[first:first+uint64(b.Width)]))
		}
	}
	signed := l.sign(size, l.root(size))
	l.write(audit.CheckpointFile, signed)
	l.write(audit.CheckpointPath(uint64(size)), signed)
}

// sign returns a checkpoint signed by the log and cosigned by the witnesses,
// or by the first n of them.
func (l *ledger) sign(size int, root proofs.Hash, n ...int) []byte {
	c := proofs.Checkpoint{Origin: origin, Size: uint64(size), Root: root}
	text := check(proofs.FormatCheckpoint(c))
	note := proofs.Note{Text: text, Signatures: []proofs.Signature{check(l.log.SignCheckpoint(text, 0))}}
	cosigners := l.witnesses
	if n != nil {
		cosigners = cosigners[:n[0]]
	}
	now := entryTime(uint64(max(size-1, 0))) / 1_000_000
	if l.clock != nil {
		now = l.clock()
	}
	for i, w := range cosigners {
		at := now + uint64(i)
		note.Signatures = append(note.Signatures, check(w.SignCheckpoint(text, at)))
	}
	return proofs.FormatSignedCheckpoint(proofs.SignedCheckpoint{Checkpoint: c, Note: note})
}

func (l *ledger) write(path string, b []byte) { l.files[path] = &fstest.MapFile{Data: b} }

// receipt writes the receipt of an entry, by the checkpoint of a size.
func (l *ledger) receipt(index, size int) string {
	r := proofs.Receipt{
		Extra: l.leaves[index], Index: uint64(index), Checkpoint: l.sign(size, l.root(size)),
		Proof: check(proofs.ProveInclusion(context.Background(), uint64(index), uint64(size), l)),
	}
	path := fmt.Sprintf("%s/%d-%d%s", audit.ReceiptsDir, index, size, audit.ReceiptSuffix)
	l.write(path, check(proofs.FormatReceipt(r)))
	return path
}

// copy returns the files, to be changed without changing the ledger's.
func (l *ledger) copy() fstest.MapFS { return maps.Clone(l.files) }

// flipped returns the files with a bit of one of them flipped.
func (l *ledger) flipped(path string, bit int) fstest.MapFS {
	files := l.copy()
	b := bytes.Clone(files[path].Data)
	b[bit/8] ^= 1 << (bit % 8)
	files[path] = &fstest.MapFile{Data: b}
	return files
}

// audit judges files by the ledger's policy.
func (l *ledger) audit(files fstest.MapFS, state *audit.State) *audit.Report {
	l.tb.Helper()
	r, err := audit.Run(context.Background(), files, audit.Options{Policy: l.policy, State: state})
	if err != nil {
		l.tb.Fatal(err)
	}
	return r
}

// aLedger returns a ledger of 1,000 entries, published at several sizes, with
// all kinds of files.
func aLedger(tb testing.TB) *ledger {
	l := newLedger(tb, proofs.Ed25519Cosignature, proofs.Ed25519Cosignature, proofs.MLDSA44)
	for _, size := range []int{0, 1, 100, 256, 300, 512, 777, 1000} {
		l.publish(size)
	}
	l.receipt(5, 100)
	l.receipt(255, 512)
	l.receipt(600, 1000)
	return l
}
