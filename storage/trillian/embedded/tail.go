package embedded

import "github.com/google/trillian"

// tailBytes bounds what a tail keeps in memory.
const tailBytes = 64 << 20

// tail is the leaves that were added last, without a gap, so that they can be
// integrated without being read back.
type tail struct {
	pieces []piece
	bytes  int
}

// piece is one fragment as it was stored, with its leaf hashes.
type piece struct {
	first  uint64 // index of the first leaf
	leaves []byte // the encoded fragment
	hashes []byte // hashSize bytes each
}

func (p piece) end() uint64 { return p.first + uint64(len(p.hashes)/hashSize) }

func (p piece) bytes() int { return len(p.leaves) + len(p.hashes) }

// add appends a piece. After a gap, or when there are too many bytes, the tail
// starts anew.
func (t *tail) add(p piece) {
	if n := len(t.pieces); n > 0 && t.pieces[n-1].end() != p.first || t.bytes > tailBytes {
		*t = tail{}
	}
	t.pieces = append(t.pieces, p)
	t.bytes += p.bytes()
}

// drop forgets the leaves before index.
func (t *tail) drop(before uint64) {
	n := 0
	for n < len(t.pieces) && t.pieces[n].end() <= before {
		t.bytes -= t.pieces[n].bytes()
		n++
	}
	t.pieces = append(t.pieces[:0], t.pieces[n:]...)
}

// leaves returns up to limit leaves from start on; none when the tail does not
// have leaf start.
func (t *tail) leaves(start uint64, limit int) ([]*trillian.LogLeaf, error) {
	if len(t.pieces) == 0 || start < t.pieces[0].first || start >= t.pieces[len(t.pieces)-1].end() {
		return nil, nil
	}
	n := min(uint64(limit), t.pieces[len(t.pieces)-1].end()-start)
	slab := make([]trillian.LogLeaf, n)
	leaves := make([]*trillian.LogLeaf, 0, n)
	for _, p := range t.pieces {
		if p.end() <= start {
			continue
		}
		f, _, err := cutFragment(p.leaves)
		if err != nil {
			return nil, err
		}
		times := newTimes(&f)
		for i := int(start - p.first); i < len(f.values) && len(leaves) < len(slab); i++ {
			leaf := &slab[len(leaves)]
			hash := p.hashes[hashSize*i : hashSize*(i+1) : hashSize*(i+1)]
			fillLeaf(leaf, &f, i, start, hash, times)
			leaves = append(leaves, leaf)
			start++
		}
	}
	return leaves, nil
}
