package disk

import "os"

// LockFile locks an open file as a directory's.
func LockFile(f *os.File) error { return lockFile(f) }

// SmallFiles returns options whose files are followed by others and compacted
// after a few kilobytes.
func SmallFiles(o Options) Options {
	o.Limits = Limits{Segment: 16 << 10, Compact: 16 << 10, Ahead: 16 << 10}
	return o
}
