// Package memory keeps every contract of package storage in memory, in a World
// that can fail and crash on demand. It is meant for tests of whatever stands
// on storage, and for ledgers that may be forgotten.
//
// A World holds named stores. Asking twice for one name returns the same store.
// Its durable steps (each swap, put, remove, append, write, sync, rewrite and
// drop, but no read) go by the fault.Plan that the World was made with; Plan.Steps is the log of
// them. After a fault the store returns storage.ErrFailed until the world is
// opened again, which is what Restart and Crash do: each returns a new World
// and leaves the old one as it was, so that a test may cut the power at many
// moments of one history.
//
//   - Restart: the process died. Everything written is there.
//   - Crash: the power was cut. What was synced is there, and with a source of
//     randomness a random part of the rest: of a vault's bucket a prefix, of an
//     index any rows, of a journal's dropped records the last ones.
//
// It does not simulate files: for faults between the writes of one call see
// storage/disk/memfs.
package memory
