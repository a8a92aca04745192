package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A batch is what one append to the journal holds: entries with consecutive
// indices. Everything that follows can be done again from its bytes.
//
//	struct {
//	    uint8  version = 1;
//	    uint64 first;                       /* index of the first entry */
//	    uint32 count;                       /* and as many times: */
//	    struct {
//	        opaque leaf<1..65535>;          /* length in two bytes */
//	        opaque record<0..2^24>;         /* length in four bytes; empty where the bucket is 0 */
//	        uint8  rows;                    /* 0..2, and as many times: */
//	        struct { uint32 bucket; opaque key[16]; } row;
//	    } entry;
//	} Batch;
type batch struct {
	position uint64 // in the journal
	first    uint64
	entries  []batchEntry
	promises [2]batchPromise // of the states sequenced and integrated
}

// A batchEntry is one entry of a batch.
type batchEntry struct {
	bucket uint32 // as the leaf says
	leaf   []byte
	record []byte
	rows   []indexKey
}

// An indexKey is where the deduplication index finds an entry.
type indexKey struct {
	bucket uint32
	key    [16]byte
}

const batchVersion = 1

// end returns the index after the last entry.
func (b *batch) end() uint64 { return b.first + uint64(len(b.entries)) }

// from returns the batch without its entries below an index.
func (b *batch) from(index uint64) *batch {
	if index <= b.first {
		return b
	}
	n := min(index, b.end()) - b.first
	return &batch{position: b.position, first: b.first + n, entries: b.entries[n:]}
}

// bytes returns how many bytes its leaves and records have.
func (b *batch) bytes() (n int) {
	for _, e := range b.entries {
		n += len(e.leaf) + len(e.record)
	}
	return n
}

func formatBatch(b *batch) []byte {
	n := 1 + 8 + 4
	for _, e := range b.entries {
		n += 2 + len(e.leaf) + 4 + len(e.record) + 1 + 20*len(e.rows)
	}
	out := append(make([]byte, 0, n), batchVersion)
	out = binary.BigEndian.AppendUint64(out, b.first)
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.entries)))
	for _, e := range b.entries {
		out = binary.BigEndian.AppendUint16(out, uint16(len(e.leaf)))
		out = append(out, e.leaf...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(e.record)))
		out = append(out, e.record...)
		out = append(out, byte(len(e.rows)))
		for _, r := range e.rows {
			out = binary.BigEndian.AppendUint32(out, r.bucket)
			out = append(out, r.key[:]...)
		}
	}
	return out
}

// parseBatch reads what formatBatch writes and nothing else. The journal has
// authenticated the bytes, so an error means that another program wrote them.
// The batch aliases b.
func parseBatch(b []byte) (*batch, error) {
	r := reader{rest: b}
	if v := r.bytes(1); r.failed || v[0] != batchVersion {
		return nil, fmt.Errorf("batch: version is not %d", batchVersion)
	}
	out := &batch{first: r.uint(8)}
	count := r.uint(4)
	if count == 0 || count > uint64(len(b)) {
		return nil, fmt.Errorf("batch: count of %d entries", count)
	}
	for range count {
		e := batchEntry{leaf: r.bytes(r.uint(2)), record: r.bytes(r.uint(4))}
		for range r.uint(1) {
			row := indexKey{bucket: uint32(r.uint(4))}
			copy(row.key[:], r.bytes(16))
			e.rows = append(e.rows, row)
		}
		if r.failed {
			return nil, fmt.Errorf("batch: entry %d is cut off", len(out.entries))
		}
		leaf, err := proofs.ParseLeaf(e.leaf)
		if err != nil {
			return nil, fmt.Errorf("batch: entry %d: %w", len(out.entries), err)
		}
		e.bucket = leaf.Bucket
		out.entries = append(out.entries, e)
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("batch: %d bytes too many", len(r.rest))
	}
	return out, nil
}

// A reader consumes bytes from the front; the first shortage sticks.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) bytes(n uint64) []byte {
	if r.failed || n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint(width uint64) (n uint64) {
	for _, c := range r.bytes(width) {
		n = n<<8 | uint64(c)
	}
	return n
}

func (b *batch) leaves() [][]byte {
	leaves := make([][]byte, len(b.entries))
	for i, e := range b.entries {
		leaves[i] = e.leaf
	}
	return leaves
}

// records returns what belongs into the vault.
func (b *batch) records() []storage.VaultRecord {
	records := make([]storage.VaultRecord, 0, len(b.entries))
	for i, e := range b.entries {
		if len(e.record) > 0 {
			records = append(records, storage.VaultRecord{Bucket: e.bucket, Index: b.first + uint64(i), Data: e.record})
		}
	}
	return records
}

// rows returns what belongs into the deduplication index.
func (b *batch) rows() []storage.IndexRow {
	var rows []storage.IndexRow
	for i, e := range b.entries {
		for _, r := range e.rows {
			rows = append(rows, storage.IndexRow{Bucket: r.bucket, Key: r.key, Value: b.first + uint64(i)})
		}
	}
	return rows
}
