package disk

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// A frame is how a record lies in a segment:
//
//	opaque Magic[4];                     "crn1"
//	struct {
//	    Magic  magic;
//	    uint32 blanks;                   sectors of the frame that are all zero
//	    uint64 position;
//	    uint32 length;                   of the record
//	    uint32 zero = 0;
//	    opaque mac[32];                  of this record and all before it
//	    opaque tag[8];                   of the 56 bytes above
//	    opaque record[length];
//	    zeros up to the next block
//	} Frame;
//
//	mac = HMAC-SHA-256(key, label ‖ " record" ‖ mac of the frame before ‖ position ‖ record)
//	tag = HMAC-SHA-256(key, label ‖ " header" ‖ the 56 bytes above)[:8]
//
// A frame begins at a block of its own, so that no later write touches a block
// that was acknowledged. The header lies in one sector, the unit that a disk
// writes whole or not at all, and the place of a frame holds nothing but zeros
// until it is written. So a torn write can be told from a damaged one: it has
// more blank sectors than the frame says.
const (
	blockSize   = 4096
	sectorSize  = 512
	headerSize  = 64
	macSize     = sha256.Size
	tagSize     = 8
	frameMagic  = "crn1"
	taggedBytes = headerSize - tagSize
)

// A link is where a chain of frames goes on.
type link struct {
	position uint64
	mac      [macSize]byte // of the frame before; of the first frame zero
}

// A chain makes and checks frames. Without a key it shows accidents, with one
// also intent.
type chain struct {
	label string // what the frames are for, and their version
	key   []byte
}

// A header is the parsed beginning of a frame.
type header struct {
	blanks   uint32
	position uint64
	length   uint32
	mac      [macSize]byte
}

// frameSize returns how many bytes a frame takes, in whole blocks.
func frameSize(length int) int64 {
	return (int64(length) + headerSize + blockSize - 1) / blockSize * blockSize
}

// link returns the link behind a record.
func (c chain) link(at link, record []byte) link {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(c.label + " record"))
	h.Write(at.mac[:])
	h.Write(binary.BigEndian.AppendUint64(nil, at.position))
	h.Write(record)
	next := link{position: at.position + 1}
	h.Sum(next.mac[:0])
	return next
}

func (c chain) tag(b []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(c.label + " header"))
	h.Write(b)
	return h.Sum(nil)[:tagSize]
}

// appendFrame appends the frame of a record to b, whose length is a multiple of
// the block size, and returns the link behind it.
func (c chain) appendFrame(b []byte, at link, record []byte) ([]byte, link) {
	start, next := len(b), c.link(at, record)
	b = c.appendHeader(b, header{position: at.position, length: uint32(len(record)), mac: next.mac})
	b = append(b, record...)
	b = appendZeros(b, start+int(frameSize(len(record)))-len(b))
	if n := blanks(b[start:]); n > 0 {
		c.appendHeader(b[:start], header{blanks: n, position: at.position, length: uint32(len(record)), mac: next.mac})
	}
	return b, next
}

func (c chain) appendHeader(b []byte, h header) []byte {
	start := len(b)
	b = append(b, frameMagic...)
	b = binary.BigEndian.AppendUint32(b, h.blanks)
	b = binary.BigEndian.AppendUint64(b, h.position)
	b = binary.BigEndian.AppendUint32(b, h.length)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, h.mac[:]...)
	return append(b, c.tag(b[start:])...)
}

var errNoHeader = errors.New("not a frame's header")

// parseHeader parses the first headerSize bytes of b.
func (c chain) parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || string(b[:4]) != frameMagic {
		return header{}, errNoHeader
	}
	h := header{
		blanks:   binary.BigEndian.Uint32(b[4:]),
		position: binary.BigEndian.Uint64(b[8:]),
		length:   binary.BigEndian.Uint32(b[16:]),
		mac:      [macSize]byte(b[24:taggedBytes]),
	}
	if h.length < 1 || h.length > storage.MaxJournalRecord || binary.BigEndian.Uint32(b[20:]) != 0 {
		return header{}, errNoHeader
	}
	if !hmac.Equal(c.tag(b[:taggedBytes]), b[taggedBytes:headerSize]) {
		return header{}, errNoHeader
	}
	return h, nil
}

// check returns the link behind a record whose header was parsed.
func (c chain) check(at link, h header, record []byte) (link, error) {
	next := c.link(at, record)
	if h.position != at.position || !hmac.Equal(h.mac[:], next.mac[:]) {
		return link{}, fmt.Errorf("record %d: %w", at.position, storage.ErrCorrupt)
	}
	return next, nil
}

func appendZeros(b []byte, n int) []byte {
	b = slices.Grow(b, n)
	clear(b[len(b) : len(b)+n])
	return b[:len(b)+n]
}

// blanks counts the sectors of b that are all zero; the last may be short.
func blanks(b []byte) uint32 {
	var n uint32
	for len(b) > 0 {
		sector := b[:min(sectorSize, len(b))]
		if blank(sector) {
			n++
		}
		b = b[len(sector):]
	}
	return n
}

// blank reports whether b is all zero: its first byte is, and each other is as
// the one before.
func blank(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}
