package proofs

import (
	"encoding/binary"
	"fmt"
)

// MaxSearchProof bounds a search proof in bytes.
const MaxSearchProof = 1 << 28

// The bounds of a query.
const (
	MaxTerms       = 16
	maxTermNumbers = 64
	maxTermValue   = 1 << 16
)

// A SearchQuery asks for the entries of a stream that have all of some values.
//
//	struct {
//	    uint32 stream;
//	    uint64 first; uint64 end;       /* indices: from first on, below end */
//	    uint64 from; uint64 until;      /* ledger time: from from on, before until, in microseconds since 1970 */
//	    struct { uint16 numbers<2..128>; opaque value<0..65535>; } terms<1..16>;    /* a list is its length in bytes, in four */
//	} SearchQuery;
type SearchQuery struct {
	Stream      uint32
	First, End  uint64
	From, Until uint64
	Terms       []SearchTerm
}

// asks reports whether the query asks for an entry, by its place and time.
func (q SearchQuery) asks(index uint64, leaf Leaf) bool {
	return index >= q.First && index < q.End && leaf.Time >= q.From && (q.Until == 0 || leaf.Time < q.Until)
}

// A SearchTerm is a value that one of some declared fields has: those that have
// been called by one name, by their numbers, which rise.
type SearchTerm struct {
	Numbers []uint16
	Value   []byte // canonical: see [FieldValue]
}

// A SearchProof shows which entries of a ledger are the answer to a query, and
// that there are no others. [SearchProof.Check] says what each part is for.
//
//	struct {
//	    opaque      label[22] = "cairn/v1 search proof\n";
//	    SearchQuery query;
//	    uint64      start; uint64 stop;
//	    opaque      checkpoint<0..2^24-1>;
//	    Entry       entries<0..2^32-1>;
//	    Hash        inclusion<0..2^32-1>;
//	    Keys        keys<0..2^32-1>;
//	    uint64      directory;
//	    Segment     segments<0..2^32-1>;
//	    Hash        small<0..2^32-1>;
//	    Hash        large<0..2^32-1>;
//	    Hit         hits<0..2^32-1>;
//	    TailEntry   tail<0..2^32-1>;
//	    struct { uint64 index; opaque disclosure<0..2^24-1>; } names<0..2^32-1>;    /* a Disclosure in JSON */
//	} SearchProof;
//	struct { uint64 index; opaque leaf<0..65535>; } Entry;
//	struct { uint32 bucket; struct { uint16 number; uint64 opened; opaque key[32]; } keys<0..2^32-1>; } Keys;
//	struct { DirectoryHead head; Rows rows<0..2^32-1>; } Segment;
//	struct {
//	    uint64 expired;
//	    select (expired) {
//	        case 0: uint32 count;
//	                struct { uint32 row; DirectoryRow row; } shown<0..2^32-1>;
//	                Hash proof<0..2^32-1>;
//	                struct { opaque salt[32]; uint16 positions<0..2^32-1>; } found<0..2^32-1>;
//	    };
//	} Rows;
//	struct { uint64 index; Opened opened<0..2^32-1>; } Hit;
//	struct { uint16 number; uint16 position; uint16 count; opaque opening[32]; Hash path<0..2^32-1>; } Opened;
//	struct { uint64 index; struct { uint8 shown; select (shown) {
//	    case 1: opaque seed[32]; opaque tags<0..2^32-1>; case 0: Hash commitments<0..2^32-1>; }; } lists<0..2^32-1>; } TailEntry;
type SearchProof struct {
	Query SearchQuery

	// Start and Stop bound the entries that were looked through: from Start on,
	// below Stop. Those of the query's range of time are among them.
	Start, Stop uint64

	Checkpoint []byte        // signed, with the cosignatures
	Entries    []SearchEntry // all entries that the proof speaks of, rising
	Inclusion  []Hash        // of all of them in the tree of the checkpoint: [CheckSubset]

	Keys []SearchKeys // of the fields that are asked for, by bucket

	Directory    uint64          // index of the last directory entry; 0: none is needed
	Segments     []SearchSegment // from Start on, each where the one before ends
	Small, Large []Hash          // that their directories are those of the entry: [CheckSubset]

	Hits []SearchHit  // rising
	Tail []SearchTags // the entries of the stream that have tags and are behind the last segment

	Names []SearchNames // settings entries of the stream that name its fields
}

// SearchNames discloses the names in a settings entry of the stream.
type SearchNames struct {
	Index      uint64
	Disclosure []byte // [FormatDisclosure]
}

// A SearchEntry is a leaf at its place.
type SearchEntry struct {
	Index uint64
	Leaf  []byte
}

// SearchKeys are keys of fields in a bucket.
type SearchKeys struct {
	Bucket uint32
	Keys   []SearchKey
}

// A SearchKey is the key of a field, and the index of the entry that committed
// to it ([BucketBody]).
type SearchKey struct {
	Number uint16
	Opened uint64
	Key    Key256
}

// A SearchSegment shows what the directory of a segment says: rows for each of
// the head's buckets that are of the stream, in their order.
type SearchSegment struct {
	Head DirectoryHead
	Rows []SearchRows
}

// SearchRows show which rows there are of the tags that are asked for, and which
// there are not: by the two between which one would be.
type SearchRows struct {
	Expired uint64 // index of the entry that announced that the bucket expired; then there is no more

	Count uint32 // of all rows
	Shown []SearchRow
	Proof []Hash     // that the shown rows are among them: [CheckSubset]
	Found []FoundRow // for each shown row that is asked for, in their order
}

