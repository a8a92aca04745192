// Package storage says what is durable: six small contracts, each with its
// law, and nothing about how they are kept.
//
//   - [Register]: one cell that changes only by compare-and-swap.
//   - [Registers]: many such cells that share their syncs.
//   - [Objects]: named bytes that never change while they are there.
//   - [Journal]: an ordered list of records, durable one by one, dropped from
//     the front.
//   - [Vault]: records by (bucket, index), durable after a sync, rewritten and
//     dropped by the bucket.
//   - [Index]: a derivable map from (bucket, key) to a number.
//
// Values are opaque bytes: this package and its implementations give them no
// meaning, never log them, and copy what they keep and what they return, so
// that a caller may reuse a slice after a call.
//
// # Common law
//
// Every method may be called from several goroutines at once.
//
// A call whose context is done before its work begins returns the context's
// error and has done nothing. A durable step that has begun is finished,
// whatever becomes of the context.
//
// A call ends in one of three ways. It succeeds, and what the contract
// promises holds. It is refused ([ErrNotFound], [ErrConflict], [ErrExists],
// [ErrInvalid], [ErrNoSpace], [ErrCorrupt], a context's error): then it has
// changed nothing and the store goes on. Or it fails in any other way, which
// for a call that changes something means in doubt: the change may be there,
// may be missing, and where the contract allows it may be there in part. The
// store is then closed for good: each later call returns [ErrFailed], and only
// opening the store again tells which of the outcomes it was. Nobody retries a
// sync. A call that only reads and fails leaves the store as it was.
//
// # Implementations
//
// Package storage/disk keeps all but Index in files, storage/pebbleindex keeps
// Index, and storage/memory keeps everything in an in-memory world that fails
// and crashes on demand, as the plans of storage/fault say. Package
// storage/storagetest holds each of them to this law.
package storage
