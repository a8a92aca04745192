package search

import "github.com/cairnlog/cairn/client/query"

// SmallSegments makes an index's segments small, so that few documents make
// many of them.
func SmallSegments(cfg Config) Config {
	cfg.shape = shape{64, 256}
	return cfg
}

// AppendKey returns the key of a value's row.
func AppendKey(value string) []byte { return appendKey(nil, []byte(value)) }

// KeyRange returns the keys of what compares as a field wants.
func KeyRange(f query.Field) (first, end []byte) { return keyRange(f) }
