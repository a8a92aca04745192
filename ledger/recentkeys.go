package ledger

// A streamKey is a deduplication key within a stream.
type streamKey struct {
	stream uint32
	key    dedupKey
}

// recentKeys are the deduplication keys of the entries from an index on. They
// reach back further than what is not yet in the index.
type recentKeys struct {
	from  uint64 // every entry from here on is covered
	keys  map[streamKey]uint64
	order []recentKey
}

type recentKey struct {
	key   streamKey
	index uint64
}

// maxRecent is about how many recent keys are kept, 100 bytes each.
const maxRecent = 1 << 16

func newRecentKeys(from uint64) recentKeys {
	return recentKeys{from: from, keys: make(map[streamKey]uint64)}
}

func (r *recentKeys) add(k streamKey, index uint64) {
	r.keys[k] = index
	r.order = append(r.order, recentKey{k, index})
}

// trim forgets the oldest keys of entries that are in the index.
func (r *recentKeys) trim(indexed uint64) {
	n := 0
	for len(r.order)-n > maxRecent && r.order[n].index < indexed {
		delete(r.keys, r.order[n].key)
		r.from = r.order[n].index + 1
		n++
	}
	r.order = r.order[n:]
}
