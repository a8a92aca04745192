package audit

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// A vaultChunk is what became of a vault job. Nothing in it depends on others.
type vaultChunk struct {
	vaultJob
	history *history            // not changed any more
	streams map[uint32][]keeper // the holds of whole streams
	leaves  []vaultLeaf
	named   []named // of the same entries; empty where nothing names one of them
	other   bool    // another file has told of the entries before: nothing is counted

	found  []Finding
	doubts []doubt          // by the first file
	path   string           // of that
	newest bool             // the history is that by the newest checkpoint, of a later time than the file
	gone   []goneRun        // without a reason: by the first file
	more   []goneRun        // and by others
	runs   map[oddKind]*odd // whatever else is not as the log says it should be

	records, erased, noRecord, recordBytes uint64
	retained                               Retained
}

// A vaultLeaf is an entry of which the record is judged.
type vaultLeaf struct {
	proofs.Leaf
	known bool
}

// A doubt is an entry of a bundle of which something is gone without a reason.
// There may be one by now.
type doubt struct {
	at uint8
	is presence
}

// named is what names an entry by its index.
type named struct {
	keepers  []keeper
	erasures []*erasure
}

func (v *vaultChunk) first() uint64 { return v.bundle.Index * proofs.TileWidth }

// at returns a finding about the bundle's i-th entry.
func (v *vaultChunk) at(kind FindingKind, i int, path string, format string, args ...any) Finding {
	return Finding{Kind: kind, Index: int64(v.first()) + int64(i), Path: path, Detail: fmt.Sprintf(format, args...)}
}

// missing is the finding that there is no file.
func (v *vaultChunk) missing(p place) Finding {
	f := v.at(VaultMissing, 0, p.String(), "The sealed records of the entries from %d on are missing: there is no such file.", v.first())
	f.end = f.Index + int64(v.bundle.Width)
	return f
}

// nameEntries tells the concerns of each entry.
func (v *vaultChunk) nameEntries() {
	if len(v.concerns) == 0 {
		return
	}
	v.named = make([]named, len(v.leaves))
	end := v.first() + uint64(len(v.leaves))
	for _, c := range v.concerns {
		for index := max(c.First, v.first()); index < end && index <= c.Last; index++ {
			leaf, n := &v.leaves[index-v.first()], &v.named[index-v.first()]
			switch {
			case c.erasure == nil:
				n.keepers = append(n.keepers, c.keeper)
			case !leaf.known:
			case c.erasure.concerns(&leaf.Leaf):
				n.erasures = append(n.erasures, c.erasure)
			default:
				v.add(oddKind{kind: ErasureForeign, by: c.erasure.closing}, index, "")
			}
		}
	}
}

// judgeRecord judges the record of the i-th entry.
func (v *vaultChunk) judgeRecord(path string, i int, b []byte) {
	leaf, index := &v.leaves[i], v.first()+uint64(i)
	counted := !v.other && i >= v.counted
	if len(b) == 0 {
		if counted {
			v.noRecord++
		}
		if leaf.known && leaf.Bucket > 0 { // else whether there was one is not known, or there was none
			v.judgePresence(path, i, absent)
		}
		return
	}
	if len(b) == noticeSize { // no record is as short
		if said, err := ParseNotice(b); err == nil && said == index {
			v.found = append(v.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is damaged: the ledger itself says that the bytes it stored were changed.", index))
			return
		}
	}
	record, err := proofs.ParseRecord(b)
	if err != nil {
		v.found = append(v.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is damaged: %v.", index, why(err)))
		return
	}
	if !leaf.known {
		return // what it commits to is not known
	}
	if err := proofs.CheckRecord(record, leaf.Leaf); err != nil {
		v.found = append(v.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is not the one that the entry commits to: its bytes were changed.", index))
		return
	}
	p := whole
	if erasedIn(record) {
		p = partial
	}
	if counted {
		v.records++
		v.recordBytes += uint64(len(b))
		if p == partial {
			v.erased++
		}
	}
	v.judgePresence(path, i, p)
}

// judgePresence holds what is there of the i-th entry's record against what
// the log says.
func (v *vaultChunk) judgePresence(path string, i int, p presence) {
	index, f := v.first()+uint64(i), v.fate(i)
	j := f.judge(p, v.streams)
	switch {
	case v.newest && j.kind == RecordRemains: // it was not done yet
		j = judgement{underWay: true}
	case !v.newest && !v.other && (j.kind == RecordMissing || j.kind == RecordHeld):
		v.doubts, v.path = append(v.doubts, doubt{uint8(i), p}), path
		return
	}
	if !v.other {
		v.retained.add(j)
	}
	switch j.kind {
	case "":
	case RecordMissing:
		r := goneRun{index, index, p == partial, path}
		if v.other {
			v.more = addGone(v.more, r)
		} else {
			v.gone = addGone(v.gone, r)
		}
	default:
		v.add(oddKind{kind: j.kind, by: j.why, held: j.held, other: v.other}, index, path)
	}
}

// fate returns what the log says shall become of the i-th entry's record.
func (v *vaultChunk) fate(i int) fate {
	f := fate{index: v.first() + uint64(i), bucket: v.history.buckets[v.leaves[i].Bucket]}
	if len(v.named) > 0 {
		f.named = v.named[i]
	}
	return f
}

// add adds an entry to what is not as it should be.
func (v *vaultChunk) add(kind oddKind, index uint64, path string) {
	if o := v.runs[kind]; o != nil {
		o.extend(odd{index, index, 1, path})
	} else {
		v.runs[kind] = &odd{index, index, 1, path}
	}
}
