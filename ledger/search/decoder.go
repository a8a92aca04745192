package search

import "encoding/binary"

// A decoder reads what this package has written, and keeps the first error.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = malformed("%s", what)
	}
	d.rest = nil
}

// uvarint reads a number of at most limit.
func (d *decoder) uvarint(what string, limit uint64) uint64 {
	v, n := uvarint(d.rest)
	if d.err != nil || n == 0 || v > limit {
		d.fail(what)
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// bytes reads n bytes, which stay part of what is read.
func (d *decoder) bytes(what string, n uint64) []byte {
	if d.err != nil || n > uint64(len(d.rest)) {
		d.fail(what)
		return make([]byte, min(n, 64)) // as long as fixed fields are
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) uint64(what string) uint64 { return binary.BigEndian.Uint64(d.bytes(what, 8)) }
func (d *decoder) uint32(what string) uint32 { return binary.BigEndian.Uint32(d.bytes(what, 4)) }

// end returns the first error, or one if something is left.
func (d *decoder) end(what string) error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail(what + ": more than there should be")
	}
	return d.err
}
