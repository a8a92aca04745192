package audit_test

import (
	"maps"
	"slices"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

func monthOf(seconds uint64) uint32 {
	t := time.Unix(int64(seconds), 0).UTC()
	return uint32((t.Year()-1970)*12 + int(t.Month()) - 1)
}

// A naiveFate is what an entry's record has to be, and may be.
type naiveFate struct {
	ignored bool // what becomes of it says nothing
	missing bool // it must not be there
	lacking bool // it must not be there in whole
	may     bool // it may be missing, or lack something
	partly  bool // it may lack something
	why     uint64
	held    uint64 // a hold that keeps it from being gone
	keeper  uint64 // and one that keeps parts
}

// fate says what has to be with an entry's record.
func (n *naive) fate(i uint64) (f naiveFate) {
	leaf := n.leaves[i]
	if b := n.buckets[leaf.Bucket]; b.expiry > 0 {
		c := n.closing[b.expiry]
		at, ok := c.closed[i]
		switch {
		case !ok: // it came later: whatever becomes of it
			return naiveFate{ignored: true}
		case at > 0:
			f.may, f.missing, f.why = true, n.closing[at].done > 0, at
		default:
			f.held = n.keeps(i, c)
		}
	}
	if f.may && f.missing {
		return f
	}
	for _, c := range n.order {
		at, concerned := c.closed[i]
		if c.kind != proofs.Erasure || !concerned || leaf.Kind == proofs.Event && leaf.Stream != c.stream {
			continue
		}
		switch {
		case at == 0:
			if k := n.keeps(i, c); f.keeper == 0 || k < f.keeper {
				f.keeper = k
			}
		case n.closing[at].done == 0:
			f.partly = true
		case !f.lacking:
			f.lacking, f.why = true, at
		}
	}
	return f
}

// keeps returns the first hold that keeps an entry from a closing.
func (n *naive) keeps(i uint64, c *naiveClosing) uint64 {
	for _, h := range n.holds {
		if !h.released && h.covers(i, c.stream) {
			return h.index
		}
	}
	panic("nothing keeps it")
}

// judgeVault judges each record.
func (n *naive) judgeVault() {
	type blame struct {
		kind audit.FindingKind
		by   uint64
	}
	groups := map[blame][]uint64{}
	for _, c := range n.order {
		for _, e := range slices.Sorted(maps.Keys(c.closed)) {
			if c.kind == proofs.Erasure && e < uint64(len(n.leaves)) {
				if leaf := n.leaves[e]; leaf.Bucket == 0 || leaf.Kind == proofs.Event && leaf.Stream != c.stream {
					groups[blame{audit.ErasureForeign, c.index}] = append(groups[blame{audit.ErasureForeign, c.index}], e)
				}
			}
		}
	}
	var gone [][3]uint64 // first, last, whether in part
	for i, leaf := range n.leaves {
		if leaf.Bucket == 0 {
			continue
		}
		e := uint64(i)
		f, b := n.fate(e), n.w.records[i]
		scrubbed := len(b) > 0 && check(proofs.ParseRecord(b)).Parts[1].Sealed == nil
		switch {
		case f.ignored, len(b) == 0 && f.may, scrubbed && !f.missing && (f.may || f.partly || f.lacking):
		case len(b) == 0 && f.held > 0:
			groups[blame{audit.RecordHeld, f.held}] = append(groups[blame{audit.RecordHeld, f.held}], e)
		case scrubbed && f.keeper > 0 && !f.missing:
			groups[blame{audit.RecordHeld, f.keeper}] = append(groups[blame{audit.RecordHeld, f.keeper}], e)
		case scrubbed && f.held > 0:
			groups[blame{audit.RecordHeld, f.held}] = append(groups[blame{audit.RecordHeld, f.held}], e)
		case len(b) == 0 || scrubbed && !f.missing:
			part := uint64(0)
			if scrubbed {
				part = 1
			}
			if k := len(gone); k > 0 && gone[k-1][1]+1 == e && gone[k-1][2] == part {
				gone[k-1][1] = e
			} else {
				gone = append(gone, [3]uint64{e, e, part})
			}
		case f.missing || f.lacking:
			groups[blame{audit.RecordRemains, f.why}] = append(groups[blame{audit.RecordRemains, f.why}], e)
		}
	}
	for _, g := range gone {
		a := accused{kind: audit.RecordMissing, index: int64(g[0])}
		if g[1] > g[0] {
			a.last = int64(g[1])
		}
		n.found = append(n.found, a)
	}
	for b, entries := range groups {
		a := of(b.kind, entries...)
		if b.kind == audit.ErasureForeign {
			a.index, a.last = int64(b.by), 0
		}
		n.found = append(n.found, a)
	}
}
