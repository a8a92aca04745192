package embedded

import "encoding/binary"

// First bytes of keys.
const (
	prefixFormat = 0x00
	prefixTree   = 0x01
	prefixLog    = 0x02
)

// Tables of a tree, see the package comment.
const (
	tableHead   = 'h'
	tableLeaves = 'l'
	tableTiles  = 't'
	tableIndex  = 'i'
	tableQueue  = 'q'
	tableQueued = 'u'
)

// formatVersion is the value under the format key.
const formatVersion = "cairn embedded trillian 1"

func formatKey() []byte { return []byte{prefixFormat} }

func treeKey(tree int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixTree}, uint64(tree))
}

// logKey starts a key of a tree's table; callers append the rest.
func logKey(tree int64, table byte) []byte {
	key := make([]byte, 0, 48)
	key = append(key, prefixLog)
	key = binary.BigEndian.AppendUint64(key, uint64(tree))
	return append(key, table)
}

func headKey(tree int64) []byte { return logKey(tree, tableHead) }

func leavesKey(tree int64, run uint64) []byte {
	return binary.BigEndian.AppendUint64(logKey(tree, tableLeaves), run)
}

func tileKey(tree int64, level uint8, tile uint64) []byte {
	return binary.BigEndian.AppendUint64(append(logKey(tree, tableTiles), level), tile)
}

func indexKey(tree int64, hash []byte) []byte {
	return append(logKey(tree, tableIndex), hash[:indexHashSize]...)
}

// queueKey orders a queue by time, then by arrival. Flipping the sign bit
// orders times before 1970 first.
func queueKey(tree int64, nanos int64, number uint64) []byte {
	key := binary.BigEndian.AppendUint64(logKey(tree, tableQueue), uint64(nanos)^1<<63)
	return binary.BigEndian.AppendUint64(key, number)
}

func queuedKey(tree int64, identity []byte) []byte {
	return append(logKey(tree, tableQueued), identity...)
}

// tableBounds are the first key of a table and the first key after it.
func tableBounds(tree int64, table byte) (lower, upper []byte) {
	return logKey(tree, table), logKey(tree, table+1)
}

// logBounds are the first key of a tree's tables and the first key after them.
// A tree ID is positive, so the addition does not overflow.
func logBounds(tree int64) (lower, upper []byte) {
	lower = binary.BigEndian.AppendUint64([]byte{prefixLog}, uint64(tree))
	upper = binary.BigEndian.AppendUint64([]byte{prefixLog}, uint64(tree)+1)
	return lower, upper
}
