package proofs

import (
	"crypto/sha256"
	"encoding/binary"
)

// Pruning is C2SP's (tlog-tiles, pruning): a log that has a policy for it need
// not serve the entries below its minimum index any more. A ledger here goes
// less far than it may. What says how the rest is to be read stays public, as
// whole bundles: see [Leaf.Lasts]. So do all hashes, so that every proof can be
// made that could be made before, also about what is pruned, given its leaf.
// What is withheld is bundles that hold nothing but events and acts.

// A PruningBody says, from here on, when public entries may be pruned. Before
// the first they never are.
type PruningBody struct {
	// Days is how long all of them must have been closed, see [MinimumBody];
	// 0: nothing more is pruned.
	Days uint32
}

// Weakens reports whether entries are pruned that were not, or earlier.
func (p PruningBody) Weakens(was PruningBody) bool {
	return p.Days > 0 && (was.Days == 0 || p.Days < was.Days)
}

// A MinimumBody announces a minimum index. It is in force once a published
// checkpoint covers the entry. At its time
//
//   - every bucket with entries below the index, but for those of the ledger's
//     own stream, has expired and that is done, and no hold covers any of these
//     entries or their streams: nothing of their payloads is left;
//   - the last of these expiries was announced, and the index reached, before a
//     kept checkpoint that is older than another by the days that pruning
//     demands;
//   - the minimum index before it is lower, and was in force at the later of
//     these checkpoints.
type MinimumBody struct {
	Index uint64 // a multiple of 256, and not 0

	// Controls commits to all lasting entries before this one: [NextControls].
	// Whoever cannot read the pruned bundles sees by it that none of these is
	// among them, if it is true. Whoever reads them before they are pruned sees
	// whether it is; a log that lied is convicted by it for ever.
	Controls Hash

	// Aged covers all entries below the index and the announcements of their
	// expiry; its time is from where the days are counted, to that of Now.
	Aged, Now CheckpointRef
}

func appendMinimum(b []byte, m *MinimumBody) []byte {
	b = append(appendUint64s(b, m.Index), m.Controls[:]...)
	return appendCheckpointRef(appendCheckpointRef(b, m.Aged), m.Now)
}

func (d *decoder) minimum() *MinimumBody {
	m := &MinimumBody{Index: d.uint64("index"), Controls: d.hash("controls"), Aged: d.checkpointRef("aged"), Now: d.checkpointRef("now")}
	switch {
	case d.err != nil:
	case m.Index == 0 || m.Index%TileWidth != 0:
		d.fail("index", "neither 256 nor a multiple of it")
	case m.Aged.Size < m.Index:
		d.fail("aged", "does not cover all entries below the index")
	case m.Now.Size < m.Aged.Size:
		d.fail("now", "is smaller than aged")
	}
	return m
}

// Lasts reports whether an entry stays public when those around it are pruned:
// all control entries do, but for acts: entries that somebody had access, or
// administered something alone.
func (l *Leaf) Lasts() bool {
	switch l.Kind {
	case Event, Access:
		return false
	case Administration:
		return len(l.Control) > 0
	}
	return true
}

// NextControls returns the hash that commits to the lasting entries up to one at
// an index, given the one that commits to those before it:
//
//	SHA-256(before ‖ uint64 index ‖ leaf hash)
//
// The hash that commits to none is zero.
func NextControls(before Hash, index uint64, leaf *Leaf) (Hash, error) {
	b, err := FormatLeaf(*leaf)
	if err != nil {
		return Hash{}, err
	}
	h := LeafHash(b)
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(before[:], index), h[:]...)), nil
}

// PrunedAt reports whether a log of a minimum index may withhold the bundle of
// an index, and what there is of it in part (C2SP tlog-tiles, pruning).
func (b Bundle) PrunedAt(minimum uint64) bool { return b.Index < minimum/TileWidth }
