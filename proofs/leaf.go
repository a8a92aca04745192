package proofs

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// MaxLeafSize is the largest leaf in bytes: an entry bundle gives its length
// in 16 bits (C2SP tlog-tiles, log entries).
const MaxLeafSize = 1<<16 - 1

// MaxControl is the largest control body of a leaf in bytes.
const MaxControl = MaxLeafSize - leafSize - leafSourceSize

const (
	leafVersion    = 1
	leafSize       = 1 + 1 + 8 + 4 + 4 + 1 + 2*HashSize + 2
	leafSourceSize = 8 + 8
)

// A Kind says what an entry records. Events come from applications; every
// other kind is a control entry, written by the ledger about itself.
type Kind uint8

// The kinds of entries.
const (
	Event          Kind = 0  // an audit event that an application appended
	Created        Kind = 1  // the ledger came into being: [CreatedBody]
	Settings       Kind = 2  // a retention class, a stream or the ledger was set: [SettingsBody]
	KeyRotated     Kind = 3  // the log's signing key changes
	BucketOpened   Kind = 4  // a bucket opened, or has more field keys: [BucketBody]
	Expiry         Kind = 5  // a bucket reached its age: [ExpiryBody]
	Hold           Kind = 6  // entries are held beyond their age: [HoldBody]
	Release        Kind = 7  // a hold was released: [ReleaseBody]
	Erasure        Kind = 8  // a subject's entries were closed: [ErasureBody]
	Access         Kind = 9  // somebody read payloads: no body
	Administration Kind = 10 // somebody changed tokens, started or stopped the ledger: [AdministrationBody]
	Directory      Kind = 11 // the directory of a segment
	Closed         Kind = 12 // the ledger ended; no entry follows

	lastKind = Closed
)

// String returns the kind's one word in lower case, or its number.
func (k Kind) String() string {
	names := [...]string{"event", "created", "settings", "key-rotated", "bucket-opened", "expiry", "hold",
		"release", "erasure", "access", "administration", "directory", "closed"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind-" + strconv.Itoa(int(k))
}

// A Leaf is the public part of an entry: what the tree hashes and everybody
// may see. It says when and of what kind, and commits to the payload and its
// tags without telling anything about them.
//
//	struct {
//	    uint8  version = 1;
//	    Kind   kind;                    /* one byte */
//	    uint64 time;                    /* microseconds since 1970, UTC */
//	    uint32 stream;
//	    uint32 bucket;
//	    uint8  has_source;              /* 0 or 1 */
//	    select (has_source) { case 1: uint64 source; uint64 sequence; };
//	    opaque c[32];
//	    opaque t[32];
//	    opaque control<0..65434>;       /* length in two bytes */
//	} Leaf;
type Leaf struct {
	Kind Kind

	// Time is when the ledger took the entry, in microseconds since 1970.
	// It never decreases as the index grows.
	Time uint64

	// Stream is the number of the stream the entry belongs to; 0 is the
	// ledger's own, of control entries.
	Stream uint32

	// Bucket is the number of the bucket whose key seals the payload: one
	// (stream, retention class, period), opened by a control entry. 0, which
	// is never opened, is of control entries only.
	Bucket uint32

	// Source is nil, or the place the entry has in its source's own count.
	Source *LeafSource

	C Hash // commits to the sealed payload and to what it opens to: [Record.Commitment]
	T Hash // commits to the tags: [TagsRoot]

	// Control is the clear body of a control entry in the format of its
	// kind; events have none. At most [MaxControl] bytes.
	Control []byte
}

// A LeafSource places an entry among those of one source.
type LeafSource struct {
	Number   uint64 // a pseudonym of the source, another one in each bucket
	Sequence uint64 // the source's own count, without gaps
}

// FormatLeaf returns the canonical bytes of a leaf. It refuses what
// [ParseLeaf] would not read back.
func FormatLeaf(l Leaf) ([]byte, error) {
	return AppendLeaf(make([]byte, 0, leafSize+leafSourceSize+len(l.Control)), l)
}

// AppendLeaf appends the canonical bytes of a leaf to dst.
func AppendLeaf(dst []byte, l Leaf) ([]byte, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	dst = append(dst, leafVersion, byte(l.Kind))
	dst = binary.BigEndian.AppendUint64(dst, l.Time)
	dst = binary.BigEndian.AppendUint32(dst, l.Stream)
	dst = binary.BigEndian.AppendUint32(dst, l.Bucket)
	if l.Source == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		dst = binary.BigEndian.AppendUint64(dst, l.Source.Number)
		dst = binary.BigEndian.AppendUint64(dst, l.Source.Sequence)
	}
	dst = append(dst, l.C[:]...)
	dst = append(dst, l.T[:]...)
	return appendVector(dst, 2, l.Control), nil
}

// ParseLeaf reads the bytes that [FormatLeaf] writes and no others. The
// control body aliases b; its own format is not looked at.
func ParseLeaf(b []byte) (Leaf, error) {
	if len(b) > MaxLeafSize {
		return Leaf{}, fmt.Errorf("%w: leaf: %d bytes are more than %d", ErrMalformed, len(b), MaxLeafSize)
	}
	d := decoder{format: "leaf", rest: b}
	d.version(leafVersion)
	l := Leaf{Kind: Kind(d.uint8("kind")), Time: d.uint64("time"), Stream: d.uint32("stream"), Bucket: d.uint32("bucket")}
	switch d.uint8("has_source") {
	case 0:
	case 1:
		l.Source = &LeafSource{Number: d.uint64("source"), Sequence: d.uint64("sequence")}
	default:
		d.fail("has_source", "neither 0 nor 1")
	}
	l.C, l.T = d.hash("c"), d.hash("t")
	l.Control = d.vector("control", 2, 0, MaxControl)
	if err := d.end(); err != nil {
		return Leaf{}, err
	}
	if err := l.validate(); err != nil {
		return Leaf{}, err
	}
	return l, nil
}

func (l Leaf) validate() error {
	switch {
	case l.Kind > lastKind:
		return fmt.Errorf("%w: leaf: kind %d is not known", ErrMalformed, l.Kind)
	case l.Kind == Event && len(l.Control) > 0:
		return fmt.Errorf("%w: leaf: an event has a control body", ErrMalformed)
	case l.Kind == Event && l.Stream == 0:
		return fmt.Errorf("%w: leaf: an event in stream 0", ErrMalformed)
	case l.Kind == Event && l.Bucket == 0:
		return fmt.Errorf("%w: leaf: an event in bucket 0", ErrMalformed)
	case l.Kind != Event && l.Stream != 0:
		return fmt.Errorf("%w: leaf: a control entry in stream %d", ErrMalformed, l.Stream)
	case l.Kind != Event && l.Source != nil:
		return fmt.Errorf("%w: leaf: a control entry with a source", ErrMalformed)
	case len(l.Control) > MaxControl:
		return fmt.Errorf("%w: leaf: control body of %d bytes is larger than %d", ErrMalformed, len(l.Control), MaxControl)
	case l.Time > 1<<63-1:
		return fmt.Errorf("%w: leaf: time beyond 2^63-1", ErrMalformed)
	}
	return nil
}