// A SearchRow is a row of a directory at its place.
type SearchRow struct {
	Number uint32
	Row    DirectoryRow
}

// A FoundRow shows which entries have the tag of a row.
type FoundRow struct {
	Salt      Key256
	Positions []uint16
}

// A SearchHit shows the tags of an entry that make it one: one for each term.
type SearchHit struct {
	Index  uint64
	Opened []OpenedTag
}

// An OpenedTag shows one tag of an entry: that of the field of a number is the
// Position-th of Count tags that T commits to.
type OpenedTag struct {
	Number          uint16
	Position, Count uint16
	Opening         Key256
	Path            []Hash // inclusion proof: [CheckInclusion]
}

// SearchTags are all tags of an entry, as [DisclosedTags] are: lists that are
// shown, or commitments to those that are erased.
type SearchTags struct {
	Index uint64
	Lists []DisclosedTags // without their SealedHash
}

const searchProofLabel = "cairn/v1 search proof\n"

// appendList appends a list: its length in bytes, in four bytes, and the items.
func appendList[T any](b []byte, items []T, item func([]byte, T) []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, x := range items {
		b = item(b, x)
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func appendHash(b []byte, h Hash) []byte { return append(b, h[:]...) }

// FormatSearchProof returns the canonical bytes of a proof.
func FormatSearchProof(p SearchProof) ([]byte, error) {
	b := append([]byte(nil), searchProofLabel...)
	b = appendSearchQuery(b, p.Query)
	b = appendUint64s(b, p.Start, p.Stop)
	if len(p.Checkpoint) > MaxNoteSize {
		return nil, fmt.Errorf("%w: search proof: the checkpoint is too long", ErrMalformed)
	}
	b = appendVector(b, 3, p.Checkpoint)
	b = appendList(b, p.Entries, func(b []byte, e SearchEntry) []byte {
		return appendVector(appendUint64s(b, e.Index), 2, e.Leaf[:min(len(e.Leaf), MaxLeafSize)])
	})
	b = appendList(b, p.Inclusion, appendHash)
	b = appendList(b, p.Keys, appendSearchKeys)
	b = appendUint64s(b, p.Directory)
	b = appendList(b, p.Segments, appendSearchSegment)
	b = appendList(b, p.Small, appendHash)
	b = appendList(b, p.Large, appendHash)
	b = appendList(b, p.Hits, func(b []byte, h SearchHit) []byte {
		return appendList(appendUint64s(b, h.Index), h.Opened, appendOpenedTag)
	})
	b = appendList(b, p.Tail, func(b []byte, t SearchTags) []byte {
		return appendList(appendUint64s(b, t.Index), t.Lists, appendSearchTags)
	})
	for _, n := range p.Names {
		if len(n.Disclosure) >= 1<<24 {
			return nil, fmt.Errorf("%w: search proof: names are too long", ErrMalformed)
		}
	}
	b = appendList(b, p.Names, func(b []byte, n SearchNames) []byte {
		return appendVector(appendUint64s(b, n.Index), 3, n.Disclosure)
	})
	if _, err := ParseSearchProof(b); err != nil {
		return nil, err
	}
	return b, nil
}

func appendSearchQuery(b []byte, q SearchQuery) []byte {
	b = binary.BigEndian.AppendUint32(b, q.Stream)
	b = appendUint64s(b, q.First, q.End, q.From, q.Until)
	return appendList(b, q.Terms, func(b []byte, t SearchTerm) []byte {
		b = append(b, byte(len(t.Numbers)))
		for _, n := range t.Numbers {
			b = binary.BigEndian.AppendUint16(b, n)
		}
		return appendVector(b, 2, t.Value[:min(len(t.Value), maxTermValue-1)])
	})
}

func appendSearchKeys(b []byte, k SearchKeys) []byte {
	return appendList(binary.BigEndian.AppendUint32(b, k.Bucket), k.Keys, func(b []byte, k SearchKey) []byte {
		b = binary.BigEndian.AppendUint16(b, k.Number)
		return append(appendUint64s(b, k.Opened), k.Key[:]...)
	})
}

func appendSearchSegment(b []byte, s SearchSegment) []byte {
	head, err := appendDirectoryHead(nil, s.Head)
	if err != nil {
		head = nil // which does not parse
	}
	return appendList(append(b, head...), s.Rows, func(b []byte, r SearchRows) []byte {
		b = appendUint64s(b, r.Expired)
		if r.Expired > 0 {
			return b
		}
		b = binary.BigEndian.AppendUint32(b, r.Count)
		b = appendList(b, r.Shown, func(b []byte, x SearchRow) []byte {
			return x.Row.append(binary.BigEndian.AppendUint32(b, x.Number))
		})
		b = appendList(b, r.Proof, appendHash)
		return appendList(b, r.Found, func(b []byte, f FoundRow) []byte {
			return appendList(append(b, f.Salt[:]...), f.Positions, binary.BigEndian.AppendUint16)
		})
	})
}

func appendOpenedTag(b []byte, o OpenedTag) []byte {
	b = binary.BigEndian.AppendUint16(b, o.Number)
	b = binary.BigEndian.AppendUint16(b, o.Position)
	b = binary.BigEndian.AppendUint16(b, o.Count)
	return appendList(append(b, o.Opening[:]...), o.Path, appendHash)
}

func appendSearchTags(b []byte, t DisclosedTags) []byte {
	b = append(b, boolByte(t.Shown()))
	if !t.Shown() {
		return appendList(b, t.Commitments, appendHash)
	}
	return appendList(append(b, t.Seed...), parseTags(t.Tags), func(b []byte, t Tag) []byte { return AppendTags(b, []Tag{t}) })
}
