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
	err := l.judgeRecords(ctx, c, p.path(used), used, leaves, true)
	if errors.Is(err, fs.ErrNotExist) && used < proofs.TileWidth {
		used = proofs.TileWidth
		err = l.judgeRecords(ctx, c, p.path(used), used, leaves, true)
	}
	if errors.Is(err, fs.ErrNotExist) {
		c.found = append(c.found, c.whole(VaultMissing, p.String(), "The sealed records of the entries from %d on are missing: there is no such file.", c.first()))
		return nil
	}
	if err != nil {
		return err
	}
	widths, err := l.leftovers(p, used)
	for _, w := range widths {
		if err == nil {
			err = l.judgeRecords(ctx, c, p.path(w), w, leaves, false)
		}
	}
	return err
}

// judgeRecords judges one file of records. Only what it first tells of an
// entry is counted.
func (l *ledger) judgeRecords(ctx context.Context, c *chunk, path string, width int, leaves []*proofs.Leaf, count bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := l.fsys.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	defer file.Close()
	r := recordReader{r: bufio.NewReaderSize(file, 1<<16)}
	for i := range width {
		record, err := r.next()
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				return fmt.Errorf("read %s: %w", path, err)
			}
			c.found = append(c.found, c.at(VaultMalformed, i, path, "The file of sealed records is damaged at entry %d: %v.", c.first()+uint64(i), why(err)))
			return nil
		}
		if i < len(leaves) && i >= c.skip {
			c.judgeRecord(path, i, leaves[i], record, count)
		}
	}
	if _, err := r.r.ReadByte(); err != io.EOF {
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		c.found = append(c.found, c.at(VaultMalformed, 0, path, "The file of sealed records from entry %d on is damaged: it goes on after the last one.", c.first()))
	}
	return nil
}

// judgeRecord judges the record of the i-th entry.
func (c *chunk) judgeRecord(path string, i int, leaf *proofs.Leaf, b []byte, count bool) {
	if len(b) == 0 {
		if count {
			c.facts.noRecord++
		}
		return
	}
	record, err := proofs.ParseRecord(b)
	if err != nil {
		c.facts.found = append(c.facts.found, c.at(RecordAltered, i, path, "The sealed record of entry %d is damaged: %v.", c.first()+uint64(i), why(err)))
		return
	}
	if leaf == nil {
		return // what it commits to is not known
	}
	if err := proofs.CheckRecord(record, *leaf); err != nil {
		c.facts.found = append(c.facts.found, c.at(RecordAltered, i, path, "The sealed record of entry %d is not the one that the entry commits to: its bytes were changed.", c.first()+uint64(i)))
		return
	}
	if count {
		c.facts.records++
		c.facts.recordBytes += uint64(len(b))
		if erased(record) {
			c.facts.erased++
		}
	}
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
