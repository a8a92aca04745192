package proofs

import (
	"encoding/binary"
	"fmt"
)

// What closes payloads, and what keeps them from being closed. Each act is
// announced in an entry that is published before anything is destroyed, and
// completed in another: an auditor without any key can tell that every
// payload that is gone is gone for a reason that was allowed then.

// A Phase is how far the closing of payloads has come.
type Phase uint8

// The phases.
const (
	Announced Phase = 1 // nothing is destroyed yet
	Done      Phase = 2 // the keys are destroyed
)

// An ExpiryBody is the body of an entry about a bucket that has reached its
// age: exactly one of its two is set.
//
//	struct {
//	    uint8 phase;
//	    select (phase) {
//	        case 1: Expired;
//	        case 2: KeysDestroyed;
//	    };
//	} ExpiryBody;
type ExpiryBody struct {
	Expired *ExpiredBody
	Done    *KeysDestroyed
}

// An ExpiredBody announces that the payloads of a bucket are closed, but for
// those that are held (see [HoldBody]): what it is about, and by what its age
// is judged.
//
//	struct {
//	    uint32 bucket;
//	    uint64 first;                   /* index of the bucket's first entry */
//	    uint64 last;                    /* and of its last */
//	    uint64 count;                   /* entries of the bucket */
//	    uint64 settings;                /* index of the entry that set its class as it is in force */
//	    CheckpointRef closed;           /* covers the last entry; its time is where the age begins */
//	    CheckpointRef now;              /* its time is what the age is counted to */
//	} Expired;
type ExpiredBody struct {
	Bucket      uint32
	First, Last uint64
	Count       uint64
	Settings    uint64
	Closed, Now CheckpointRef
}

// A CheckpointRef names a checkpoint that the ledger keeps, with its
// cosignatures.
//
//	struct { uint64 size; opaque note[32]; } CheckpointRef;
type CheckpointRef struct {
	Size uint64
	Note Hash // SHA-256 of the signed note
}

// KeysDestroyed completes what was announced.
//
//	struct {
//	    uint64 announced;               /* index of the entry that announced it */
//	    uint64 epoch;                   /* of the key state without the keys */
//	    opaque state[32];               /* SHA-256 of that state */
//	} KeysDestroyed;
type KeysDestroyed struct {
	Announced uint64
	Epoch     uint64
	State     Hash
}

