package disk

// SmallFiles returns options whose files are followed by others and compacted
// after a few kilobytes.
func SmallFiles(o Options) Options {
	o.limits = limits{segment: 16 << 10, compact: 16 << 10, ahead: 16 << 10}
	return o
}
