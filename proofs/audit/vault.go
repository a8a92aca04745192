package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// judgeVault compares the records of a bundle's entries with what the entries
// commit to.
func (l *ledger) judgeVault(ctx context.Context, c *chunk, leaves []*proofs.Leaf) error {
	p := vaultPlace(c.bundle)
	used := p.width
	v := vaultFile{chunk: c, leaves: leaves}
	gone, err := l.judgeRecords(ctx, &v, p.path(used), used)
	if errors.Is(err, fs.ErrNotExist) && used < proofs.TileWidth {
		used = proofs.TileWidth
		gone, err = l.judgeRecords(ctx, &v, p.path(used), used)
	}
	if errors.Is(err, fs.ErrNotExist) {
		c.found = append(c.found, c.whole(VaultMissing, p.String(), "The sealed records of the entries from %d on are missing: there is no such file.", c.first()))
		return nil
	}
	if err != nil {
		return err
	}
	c.facts.gone = gone
	v.other = true
	widths, err := l.leftovers(p, used)
	for _, w := range widths {
		if err == nil {
			gone, err = l.judgeRecords(ctx, &v, p.path(w), w)
		}
		for _, r := range gone {
			c.facts.found = append(c.facts.found, r.finding())
		}
	}
	return err
}

// A vaultFile is a file of records while it is judged by a bundle's leaves.
type vaultFile struct {
	*chunk
	leaves []*proofs.Leaf
	other  bool // another file has told of the entries before: nothing is counted
}

// judgeRecords judges one file of records, and returns what it lacks.
func (l *ledger) judgeRecords(ctx context.Context, v *vaultFile, path string, width int) (gone []goneRun, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := l.fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer file.Close()
	r := NewRecordReader(file)
	for i := range width {
		record, err := r.Next()
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				return nil, fmt.Errorf("read %s: %w", path, err)
			}
			v.found = append(v.found, v.at(VaultMalformed, i, path, "The file of sealed records is damaged at entry %d: %v.", v.first()+uint64(i), why(err)))
			return gone, nil
		}
		if i < len(v.leaves) && i >= v.skip {
			gone = v.judgeRecord(path, i, record, gone)
		}
	}
	if err := r.End(); errors.Is(err, proofs.ErrMalformed) {
		v.found = append(v.found, v.at(VaultMalformed, 0, path, "The file of sealed records from entry %d on is damaged: it goes on after the last one.", v.first()))
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return gone, nil
}

// judgeRecord judges the record of the i-th entry, and adds what it lacks.
func (v *vaultFile) judgeRecord(path string, i int, b []byte, gone []goneRun) []goneRun {
	leaf, index := v.leaves[i], v.first()+uint64(i)
	if len(b) == 0 {
		if !v.other {
			v.facts.noRecord++
		}
		if leaf == nil || leaf.Bucket == 0 {
			return gone // whether there was one is not known, or there was none
		}
		return addGone(gone, goneRun{index, index, false, path})
	}
	if said, err := ParseNotice(b); err == nil && said == index {
		v.facts.found = append(v.facts.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is damaged: the ledger itself says that the bytes it stored were changed.", index))
		return gone
	}
	record, err := proofs.ParseRecord(b)
	if err != nil {
		v.facts.found = append(v.facts.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is damaged: %v.", index, why(err)))
		return gone
	}
	if leaf == nil {
		return gone // what it commits to is not known
	}
	if err := proofs.CheckRecord(record, *leaf); err != nil {
		v.facts.found = append(v.facts.found, v.at(RecordAltered, i, path, "The sealed record of entry %d is not the one that the entry commits to: its bytes were changed.", index))
		return gone
	}
	whole := !erased(record)
	if !v.other {
		v.facts.records++
		v.facts.recordBytes += uint64(len(b))
		if !whole {
			v.facts.erased++
		}
	}
	if whole {
		return gone
	}
	return addGone(gone, goneRun{index, index, true, path})
}

// erased reports whether a record lacks a part or tags.
func erased(r proofs.Record) bool {
	return slices.ContainsFunc(r.Parts, func(p proofs.RecordPart) bool { return p.Sealed == nil }) ||
		slices.ContainsFunc(r.Tags, func(t proofs.RecordTags) bool { return t.Sealed == nil })
}
