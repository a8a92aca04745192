package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cairnlog/cairn/storage"
)

// A bucket of a vault has two files that only grow. In the one lie the records:
//
//	struct {
//	    uint64 index;
//	    uint32 length;
//	    uint32 check;                    CRC-32C of bucket ‖ index ‖ length ‖ data
//	    opaque data[length];
//	} Record;
//
// In the other lies for each record a row that says where it is, so that a
// record is found by a search:
//
//	struct {
//	    uint64 index;
//	    uint48 offset;                   of the Record in its file
//	    uint16 check;                    CRC-32C of bucket ‖ index ‖ offset, both halves xored
//	} Row;
//
// How far the files are believed is in the vault's extents. What lies beyond
// was not synced and is noise.
const (
	recordHeader = 16
	rowSize      = 16
	maxOffset    = 1<<48 - 1
)

// An extent says how much of a bucket there is.
type extent struct {
	generation  uint64 // of its files: each drop and rewrite begins another
	rows        uint64
	bytes       uint64 // of the records' file
	first, last uint64 // indices
}

const extentSize = 40

// formatExtent returns the extent as five big-endian numbers of 64 bits.
func formatExtent(e extent) []byte {
	b := make([]byte, 0, extentSize)
	for _, n := range []uint64{e.generation, e.rows, e.bytes, e.first, e.last} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// parseExtent parses what formatExtent returns.
func parseExtent(b []byte) (extent, error) {
	if len(b) != extentSize {
		return extent{}, fmt.Errorf("extent: %w", storage.ErrCorrupt)
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	e := extent{generation: n(0), rows: n(1), bytes: n(2), first: n(3), last: n(4)}
	if e.rows < 1 || e.first > e.last || e.last >= 1<<63 || e.rows > e.last-e.first+1 ||
		e.bytes > maxOffset || e.rows > e.bytes/(recordHeader+1) {
		return extent{}, fmt.Errorf("extent: %w", storage.ErrCorrupt)
	}
	return e, nil
}

func checksum(bucket uint32, parts ...[]byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, binary.BigEndian.AppendUint32(nil, bucket))
	for _, part := range parts {
		sum = crc32.Update(sum, table, part)
	}
	return sum
}

// appendRecord appends the record to b.
func appendRecord(b []byte, r storage.VaultRecord) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint64(b, r.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Data)))
	b = binary.BigEndian.AppendUint32(b, checksum(r.Bucket, b[start:], r.Data))
	return append(b, r.Data...)
}

// parseRecord parses one record that fills b. Its data are a part of b.
func parseRecord(bucket uint32, b []byte) (storage.VaultRecord, error) {
	if len(b) <= recordHeader {
		return storage.VaultRecord{}, fmt.Errorf("vault record: %w", storage.ErrCorrupt)
	}
	r := storage.VaultRecord{Bucket: bucket, Index: binary.BigEndian.Uint64(b), Data: b[recordHeader:]}
	length, check := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if uint64(length) != uint64(len(r.Data)) || storage.CheckVaultRecord(r) != nil || check != checksum(bucket, b[:12], r.Data) {
		return storage.VaultRecord{}, fmt.Errorf("vault record %d/%d: %w", bucket, r.Index, storage.ErrCorrupt)
	}
	return r, nil
}

// A row says where the record of an index is.
type row struct {
	index, offset uint64
}

func appendRow(b []byte, bucket uint32, r row) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint64(b, r.index)
	b = append(b, byte(r.offset>>40), byte(r.offset>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(r.offset))
	return binary.BigEndian.AppendUint16(b, rowCheck(bucket, b[start:]))
}

func rowCheck(bucket uint32, b []byte) uint16 {
	sum := checksum(bucket, b)
	return uint16(sum) ^ uint16(sum>>16)
}

// parseRow parses the first row of b.
func parseRow(bucket uint32, b []byte) (row, error) {
	if len(b) < rowSize || binary.BigEndian.Uint16(b[14:]) != rowCheck(bucket, b[:14]) {
		return row{}, fmt.Errorf("vault row: %w", storage.ErrCorrupt)
	}
	return row{
		index:  binary.BigEndian.Uint64(b),
		offset: uint64(b[8])<<40 | uint64(b[9])<<32 | uint64(binary.BigEndian.Uint32(b[10:])),
	}, nil
}
