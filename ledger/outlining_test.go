package ledger

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// outlined waits until the index has outlines of all directories.
func (a *archive) outlined() {
	a.t.Helper()
	a.caughtUp()
	eventually(a.t, "all directories have outlines", func() bool {
		x, list := a.l.indexer.view(), a.l.directories.committed()
		for n, hash := range list.small {
			head, err := a.l.directories.head(a.t.Context(), hash)
			if err != nil {
				a.t.Fatalf("segment %d: %v", n, err)
			}
			if x == nil || a.l.outliner.lacks(x, head) {
				return false
			}
		}
		return len(list.small) > 0
	})
}

// forgetRows lets go of all rows that are in memory, and reports whether there
// were any of the first segments.
func (a *archive) forgetRows(first int) (any bool) {
	d := a.l.directories
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.recent.held {
		any = any || id.Number < uint64(first)
	}
	d.recent.clear()
	return any
}

// mustProveTheSame makes proofs by outlines alone, and by rows that are made
// again, under one checkpoint.
func (a *archive) mustProveTheSame(queries ...client.CompleteQuery) {
	a.t.Helper()
	source, checkpoint, err := a.l.searchSource(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	prove := func() (proven [][]byte) {
		for _, q := range queries {
			query, err := a.l.completeQuery(q)
			if err != nil {
				a.t.Fatal(err)
			}
			p, err := proofs.ProveSearch(a.t.Context(), query, checkpoint, source.size, q.Now, source)
			if err != nil {
				a.t.Fatalf("%+v: %v", q, err)
			}
			b, err := proofs.FormatSearchProof(p)
			if err != nil {
				a.t.Fatal(err)
			}
			proven = append(proven, b)
		}
		return proven
	}
	a.forgetRows(0)
	outlined := prove()
	if a.forgetRows(len(source.list.small)) {
		a.t.Error("rows were made again")
	}
	for n, hash := range source.list.small {
		head, err := a.l.directories.head(a.t.Context(), hash)
		if err == nil {
			_, err = a.l.directories.rows(a.t.Context(), head.Segment, unreadOf(head))
		}
		if err != nil {
			a.t.Fatalf("segment %d: %v", n, err)
		}
	}
	for i, b := range prove() {
		if !bytes.Equal(outlined[i], b) {
			a.t.Errorf("%+v: the proofs are different", queries[i])
		}
	}
}

// noOutlineLeadsTo demands that no outline has an entry.
func (a *archive) noOutlineLeadsTo(entries []uint64) {
	a.t.Helper()
	source, _, err := a.l.searchSource(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for n, hash := range source.list.small {
		head, err := a.l.directories.head(a.t.Context(), hash)
		if err != nil {
			a.t.Fatalf("segment %d: %v", n, err)
		}
		for _, b := range head.Buckets {
			outline := a.l.indexer.view().Outline(head.Segment, b.Bucket, b.Rows)
			r, err := source.bucketRows(head, b)
			if err != nil {
				a.t.Fatal(err)
			}
			if outline == nil || r == nil {
				continue
			}
			rows, err := outline.Rows(r.(*bucketRows).readTags)
			if err != nil {
				a.t.Fatal(err)
			}
			for i := range rows.Len() {
				_, found, err := rows.ReadRow(a.t.Context(), i)
				if err != nil {
					a.t.Fatalf("row %d of segment %d: %v", i, n, err)
				}
				for _, p := range found.Positions {
					if slices.Contains(entries, head.Segment.First()+uint64(p)) {
						a.t.Fatalf("row %d of the outline of segment %d leads to entry %d", i, n, head.Segment.First()+uint64(p))
					}
				}
			}
		}
	}
}

// mustProveMuchTheSame asks for what there is and what is not, in all ways.
func (a *archive) mustProveMuchTheSame(rng *rand.Rand, stream string, names ...string) {
	a.t.Helper()
	a.outlined()
	var queries []client.CompleteQuery
	for range 2 {
		for _, name := range append(names, "nobody") {
			queries = append(queries, client.CompleteQuery{Stream: stream, Fields: by(name)})
		}
		n := client.FieldValue{Name: "n", Value: fmt.Sprint(rng.IntN(3000))}
		both := append(by(names[rng.IntN(len(names))]), n)
		either := append(by(names[0]), n, client.FieldValue{Name: "n", Value: "nothing"})
		queries = append(queries, client.CompleteQuery{Stream: stream, Fields: both},
			client.CompleteQuery{Stream: stream, Any: [][]client.FieldValue{either}, First: rng.Uint64N(9000)})
	}
	a.mustProveTheSame(queries...)
}

// TestOutlinesProveWhatRowsDo compares the proofs in a ledger of which some
// entries are erased, some expire, and some cannot be read.
func TestOutlinesProveWhatRowsDo(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	a := indexed(t)
	a.short("people", 0)
	a.short("week", 7)
	old := a.crowd("week", 700, "alice", "bob")
	crowd := []string{"alice", "bob", "carol", "dave"}
	for i := range 30 {
		crowd = append(crowd, fmt.Sprintf("dave %d", i))
	}
	people := a.crowd("people", int(proofs.DirectoryPlace(0)), crowd...)
	a.mustProveMuchTheSame(rng, "people", "alice", "bob", "carol")
	a.mustProveTheSame(client.CompleteQuery{Stream: "week", Fields: by("bob")})

	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	a.record(DefaultStream, "") // published, with the directories that were made anew
	a.noOutlineLeadsTo(people["alice"])
	a.mustProveMuchTheSame(rng, "people", "alice", "bob", "carol")
	a.noOutlineLeadsTo(people["alice"])

	a.later(9)
	a.later(9)
	a.gone(old["alice"][0])
	a.record(DefaultStream, "")
	a.mustProveTheSame(client.CompleteQuery{Stream: "week", Fields: by("bob")})

	lost := func(of []uint64, n int) uint64 { // the n-th in the second segment
		at, _ := slices.BinarySearch(of, proofs.SegmentSize)
		return of[at+n]
	}
	a.damage = map[uint64]damage{
		lost(people["bob"], 7):   {err: fmt.Errorf("row: %w", storage.ErrCorrupt)},
		lost(people["carol"], 9): {err: storage.ErrNotFound},
	}
	a.restart()
	a.crowd("people", proofs.SegmentSize, crowd[1:]...)
	a.mustProveMuchTheSame(rng, "people", "bob", "carol", "dave")
	a.restart()
	a.record(DefaultStream, "")
	a.mustProveMuchTheSame(rng, "people", "bob", "dave")
}

// TestDamagedOutlinesAreMadeAgain: until then proofs are made of rows.
func TestDamagedOutlinesAreMadeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := indexed(t)
	a.short("people", 0)
	people := a.crowd("people", 2*proofs.SegmentSize, "alice", "bob", "carol", "dave", "erin", "frank", "grace")
	a.outlined()
	a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("bob")}, people["bob"])
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := a.search.(*memfs.FS).Restart()
	infos, err := damaged.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		if info.Name != "register" {
			if err := damaged.Damage(info.Name, info.Size/2, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.search = damaged
	a.start()
	a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("bob")}, people["bob"])
	a.mustProveMuchTheSame(rand.New(rand.NewPCG(2, 1)), "people", "alice", "bob")
}