// FormatExpiry returns the canonical bytes of the body.
func FormatExpiry(e ExpiryBody) ([]byte, error) {
	var b []byte
	switch {
	case e.Expired != nil && e.Done == nil:
		x := e.Expired
		b = binary.BigEndian.AppendUint32([]byte{byte(Announced)}, x.Bucket)
		b = appendUint64s(b, x.First, x.Last, x.Count, x.Settings)
		b = appendCheckpointRef(b, x.Closed)
		b = appendCheckpointRef(b, x.Now)
	case e.Done != nil && e.Expired == nil:
		b = appendDone(b, *e.Done)
	default:
		return nil, fmt.Errorf("%w: expiry: exactly one of what expired and what was done must be set", ErrMalformed)
	}
	if _, err := ParseExpiry(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseExpiry reads what [FormatExpiry] writes and nothing else.
func ParseExpiry(b []byte) (ExpiryBody, error) {
	d := decoder{format: "expiry", rest: b}
	var e ExpiryBody
	switch Phase(d.uint8("phase")) {
	case Announced:
		x := &ExpiredBody{Bucket: d.uint32("bucket"), First: d.uint64("first"), Last: d.uint64("last"), Count: d.uint64("count"), Settings: d.uint64("settings")}
		x.Closed, x.Now = d.checkpointRef("closed"), d.checkpointRef("now")
		e.Expired = x
		d.checkExpired(x)
	case Done:
		e.Done = d.done()
	default:
		d.fail("phase", "neither announced nor done")
	}
	return e, d.end()
}

func (d *decoder) checkExpired(x *ExpiredBody) {
	switch {
	case d.err != nil:
	case x.Bucket == 0:
		d.fail("bucket", "0 is never opened")
	case x.First > x.Last:
		d.fail("last", "comes before the first")
	case x.Count == 0 || x.Count-1 > x.Last-x.First:
		d.fail("count", "is not that of entries from the first to the last")
	case x.Closed.Size <= x.Last:
		d.fail("closed", "does not cover the last entry")
	case x.Now.Size < x.Closed.Size:
		d.fail("now", "is smaller than closed")
	}
}

// An ErasureBody is the body of an entry about the erasure of a data subject:
// exactly one of its two is set. It names indices, and never the person.
//
//	struct {
//	    uint8 phase;
//	    select (phase) {
//	        case 1: Erased;
//	        case 2: KeysDestroyed;
//	    };
//	} ErasureBody;
type ErasureBody struct {
	Erased *ErasedBody
	Done   *KeysDestroyed
}

// An ErasedBody announces that parts and tags of entries are closed that
// concern one subject, but for those that are held: see [HoldBody]. Where the
// runs do not fit one entry there are several, one after the other, which count
// as one from the last on.
//
// What the ledger's medium has lost may concern the subject too: the ledger cannot
// tell, and names such entries as unread. Should their records ever be had again,
// what concerns the subject in them is closed, for its keys are destroyed.
//
//	struct {
//	    uint32 stream;
//	    uint64 request;                 /* index of the entry that asked for it, 0: none was needed */
//	    uint32 part;                    /* this entry's number among them, from 1 */
//	    uint32 parts;
//	    Run    closes<0..65360>;
//	    Run    unread<1..65360>;        /* only if there are any; none is in closes, and both are at most 4085 runs */
//	} Erased;
type ErasedBody struct {
	Stream      uint32
	Request     uint64
	Part, Parts uint32
	Closes      []Run
	Unread      []Run
}

// Names reports whether an announcement says why something of an entry may be
// gone.
func (x *ErasedBody) Names(index uint64) bool {
	return InRuns(x.Closes, index) || InRuns(x.Unread, index)
}

// FormatErasure returns the canonical bytes of the body.
func FormatErasure(e ErasureBody) ([]byte, error) {
	var b []byte
	switch {
	case e.Erased != nil && e.Done == nil:
		x := e.Erased
		b = binary.BigEndian.AppendUint32([]byte{byte(Announced)}, x.Stream)
		b = appendUint64s(b, x.Request)
		b = binary.BigEndian.AppendUint32(b, x.Part)
		b = binary.BigEndian.AppendUint32(b, x.Parts)
		var err error
		if b, err = appendRuns(b, x.Closes); err != nil {
			return nil, fmt.Errorf("erasure: %w", err)
		}
		if len(x.Unread) > 0 {
			if b, err = appendRuns(b, x.Unread); err != nil {
				return nil, fmt.Errorf("erasure: %w", err)
			}
		}
	case e.Done != nil && e.Erased == nil:
		b = appendDone(b, *e.Done)
	default:
		return nil, fmt.Errorf("%w: erasure: exactly one of what is erased and what was done must be set", ErrMalformed)
	}
	if _, err := ParseErasure(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseErasure reads what [FormatErasure] writes and nothing else.
func ParseErasure(b []byte) (ErasureBody, error) {
	d := decoder{format: "erasure", rest: b}
	var e ErasureBody
	switch Phase(d.uint8("phase")) {
	case Announced:
		x := &ErasedBody{
			Stream: d.uint32("stream"), Request: d.uint64("request"),
			Part: d.uint32("part"), Parts: d.uint32("parts"), Closes: d.runs("closes"),
		}
		if d.err == nil && len(d.rest) > 0 {
			if x.Unread = d.runs("unread"); d.err == nil && len(x.Unread) == 0 {
				d.fail("unread", "there is none, and it is there")
			}
		}
		e.Erased = x
		d.checkErased(x)
	case Done:
		e.Done = d.done()
	default:
		d.fail("phase", "neither announced nor done")
	}
	return e, d.end()
}

func (d *decoder) checkErased(x *ErasedBody) {
	switch {
	case d.err != nil:
	case x.Stream == 0:
		d.fail("stream", "0 is the ledger's own")
	case x.Part == 0 || x.Part > x.Parts:
		d.fail("part", "is not one of the parts")
	case len(x.Closes)+len(x.Unread) > MaxRuns:
		d.fail("unread", "there are too many runs for one entry")
	case runsMeet(x.Closes, x.Unread):
		d.fail("unread", "names an entry that is closed")
	}
}

func appendUint64s(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func appendCheckpointRef(b []byte, c CheckpointRef) []byte {
	return append(appendUint64s(b, c.Size), c.Note[:]...)
}

func (d *decoder) checkpointRef(field string) CheckpointRef {
	return CheckpointRef{Size: d.uint64(field), Note: d.hash(field)}
}

func appendDone(b []byte, k KeysDestroyed) []byte {
	b = appendUint64s(append(b, byte(Done)), k.Announced, k.Epoch)
	return append(b, k.State[:]...)
}

func (d *decoder) done() *KeysDestroyed {
	return &KeysDestroyed{Announced: d.uint64("announced"), Epoch: d.uint64("epoch"), State: d.hash("state")}
}
