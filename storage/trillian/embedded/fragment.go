package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// runSize is how many leaves a run has, and how many hashes a tile.
const runSize = 256

const hashSize = 32

// errCorrupt means that stored bytes are not what this package writes.
var errCorrupt = errors.New("corrupt")

// fragment is some consecutive leaves of one run, as stored under a leaves
// key. Several fragments of a run are stored one after the other.
//
//	uint32 length;              // of what follows
//	uint8  first;               // of the 256 leaves of the run
//	uint8  last;
//	uint8  flags;
//	int64  integrated;          // ns since 1970, 0 for PREORDERED_LOG
//	int64  queued[1 or n];      // ns since 1970; n of them with flagTimes
//	uint32 sizes[n];            // of the values
//	uint32 extras[n];           // of the extra data, with flagExtra
//	opaque identities[32*n];    // with flagIdentity, else they are the leaf hashes
//	opaque values;              // one after the other
//	opaque extraData;
//
// All slices point into the stored bytes, except when a fragment is built.
type fragment struct {
	first      int
	integrated int64
	queued     []int64
	values     [][]byte
	extras     [][]byte // nil, or one each
	identities []byte   // nil, or 32 bytes each
}

const (
	flagTimes = 1 << iota
	flagExtra
	flagIdentity
)

const fragmentHeader = 3 + 8

// appendTo appends f's encoding.
func (f *fragment) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, byte(f.first), byte(f.first+len(f.values)-1), f.flags())
	b = binary.BigEndian.AppendUint64(b, uint64(f.integrated))
	for _, t := range f.queued {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	for _, v := range f.values {
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	}
	for _, v := range f.extras {
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	}
	b = append(b, f.identities...)
	for _, v := range f.values {
		b = append(b, v...)
	}
	for _, v := range f.extras {
		b = append(b, v...)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func (f *fragment) flags() byte {
	var flags byte
	if len(f.queued) != 1 {
		flags |= flagTimes
	}
	if f.extras != nil {
		flags |= flagExtra
	}
	if f.identities != nil {
		flags |= flagIdentity
	}
	return flags
}

// cutFragment parses the first fragment of b and returns the rest.
func cutFragment(b []byte) (f fragment, rest []byte, err error) {
	if len(b) < 4 {
		return f, nil, fmt.Errorf("leaves: %w: %d bytes of a length", errCorrupt, len(b))
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return f, nil, fmt.Errorf("leaves: %w: %d bytes of %d", errCorrupt, len(b)-4, n)
	}
	if err := f.parse(b[4 : 4+n]); err != nil {
		return f, nil, err
	}
	return f, b[4+n:], nil
}

func (f *fragment) parse(b []byte) error {
	if len(b) < fragmentHeader {
		return fmt.Errorf("leaves: %w: %d bytes of a header", errCorrupt, len(b))
	}
	first, last, flags := int(b[0]), int(b[1]), b[2]
	n := last - first + 1
	times := 1
	if flags&flagTimes != 0 {
		times = n
	}
	columns := 8*times + 4*n
	if flags&flagExtra != 0 {
		columns += 4 * n
	}
	if flags&flagIdentity != 0 {
		columns += hashSize * n
	}
	switch {
	case n < 1, flags&^(flagTimes|flagExtra|flagIdentity) != 0, flags&flagTimes != 0 && n == 1:
		return fmt.Errorf("leaves: %w: header %x", errCorrupt, b[:3])
	case len(b) < fragmentHeader+columns:
		return fmt.Errorf("leaves: %w: %d bytes for %d leaves", errCorrupt, len(b), n)
	}
	f.first = first
	f.integrated = int64(binary.BigEndian.Uint64(b[3:]))
	b = b[fragmentHeader:]
	f.queued = make([]int64, times)
	for i := range f.queued {
		f.queued[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return f.parseValues(b[8*times:], flags, n)
}

// parseValues parses what follows the times: b holds at least the columns.
func (f *fragment) parseValues(b []byte, flags byte, n int) error {
	sizes, b := b[:4*n], b[4*n:]
	var extras []byte
	if flags&flagExtra != 0 {
		extras, b = b[:4*n], b[4*n:]
	}
	if flags&flagIdentity != 0 {
		f.identities, b = b[:hashSize*n:hashSize*n], b[hashSize*n:]
	}
	var err error
	if f.values, b, err = cutValues(sizes, b); err != nil {
		return err
	}
	if extras != nil {
		if f.extras, b, err = cutValues(extras, b); err != nil {
			return err
		}
	}
	if len(b) != 0 {
		return fmt.Errorf("leaves: %w: %d bytes too many", errCorrupt, len(b))
	}
	return nil
}

// cutValues splits the start of b into values of the given sizes.
func cutValues(sizes, b []byte) (values [][]byte, rest []byte, err error) {
	values = make([][]byte, len(sizes)/4)
	for i := range values {
		n := binary.BigEndian.Uint32(sizes[4*i:])
		if uint64(n) > uint64(len(b)) {
			return nil, nil, fmt.Errorf("leaves: %w: value of %d bytes in %d", errCorrupt, n, len(b))
		}
		values[i], b = b[:n:n], b[n:]
	}
	return values, b, nil
}

// maxValue bounds a leaf's value and its extra data, in bytes: a fragment's
// length has to fit 32 bits.
const maxValue = math.MaxUint32 / (4 * runSize)
