package disk

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cairnlog/cairn/storage"
)

// A bucketReader reads the records of a bucket one after the other, in large
// pieces.
type bucketReader struct {
	r      *bufio.Reader
	bucket uint32
	offset uint64 // of the next record in its file
	least  uint64 // what the next index is at least
	last   uint64 // what it is at most
	passed int    // bytes of the buffer that the last record takes
	large  []byte // for a record that the buffer cannot hold
}

// readRecords reads from that offset up to the end of the extent, where the
// indices are least or above.
func readRecords(f *bucketFiles, e extent, offset, least uint64) *bucketReader {
	r := sectionReader(f.records, int64(offset), int64(e.bytes))
	return &bucketReader{r: r, bucket: f.name.bucket, offset: offset, least: least, last: e.last}
}

// next returns the next record, valid until the next call.
func (r *bucketReader) next() (storage.VaultRecord, error) {
	_, _ = r.r.Discard(r.passed) // was peeked
	r.passed = 0
	b, err := r.frame()
	if err != nil {
		return storage.VaultRecord{}, fmt.Errorf("vault bucket %d: %w", r.bucket, corruptEOF(err))
	}
	record, err := parseRecord(r.bucket, b)
	if err == nil && (record.Index < r.least || record.Index > r.last) {
		err = fmt.Errorf("vault record %d/%d: out of order: %w", r.bucket, record.Index, storage.ErrCorrupt)
	}
	r.least = record.Index + 1
	r.offset += uint64(len(b))
	return record, err
}

// frame returns the bytes of the next record.
func (r *bucketReader) frame() ([]byte, error) {
	head, err := r.r.Peek(recordHeader)
	if err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[8:])
	if length > storage.MaxVaultRecord {
		return nil, fmt.Errorf("record of %d bytes: %w", length, storage.ErrCorrupt)
	}
	n := recordHeader + int(length)
	if n <= r.r.Size() {
		r.passed = n
		return r.r.Peek(n)
	}
	if cap(r.large) < n {
		r.large = make([]byte, n)
	}
	_, err = io.ReadFull(r.r, r.large[:n])
	return r.large[:n], err
}
