package proofs

import (
	"bytes"
	"fmt"
	"slices"
)

// MaxSearchProof bounds a search proof in bytes.
const MaxSearchProof = 1 << 28

// The bounds of a query.
const (
	MaxTerms         = 16
	MaxSearchValues  = 64 // of all terms together
	maxValueNumbers  = MaxFields
	maxSearchedBytes = 1<<16 - 1 // of all values together
)

// A SearchQuery asks for the entries of a stream that have, of each of some terms,
// one of its values.
//
//	struct {
//	    uint32 stream;
//	    uint64 first; uint64 end;       /* indices: from first on, below end */
//	    uint64 from; uint64 until;      /* ledger time: from from on, before until, in microseconds since 1970 */
//	    Term terms<9..2^32-1>;          /* 1 to 16; the length of a list is in four bytes, here as everywhere below */
//	} SearchQuery;
//	struct { Value values<5..2^32-1>; } Term;    /* at least one, and 64 in all */
//	struct { uint16 numbers<2..128>; opaque value<0..65535>; } Value;
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

// Fits reports whether the query asks for an entry of its leaf's stream, time and
// declared values.
func (q SearchQuery) Fits(index uint64, leaf Leaf, values []FieldValue) bool {
	return leaf.Stream == q.Stream && q.asks(index, leaf) &&
		!slices.ContainsFunc(q.Terms, func(t SearchTerm) bool { return !slices.ContainsFunc(values, t.has) })
}

// asksFor reports whether the query asks for values of a field.
func (q SearchQuery) asksFor(number uint16) bool {
	for _, t := range q.Terms {
		for _, v := range t.Values {
			if slices.Contains(v.Numbers, number) {
				return true
			}
		}
	}
	return false
}

// check checks what holds of every query.
func (q SearchQuery) check() error {
	bad := func(why string) error { return fmt.Errorf("%w: search query: %s", ErrMalformed, why) }
	if q.First > q.End || q.Until > 0 && q.From > q.Until {
		return bad("it ends before it begins")
	}
	if len(q.Terms) == 0 || len(q.Terms) > MaxTerms {
		return bad("it has no terms, or too many")
	}
	values, size := 0, 0
	for _, t := range q.Terms {
		if len(t.Values) == 0 {
			return bad("a term has no value")
		}
		values += len(t.Values)
		for _, v := range t.Values {
			if err := v.check(); err != nil {
				return err
			}
			size += len(v.Value)
		}
	}
	if values > MaxSearchValues || size > maxSearchedBytes {
		return bad("its values are too many, or too long")
	}
	return nil
}

// A SearchTerm is values of which an entry has at least one.
type SearchTerm struct {
	Values []SearchValue
}

// has reports whether a declared value is one of the term.
func (t SearchTerm) has(value FieldValue) bool {
	return slices.ContainsFunc(t.Values, func(v SearchValue) bool {
		return slices.Contains(v.Numbers, value.Number) && bytes.Equal(v.Value, value.Value)
	})
}

// A SearchValue is a value that one of some declared fields has: those that have
// been called by one name, by their numbers, which rise.
type SearchValue struct {
	Numbers []uint16
	Value   []byte // canonical: see [FieldValue]
}

func (v SearchValue) check() error {
	if len(v.Numbers) == 0 || len(v.Numbers) > maxValueNumbers {
		return fmt.Errorf("%w: search query: a value is of no field, or of too many", ErrMalformed)
	}
	for i := range v.Numbers[1:] {
		if v.Numbers[i] >= v.Numbers[i+1] {
			return fmt.Errorf("%w: search query: the numbers of fields do not rise", ErrMalformed)
		}
	}
	return nil
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
//	    struct { uint64 index; uint64 announced; } closed<0..2^32-1>;
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

	// Closed says of entries whose tags cannot be shown, or not all, why; rising.
	Closed []ClosedEntry

	Names []SearchNames // settings entries of the stream that name its fields, rising
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

// A ClosedEntry names the entry that announced the expiry or the erasure which
// closed an entry; 0: the ledger could not read it, and none of its tags is
// shown. Of an erasure in several parts it is the part that names the
// entry, and all entries from it to the last part have to be shown: without
// that one it counts for nothing.
type ClosedEntry struct {
	Index, Announced uint64
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
// shown, or commitments to those that are erased. There are no lists where
// nothing is known any more.
type SearchTags struct {
	Index uint64
	Lists []DisclosedTags // without their SealedHash
}
