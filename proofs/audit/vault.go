package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// maxRecord is the size in bytes of the largest record that is read into
// memory. A payload of one part takes at most 16 MiB.
const maxRecord = 1 << 28

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
	r := recordReader{r: bufio.NewReaderSize(file, 1<<16)}
	for i := range width {
		record, err := r.next()
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
	if _, err := r.r.ReadByte(); err != io.EOF {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		v.found = append(v.found, v.at(VaultMalformed, 0, path, "The file of sealed records from entry %d on is damaged: it goes on after the last one.", v.first()))
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

// A recordReader reads one record after the other into the same memory.
type recordReader struct {
	r   *bufio.Reader
	buf bytes.Buffer
}

// next returns the next record, which is valid until the next call.
func (r *recordReader) next() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r.r, length[:]); err != nil {
		return nil, cutOff(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxRecord {
		return nil, fmt.Errorf("%w: vault: a record of %d bytes is larger than %d", proofs.ErrMalformed, n, maxRecord)
	}
	r.buf.Reset()
	if _, err := io.CopyN(&r.buf, r.r, int64(n)); err != nil {
		return nil, cutOff(err)
	}
	return r.buf.Bytes(), nil
}

func cutOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: vault: cut off", proofs.ErrMalformed)
	}
	return err
}
