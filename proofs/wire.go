package proofs

import (
	"encoding/binary"
	"fmt"
)

// The formats that are Cairn's own are written in TLS presentation language
// (RFC 8446 §3): integers are big-endian, a vector is its length in as many
// bytes as its bound needs, followed by its content.

// appendVector appends a vector whose length takes width bytes. The caller
// has checked that v fits.
func appendVector[T []byte | string](dst []byte, width int, v T) []byte {
	n := uint64(len(v))
	if n>>(8*width) != 0 {
		panic(fmt.Sprintf("proofs: vector of %d bytes with a length of %d bytes", n, width))
	}
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return append(dst, v...)
}

// A decoder consumes bytes from the front. The first error sticks; everything
// read after it is zero. What it returns aliases its input.
type decoder struct {
	format string // named in errors
	rest   []byte
	err    error
}

func (d *decoder) fail(field, why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s: %s: %s", ErrMalformed, d.format, field, why)
	}
	d.rest = nil
}

func (d *decoder) bytes(field string, n int) []byte {
	if d.err == nil && len(d.rest) < n {
		d.fail(field, "cut off")
	}
	if d.err != nil {
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) uint8(field string) uint8 {
	if b := d.bytes(field, 1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16(field string) uint16 {
	if b := d.bytes(field, 2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32(field string) uint32 {
	if b := d.bytes(field, 4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64(field string) uint64 {
	if b := d.bytes(field, 8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) hash(field string) (h Hash) {
	copy(h[:], d.bytes(field, HashSize))
	return h
}

// vector reads a vector of at least min and at most max bytes whose length
// takes width bytes.
func (d *decoder) vector(field string, width, min, max int) []byte {
	n := 0
	for _, b := range d.bytes(field, width) {
		n = n<<8 | int(b)
	}
	if d.err == nil && (n < min || n > max) {
		d.fail(field, fmt.Sprintf("length %d is not within %d..%d", n, min, max))
	}
	return d.bytes(field, n)
}

// version demands the only version there is of a format.
func (d *decoder) version(want uint8) {
	if v := d.uint8("version"); d.err == nil && v != want {
		d.fail("version", fmt.Sprintf("%d is not known, this program knows %d", v, want))
	}
}

// end demands that nothing is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail("end", fmt.Sprintf("%d bytes too many", len(d.rest)))
	}
	return d.err
}
