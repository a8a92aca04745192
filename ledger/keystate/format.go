package keystate

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	version  = 1
	header   = 1 + 8 // version and epoch
	cellSize = 32
	ownSize  = 32

	maxWrapping = 255
	maxWrapped  = 65535
	maxState    = 1 << 30 // bytes: 20 million nodes

	sealLabel = "cairn/v1 key state"
)

// ErrMalformed is matched by the error of a file that is not what the package
// comment says.
var ErrMalformed = errors.New("malformed key state")

// A cell is what the file of a cell holds.
type cell struct {
	epoch    uint64
	owner    [ownSize]byte
	wrapping string // empty: the bytes are the cell
	bytes    []byte
}

// Format hides the cell from every verb.
func (c cell) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "cell of epoch %d", c.epoch) }

func formatCell(c cell) []byte {
	b := binary.BigEndian.AppendUint64([]byte{version}, c.epoch)
	b = append(b, c.owner[:]...)
	b = append(b, byte(len(c.wrapping)))
	b = append(b, c.wrapping...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.bytes)))
	return append(b, c.bytes...)
}

// parseCell reads what formatCell writes and nothing else.
func parseCell(b []byte) (c cell, err error) {
	if len(b) < header+ownSize+1 || b[0] != version {
		return c, fmt.Errorf("%w: it is no cell of version %d", ErrMalformed, version)
	}
	c.epoch = binary.BigEndian.Uint64(b[1:])
	copy(c.owner[:], b[header:])
	b = b[header+ownSize:]
	n := int(b[0])
	if len(b) < 1+n+2 {
		return c, fmt.Errorf("%w: the cell is cut off", ErrMalformed)
	}
	c.wrapping = string(b[1 : 1+n])
	b = b[1+n:]
	if int(binary.BigEndian.Uint16(b)) != len(b)-2 || len(b) == 2 {
		return c, fmt.Errorf("%w: the cell is cut off", ErrMalformed)
	}
	c.bytes = b[2:]
	if c.wrapping == "" && len(c.bytes) != cellSize {
		return c, fmt.Errorf("%w: the cell has %d bytes instead of %d", ErrMalformed, len(c.bytes), cellSize)
	}
	return c, nil
}

// sealState seals the state of a tree under a cell that seals nothing else.
func sealState(c cell, key *[cellSize]byte, state []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{version}, c.epoch)
	aead := cellAEAD(key)
	b = binary.BigEndian.AppendUint32(b, uint32(len(state)+aead.Overhead()))
	return aead.Seal(b, make([]byte, aead.NonceSize()), state, sealedWith(c))
}

// openState opens what sealState sealed.
func openState(b []byte, c cell, key *[cellSize]byte) ([]byte, error) {
	if len(b) < header+4 || b[0] != version || binary.BigEndian.Uint64(b[1:]) != c.epoch || uint64(binary.BigEndian.Uint32(b[header:])) != uint64(len(b)-header-4) {
		return nil, fmt.Errorf("%w: it is no state of version %d and epoch %d", ErrMalformed, version, c.epoch)
	}
	aead := cellAEAD(key)
	state, err := aead.Open(nil, make([]byte, aead.NonceSize()), b[header+4:], sealedWith(c))
	if err != nil {
		return nil, fmt.Errorf("%w: the state of epoch %d does not open with its cell", ErrMalformed, c.epoch)
	}
	return state, nil
}

func sealedWith(c cell) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(sealLabel), c.epoch), c.owner[:]...)
}

func cellAEAD(key *[cellSize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("keystate: AES-256 refuses a 32-byte key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("keystate: GCM refuses AES: " + err.Error())
	}
	return aead
}

const (
	statePrefix = "state-"
	cellPrefix  = "cell-"
)

func stateName(epoch uint64) string { return statePrefix + strconv.FormatUint(epoch, 10) }
func cellName(epoch uint64) string  { return cellPrefix + strconv.FormatUint(epoch, 10) }

// parseName returns the epoch of a file of this package.
func parseName(name string) (epoch uint64, ours bool) {
	number, ok := strings.CutPrefix(name, statePrefix)
	if !ok {
		if number, ok = strings.CutPrefix(name, cellPrefix); !ok {
			return 0, false
		}
	}
	epoch, err := strconv.ParseUint(number, 10, 64)
	return epoch, err == nil && strconv.FormatUint(epoch, 10) == number
}
