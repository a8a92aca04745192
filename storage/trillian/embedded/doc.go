// Package embedded keeps Trillian logs on Pebble, in one directory, in this
// process: it implements Trillian's LogStorage and AdminStorage for both tree
// types and all tree states, and passes Trillian's own conformance suites.
//
// Its nouns: a [Store] is an open directory; it holds trees; a tree holds
// leaves, Merkle nodes, a head, and for trees of type LOG a queue.
//
// # Layout
//
// What costs in a log on an ordered store is one key per node and indexes by
// random hashes, so there is no key per node, and the hash index is optional.
// Every key starts with a byte that says what it is; integers are big endian.
//
//	00                      format version of the store
//	01 tree                 the tree's definition (trillian.Tree)
//	02 tree 'h'             head: log root and the right edge of the tree
//	02 tree 'l' run         leaves [256*run, 256*run+256), as fragments
//	02 tree 't' level tile  hashes at level 8*level, 256 a tile, as fragments
//	02 tree 'i' hash[:8]    hash index: leaf indices, 8 bytes each
//	02 tree 'q' time number queue of a LOG tree
//	02 tree 'u' identity    queued identity hashes of a LOG tree
//
// The values of 'l', 't' and 'i' grow by Pebble merges that append, so a small
// batch costs its own bytes only, and compaction joins the pieces. A fragment
// holds consecutive leaves, or hashes, of one run or tile; fragment.go
// and tile.go specify them. The hashes at level 0 are the Merkle leaf hashes: they
// are written once, with the leaves, and serve as the lowest tiles. Of the
// levels between 0, 8, 16, … nothing is stored: they are computed from the
// tile below, and kept in a bounded cache. Only the right edge, with which
// the next integration starts, is kept whole, in the head.
//
// # Promises
//
// Every call that writes is one atomic Pebble batch. With Options.Deferred
// false it is durable when the call returns. With Deferred true it is durable
// after the next [Store.Sync]; a crash before that loses a suffix of the
// batches and nothing else, so a head never covers a leaf or node that is
// missing. Changes to tree definitions are always synced.
//
// A failed write, sync or rename closes the store for good: Pebble is frozen
// at that call, nothing more reaches the disk, every later call returns
// [ErrFailed], and only opening the store again tells what was persisted.
// The process survives, which Pebble alone does not promise. An error of a
// background task does the same; a damaged block is the error of each read
// that meets it. So that a full disk is met by a refusal and not by a failure,
// a write that would leave less than Options.MinFree is [ErrNoSpace].
//
// # Differences from Trillian's SQL storages
//
// A queue is first in, first out, also within one timestamp. Statuses say
// AlreadyExists for an identical leaf and carry the stored leaf. A new head
// must be newer and not smaller than the last one, a level-0 node must be
// the hash of its leaf, and nodes below the head never change. The states of
// a tree are enforced here too: FROZEN refuses every write, DRAINING refuses
// [storage.LogStorage] QueueLeaves. Trees may be created without the hash
// index, see [WithoutHashIndex].
//
// The package does not sign, does not check quota, and knows nothing of the
// ledger's formats.
package embedded
