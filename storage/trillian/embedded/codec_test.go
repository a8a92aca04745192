package embedded

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/compact"
)

func testFragments() []fragment {
	return []fragment{
		{first: 0, queued: []int64{0}, values: [][]byte{{}}},
		{first: 255, queued: []int64{-1}, integrated: 5, values: [][]byte{{1, 2}}},
		{first: 7, queued: []int64{1, 2, 3}, values: [][]byte{{1}, {}, {2, 3}}, extras: [][]byte{{}, {9}, {}}},
		{first: 254, queued: []int64{1 << 62}, values: [][]byte{{1}, {2}}, identities: bytes.Repeat([]byte{7}, 64)},
	}
}

func FuzzFragment(f *testing.F) {
	var all []byte
	for _, fragment := range testFragments() {
		f.Add(fragment.appendTo(nil))
		all = fragment.appendTo(all)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for rest := b; len(rest) > 0; {
			fragment, after, err := cutFragment(rest)
			if err != nil {
				return
			}
			if fragment.first < 0 || fragment.first+len(fragment.values) > runSize {
				t.Fatalf("leaves [%d, +%d) are no part of a run", fragment.first, len(fragment.values))
			}
			again, rest = fragment.appendTo(again), after
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%x parses and formats to %x", b, again)
		}
	})
}

func FuzzTile(f *testing.F) {
	f.Add(appendHashes(nil, 0, make([]byte, hashSize)))
	f.Add(appendHashes(appendHashes(nil, 0, make([]byte, 3*hashSize)), 3, bytes.Repeat([]byte{1}, 253*hashSize)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for rest := b; len(rest) > 0; {
			first, hashes, after, err := cutHashes(rest)
			if err != nil {
				return
			}
			if first+len(hashes)/hashSize > runSize {
				t.Fatalf("hashes [%d, +%d) are no part of a tile", first, len(hashes)/hashSize)
			}
			again, rest = appendHashes(again, first, hashes), after
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%x parses and formats to %x", b, again)
		}
	})
}

func FuzzHead(f *testing.F) {
	for _, size := range []uint64{0, 1, 6, 1 << 40} {
		root, err := (&types.LogRootV1{TreeSize: size, RootHash: make([]byte, hashSize), TimestampNanos: 1}).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		h := head{logRoot: root}
		f.Add(h.format())
		h.edge = make([]hash, len(compact.RangeNodes(0, size, nil)))
		f.Add(h.format())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHead(b)
		if err != nil {
			return
		}
		if again := h.format(); !bytes.Equal(again, b) {
			t.Fatalf("%x parses and formats to %x", b, again)
		}
	})
}

func TestTheEdgeIsFoundByNodeID(t *testing.T) {
	for size := uint64(0); size < 600; size++ {
		h := &head{root: types.LogRootV1{TreeSize: size}}
		ids := compact.RangeNodes(0, size, nil)
		for _, id := range ids {
			h.edge = append(h.edge, sha256.Sum256([]byte{byte(id.Level), byte(id.Index)}))
		}
		for i, id := range ids {
			if got, ok := h.node(id); !ok || got != h.edge[i] {
				t.Fatalf("size %d: node %v is not found", size, id)
			}
		}
		if _, ok := h.node(compact.NewNodeID(0, size)); ok {
			t.Fatalf("size %d: a node beyond the tree is found", size)
		}
	}
}

func TestTheTileCacheForgetsWhatWasUsedFirst(t *testing.T) {
	c := newTileCache(2)
	a, b, d := tileID{tile: 1}, tileID{tile: 2}, tileID{tile: 3}
	c.put(a, new(pyramid))
	c.put(b, new(pyramid))
	c.get(a)
	c.put(d, new(pyramid))
	if c.get(a) == nil || c.get(b) != nil || c.get(d) == nil {
		t.Errorf("a: %v, b: %v, d: %v, want b forgotten", c.get(a), c.get(b), c.get(d))
	}
}
