package storage

import "context"

// MaxJournalRecord bounds a journal's record in bytes.
const MaxJournalRecord = 64 << 20

// A Journal is an ordered list of records. Positions are dense and start at 0.
// It holds the records of [first, next): Append adds at next, Drop advances
// first.
//
// The law: a record whose Append returned nil is replayed, unchanged and in
// order, until it is dropped. A record in doubt is there whole, as the last
// one, or not at all, and its position is then used again. Positions never
// restart, also when everything was dropped. A record that was changed,
// reordered or left out in the middle is ErrCorrupt when the journal is opened
// or replayed; only what a crash may leave behind, an incomplete record at the
// very end, is cut silently.
type Journal interface {
	// Append adds a record of 1 to MaxJournalRecord bytes, else ErrInvalid,
	// and returns its position. The record is durable when Append returns nil.
	Append(ctx context.Context, record []byte) (position uint64, err error)

	// Replay calls fn for each record from that position up to the one that
	// was last when Replay began, in order. The record is valid only during
	// the call. An error of fn ends the replay and is returned as it is. A
	// position below first or above next is ErrNotFound; next itself replays
	// nothing. fn must not call the journal.
	Replay(ctx context.Context, from uint64, fn func(position uint64, record []byte) error) error

	// Drop allows the journal to forget the records below that position (at
	// most next, else ErrInvalid). It may keep more of them, and after a crash
	// some may be there again. It must not run during a Replay that still
	// needs them: that replay may end with ErrNotFound.
	Drop(ctx context.Context, before uint64) error

	// Bounds returns the positions of the first record held and of the next
	// one to be appended.
	Bounds() (first, next uint64)
}
