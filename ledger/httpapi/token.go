package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"time"
)

// A Role says what the bearer of a token may do, and nothing else.
type Role string

// The roles. No role may do what another may, but for what is public anyway.
const (
	Writer   Role = "writer"   // append to given streams
	Reader   Role = "reader"   // read what is about given streams, proofs and receipts
	Auditor  Role = "auditor"  // proofs, receipts, sealed records, settings; no payload
	Operator Role = "operator" // streams, retention classes, tokens, status; no payload
)

// letter is how a role shows in a token.
func (r Role) letter() (byte, bool) {
	i := slices.Index([]Role{Writer, Reader, Auditor, Operator}, r)
	if i < 0 {
		return 0, false
	}
	return "wrao"[i], true
}

// hasStreams reports whether tokens of the role are for given streams.
func (r Role) hasStreams() bool { return r == Writer || r == Reader }

// EveryStream in place of a stream's name stands for all streams, those of the
// future too. A reader of all also reads the control entries that are about the
// ledger itself, and alone follows control entries.
const EveryStream = "*"

// A Token is what the ledger knows of a bearer token, which is not the token.
type Token struct {
	ID      string    `json:"id"`                // 16 hexadecimal digits
	Name    string    `json:"name"`              // who has it: the identity that entries record
	Role    Role      `json:"role"`              //
	Streams []string  `json:"streams,omitempty"` // of a writer or reader; [EveryStream] for all
	Created time.Time `json:"created"`           //
	Expires time.Time `json:"expires,omitzero"`  // zero: never
}

// May reports whether the token is for a stream.
func (t Token) May(stream string) bool {
	return slices.Contains(t.Streams, EveryStream) || stream != "" && slices.Contains(t.Streams, stream)
}

const (
	tokenPrefix = "cairn_"
	idDigits    = 16
	secretSize  = 32
	maxName     = 128
)

// bearer is a token as its bearer has it: all there is to be secret about.
//
//	cairn_<w, r, a or o><id: 16 hexadecimal digits>_<secret: 64 hexadecimal digits><checksum: 8>
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
	if strings.IndexByte("wrao", b.letter) < 0 || !isHex(b.id) || !isHex(b.secret) || b.format() != s {
		return bearer{}, errNotToken
	}
	return b, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
