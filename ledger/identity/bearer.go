package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

const (
	tokenPrefix = "cairn_"
	idDigits    = 16
	secretSize  = 32
)

// bearer is a token as its bearer has it: all there is to be secret about.
//
//	cairn_<w, r, a, o or c><id: 16 hexadecimal digits>_<secret: 64 hexadecimal digits><checksum: 8>
//
// The checksum is the CRC-32 (IEEE) of all that is before it, so that a typing
// error and a false alarm of a secret scanner show without asking anybody.
type bearer struct {
	letter byte
	id     string
	secret string // in hexadecimal
}

// newBearer makes a token of a role from random bytes.
func newBearer(role Role, random io.Reader) (bearer, error) {
	letter, ok := role.letter()
	if !ok {
		return bearer{}, fmt.Errorf("there is no role %q", role)
	}
	var b [idDigits/2 + secretSize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return bearer{}, err
	}
	return bearer{letter, hex.EncodeToString(b[:idDigits/2]), hex.EncodeToString(b[idDigits/2:])}, nil
}

// format returns the token. There is no String method, so that nothing prints
// it by mistake.
func (b bearer) format() string {
	text := tokenPrefix + string(b.letter) + b.id + "_" + b.secret
	return text + fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text)))
}

// hash is what is kept of a token.
func (b bearer) hash() [sha256.Size]byte { return sha256.Sum256([]byte(b.format())) }

var errNotToken = errors.New("it is not a token of a Cairn ledger")

// parseBearer reads what format writes and nothing else.
func parseBearer(s string) (bearer, error) {
	const size = len(tokenPrefix) + 1 + idDigits + 1 + 2*secretSize + 8
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok || len(s) != size {
		return bearer{}, errNotToken
	}
	b := bearer{letter: rest[0], id: rest[1 : 1+idDigits], secret: rest[2+idDigits : 2+idDigits+2*secretSize]}
	if strings.IndexByte(letters, b.letter) < 0 || !isHex(b.id) || !isHex(b.secret) || b.format() != s {
		return bearer{}, errNotToken
	}
	return b, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
