// Package disk keeps the contracts of package storage in files, all but Index.
//
// A [Dir] is a data directory: it is locked by flock(2) on the file "lock", its
// directories are 0700 and its files 0600, and in it lie named stores: a
// [Register] or [Registers] in a file, [Objects], a [Journal] or a [Vault] in a
// directory. [OpenRegister] opens a single register anywhere else.
//
// # What is durable, and how
//
// A file that is replaced (a register, an object, a new segment) is written to
// a temporary name, synced, renamed, and its directory synced. A file that
// grows (journal, registers, a vault's extents) gets one write and one
// fdatasync for each batch, in frames that are chained by HMAC and never touch
// a block that was acknowledged. A vault's records are written behind: its
// extents say how far its files are synced, and nothing else is believed.
//
// What is dropped, rewritten or removed is unlinked, and its directory synced,
// before the call returns; what an interrupted call left is unlinked by the
// next opening. A file that is being read goes when its last reader is done.
// The medium may still hold the freed blocks: who must be sure that nobody can
// read them encrypts what is stored and destroys the key.
//
// It is assumed that a disk writes a sector of 512 bytes whole or not at all;
// nothing is assumed about the order of sectors, of files, or of the names in
// a directory between syncs. A torn write at the end of a journal or of
// registers is recognised by sectors that are missing and cut; a sector that is
// damaged is storage.ErrCorrupt, also in the last frame.
//
// After a write or a sync that failed, a store takes no more calls. What it
// believes when it is opened again it first writes or syncs again, because the
// kernel may show from memory what the disk does not have.
//
// # What it does not do
//
// It does not detect damage in objects, which are plain files, and it cannot
// see that a whole directory was put back to an earlier state. It does not
// work on file systems without flock or with lying syncs. Subdirectories may
// be mount points but not symbolic links that lead out of the directory. It is
// made for Unix systems; on Windows it compiles.
package disk
