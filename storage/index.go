package storage

import "context"

// An IndexRow maps a key of a bucket to a value.
type IndexRow struct {
	Bucket uint32
	Key    [16]byte
	Value  uint64
}

// An Index maps (bucket, key) to a value. Its rows are derivable: whoever keeps
// one can insert them again.
//
// The law: a row that was inserted before a Sync that returned nil is found
// until its bucket is dropped or the row is replaced. Of the rows that no Sync
// covered, an opening finds any part. A value that was never inserted is never
// returned.
type Index interface {
	// Insert adds rows, which are found at once and durable after Sync. A row
	// replaces an earlier one of the same bucket and key, also within a call.
	Insert(ctx context.Context, rows []IndexRow) error

	// Lookup returns the value of the key; ok is false where there is none.
	Lookup(ctx context.Context, bucket uint32, key [16]byte) (value uint64, ok bool, err error)

	// Drop removes a bucket whole. It is durable after Sync.
	Drop(ctx context.Context, bucket uint32) error

	// Sync makes durable what was inserted and dropped before it began.
	Sync(ctx context.Context) error
}
