package local

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage/disk"
)

// Quick returns options whose passphrase is cheap to try, as no real one may
// be.
func Quick(o InitOptions) InitOptions {
	o.workFactor = 10
	return o
}

// On returns options for a ledger whose data directory is on another file
// system, as its own code sees it and as Pebble does. Its files are small, so
// that the journal forgets and the registers are compacted soon.
func On(o Options, own disk.FS, pebble vfs.FS) Options {
	const cache = 1 << 20 // many ledgers are opened
	o.parts.disk.FS = own
	o.parts.disk.Limits = disk.Limits{Segment: 8 << 10, Compact: 8 << 10, Ahead: 4 << 10}
	o.parts.index.FS, o.parts.index.CacheBytes = pebble, cache
	o.parts.tree.FS, o.parts.tree.CacheBytes = pebble, cache
	return o
}
