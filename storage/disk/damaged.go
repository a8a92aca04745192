package disk

import (
	"errors"
	"fmt"
	"io"

	"github.com/cairnlog/cairn/storage"
)

// A readRecord is a record of a bucket as it lies in its file.
type readRecord struct {
	storage.VaultRecord
	raw []byte // of a damaged one: all its bytes
	end uint64 // where the next one begins
}

// nextOrDamaged returns the next record, the number-th of the bucket, valid until
// the next call. Where one is damaged its row says how far it reaches; the error
// is ErrCorrupt where that is damaged too.
func (r *bucketReader) nextOrDamaged(f *bucketFiles, e extent, number uint64) (readRecord, error) {
	offset, least := r.offset, r.least
	record, err := r.next()
	if err == nil || !errors.Is(err, storage.ErrCorrupt) {
		return readRecord{VaultRecord: record, end: r.offset}, err
	}
	at, ok := search{f.rows, r.bucket, e}.spot(number)
	if !ok || at.start != offset || at.index < least || at.index > e.last {
		return readRecord{}, err
	}
	raw := make([]byte, at.end-at.start)
	if _, err := f.records.ReadAt(raw, int64(at.start)); err != nil && !errors.Is(err, io.EOF) {
		return readRecord{}, fmt.Errorf("vault record %d/%d: %w", r.bucket, at.index, err)
	} // what a file lacks at its end is zeros
	*r = *readRecords(f, e, at.end, at.index+1)
	if again, err := parseRecord(r.bucket, raw); err == nil && again.Index == at.index { // it was not read right before
		return readRecord{VaultRecord: again, end: at.end}, nil
	}
	record = storage.VaultRecord{Bucket: f.name.bucket, Index: at.index, Data: raw[recordHeader:], Damaged: true}
	return readRecord{record, raw, at.end}, nil
}

// spot returns where the number-th record lies, if its row and the next one say.
func (s search) spot(number uint64) (at spot, ok bool) {
	n := min(2, s.extent.rows-number)
	b := make([]byte, n*rowSize)
	if _, err := s.rows.ReadAt(b, int64(number*rowSize)); err != nil {
		return at, false
	}
	r, err := parseRow(s.bucket, b)
	if err != nil {
		return at, false
	}
	at = spot{row: number, index: r.index, start: r.offset, end: s.extent.bytes}
	if n > 1 {
		behind, err := parseRow(s.bucket, b[rowSize:])
		if err != nil {
			return at, false
		}
		at.end = behind.offset
	}
	length := at.end - at.start - recordHeader
	return at, at.start+recordHeader < at.end && at.end <= s.extent.bytes && length <= storage.MaxVaultRecord
}

// copy adds a record as it was read, whole or damaged.
func (w *bucketWriter) copy(r readRecord) error {
	if !r.Damaged {
		return w.add(r.VaultRecord)
	}
	w.addRow(r.Index)
	w.data = append(w.data, r.raw...)
	return w.flushLarge()
}
