package proofs_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// refDirectory makes the head of a directory of what is known of entries.
func (w *searchWorld) refDirectory(id proofs.SegmentID, large bool) proofs.Hash {
	type tagged map[string][]uint16
	rows, seeds, streams, unread := make(map[uint32]tagged), make(map[uint32][]byte), make(map[uint32]uint32), make(map[uint32][]byte)
	for position := range id.Size() {
		e := w.events[id.First()+position]
		if e == nil {
			continue
		}
		lists := slices.DeleteFunc(slices.Clone(e.lists), func(l proofs.DisclosedTags) bool { return !l.Shown() || len(l.Tags) == 0 })
		if (w.unread[id.First()+position] || len(lists) > 0) && rows[e.bucket] == nil {
			rows[e.bucket], streams[e.bucket] = make(tagged), e.stream
		}
		if w.unread[id.First()+position] {
			unread[e.bucket] = append(unread[e.bucket], byte(position>>8), byte(position))
			continue
		}
		for _, l := range lists {
			seeds[e.bucket] = append(append(seeds[e.bucket], byte(position>>8), byte(position)), l.Seed...)
			for tags := l.Tags; len(tags) > 0; tags = tags[18:] {
				tag := string(tags[:18])
				if list := rows[e.bucket][tag]; len(list) == 0 || list[len(list)-1] != uint16(position) {
					rows[e.bucket][tag] = append(list, uint16(position))
				}
			}
		}
	}
	head := []byte{0}
	if large {
		head[0] = 1
	}
	head = binary.BigEndian.AppendUint64(head, id.Number)
	head = binary.BigEndian.AppendUint64(head, w.leaf(id.First()).Time)
	head = binary.BigEndian.AppendUint64(head, w.leaf(id.End()-1).Time)
	var buckets []byte
	for _, bucket := range slices.Sorted(maps.Keys(rows)) {
		secret := sha256.Sum256(append([]byte("cairn/v1 directory secret\n"), seeds[bucket]...))
		if large {
			secret = w.refLargeSecret(id, bucket)
		}
		var leaves refTree
		for _, tag := range slices.Sorted(maps.Keys(rows[bucket])) {
			salt := sha256.Sum256(slices.Concat([]byte("salt\n"), secret[:], []byte(tag)))
			entries := append([]byte("rows\n"), salt[:]...)
			for _, p := range rows[bucket][tag] {
				entries = binary.BigEndian.AppendUint16(entries, p)
			}
			hash := sha256.Sum256(entries)
			leaves = append(leaves, append([]byte(tag), hash[:]...))
		}
		root := refMTH(leaves)
		count := binary.BigEndian.AppendUint32([]byte("cairn/v1 directory rows\n"), uint32(len(leaves)))
		hash := sha256.Sum256(append(count, root[:]...))
		buckets = binary.BigEndian.AppendUint32(buckets, streams[bucket])
		buckets = binary.BigEndian.AppendUint32(buckets, bucket)
		buckets = append(buckets, hash[:]...)
		n := len(unread[bucket])
		buckets = append(append(buckets, byte(n>>16), byte(n>>8), byte(n)), unread[bucket]...)
	}
	head = append(head, byte(len(buckets)>>16), byte(len(buckets)>>8), byte(len(buckets)))
	head = append(head, buckets...)
	var erased []byte
	for _, by := range slices.Compact(slices.Sorted(func(yield func(uint64) bool) {
		for index, by := range w.erased {
			if index >= id.First() && index < id.End() && !yield(by) {
				return
			}
		}
	})) {
		erased = binary.BigEndian.AppendUint64(erased, by)
	}
	head = append(head, byte(len(erased)>>16), byte(len(erased)>>8), byte(len(erased)))
	return sha256.Sum256(slices.Concat([]byte("cairn/v1 directory\n"), head, erased))
}

// refLargeSecret is made of the secrets of the small segments.
func (w *searchWorld) refLargeSecret(id proofs.SegmentID, bucket uint32) proofs.Hash {
	secret := []byte("cairn/v1 large directory secret\n")
	for which := range uint64(proofs.LargeSegments) {
		small := proofs.SegmentID{Number: id.Number*proofs.LargeSegments + which}
		var seeds []byte
		for position := range small.Size() {
			e := w.events[small.First()+position]
			if e == nil || e.bucket != bucket || w.unread[small.First()+position] {
				continue
			}
			for _, l := range e.lists {
				if l.Shown() && len(l.Tags) > 0 {
					seeds = append(append(seeds, byte(position>>8), byte(position)), l.Seed...)
				}
			}
		}
		if len(seeds) > 0 {
			h := sha256.Sum256(append([]byte("cairn/v1 directory secret\n"), seeds...))
			secret = append(append(secret, byte(which)), h[:]...)
		}
	}
	return sha256.Sum256(secret)
}

func TestDirectoriesAreThoseOfTheirDefinition(t *testing.T) {
	t.Parallel()
	big, closed := bigSearchWorld(), smallSearchWorld()
	closed.erase(0, closed.answer(everything(term("user7", 1)), 0, 3000)...)
	damaged := big.clone()
	damaged.damage(damaged.answer(everything(term("user7", 1)), 0, damaged.size())...)
	for _, x := range []struct {
		w  *searchWorld
		id proofs.SegmentID
	}{
		{big, proofs.SegmentID{Number: 17}},
		{closed, proofs.SegmentID{}}, {closed, proofs.SegmentID{Number: 1}},
		{damaged, proofs.SegmentID{Number: 15}}, {damaged, proofs.SegmentID{Large: true}},
	} {
		t.Run(fmt.Sprint(x.id, ", ", len(x.w.erased), " erased, ", len(x.w.unread), " unread"), func(t *testing.T) {
			if got, want := must(x.w.heads[x.id].Hash()), x.w.refDirectory(x.id, x.id.Large); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestDirectoriesOfRandomEntriesAreThoseOfTheirDefinition: few entries, few
// tags, most of them more than once, in one entry and in several lists of it.
func TestDirectoriesOfRandomEntriesAreThoseOfTheirDefinition(t *testing.T) {
	for seed := range uint64(20) {
		rnd := newRand(seed)
		w := newSearchWorld()
		for range rnd.IntN(40) {
			for range rnd.IntN(80) {
				w.add(proofs.Leaf{Kind: proofs.Access, T: proofs.EmptyRoot()})
			}
			var lists [][]searchValue
			for range 1 + rnd.IntN(3) {
				var list []searchValue
				for range 1 + rnd.IntN(4) {
					list = append(list, searchValue{uint16(1 + rnd.IntN(2)), fmt.Sprint(rnd.IntN(3))})
				}
				lists = append(lists, list)
			}
			index := w.event(1, 1+2*uint32(rnd.IntN(2)), lists...)
			w.unread[index] = rnd.IntN(4) == 0
		}
		for w.size() < proofs.SegmentSize {
			w.add(proofs.Leaf{Kind: proofs.Access, T: proofs.EmptyRoot()})
		}
		if got, want := w.make(0), w.refDirectory(proofs.SegmentID{}, false); got != want {
			t.Errorf("%d: got %v, want %v", seed, got, want)
		}
	}
}
