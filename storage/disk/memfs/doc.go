// Package memfs is a disk.FS in memory that fails and crashes on demand, so
// that package disk itself can be tested against what disks and kernels do.
//
// Each call that changes something is a durable step of a fault.Plan. Power cuts
// are clones: [FS.Crash] returns the file system as it would be found
// afterwards, [FS.Restart] as the next process finds it after this one died;
// both leave the original as it is. What it models is deliberately worse than
// most real file systems:
//
//   - A file's bytes are durable when Sync has returned. Of what was written
//     since, a power cut keeps any set of sectors of 512 bytes; a sector that is
//     not kept has its old bytes, or zeros behind the old end.
//   - A name is durable when SyncDir of its directory has returned. Of the
//     changes since, a power cut keeps any set. A rename within a directory is one
//     change, between two directories it is two.
//   - A Sync that fails forgets what it was to write, as kernels do: it can still
//     be read, and a later Sync succeeds without writing it.
//   - A write that is torn has changed any set of sectors, one that runs out of
//     space the first ones.
package memfs
