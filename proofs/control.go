package proofs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// The clear bodies of control entries. What auditors need without keys is in
// the clear; names, reasons and queries are sealed in the entry's payload.

// MaxOrigin is the longest origin of a ledger in bytes (C2SP tlog-cosignature,
// ML-DSA-44: origin<1..255>).
const MaxOrigin = 255

// The longest lists within control bodies in bytes: the body has to fit.
const (
	maxKeyLines = MaxControl - 512
	maxList     = MaxControl - 64
)

// A CreatedBody is the body of entry 0: what the ledger was when it began.
//
//	struct {
//	    opaque origin<1..255>;
//	    opaque keys<1..64922>;      /* verifier keys of the log, a line each */
//	    opaque policy_hash[32];     /* SHA-256 of the policy file */
//	} CreatedBody;
type CreatedBody struct {
	Origin     string
	Keys       string
	PolicyHash Hash
}

// FormatCreated returns the canonical bytes of the body.
func FormatCreated(c CreatedBody) ([]byte, error) {
	if len(c.Origin) < 1 || len(c.Origin) > MaxOrigin || len(c.Keys) < 1 || len(c.Keys) > maxKeyLines {
		return nil, fmt.Errorf("%w: created: origin or keys are empty or too long", ErrMalformed)
	}
	b := appendVector(nil, 1, c.Origin)
	b = appendVector(b, 2, c.Keys)
	return append(b, c.PolicyHash[:]...), nil
}

// ParseCreated reads what [FormatCreated] writes and nothing else.
func ParseCreated(b []byte) (CreatedBody, error) {
	d := decoder{format: "created", rest: b}
	c := CreatedBody{
		Origin: string(d.vector("origin", 1, 1, MaxOrigin)),
		Keys:   string(d.vector("keys", 2, 1, maxKeyLines)),
	}
	c.PolicyHash = d.hash("policy hash")
	return c, d.end()
}

// A Period is how long a bucket takes entries.
type Period uint8

// The periods, in UTC.
const (
	Day   Period = 1 // numbered from 1970-01-01
	Month Period = 2 // numbered from January 1970
)

// Number returns the number of the period that a time from 1970 on falls into.
func (p Period) Number(t time.Time) uint32 {
	t = t.UTC()
	if p == Month {
		return uint32((t.Year()-1970)*12 + int(t.Month()) - 1)
	}
	return uint32(t.Unix() / (24 * 60 * 60))
}

// String returns "day" or "month".
func (p Period) String() string {
	switch p {
	case Day:
		return "day"
	case Month:
		return "month"
	}
	return fmt.Sprintf("period-%d", uint8(p))
}

// A BucketBody opens a bucket, or adds field keys to an open one: the numbers
// and what is sealed under the bucket's keys from here on.
//
//	struct {
//	    uint32   bucket;                /* from 1; bucket 0 is of the entries that open nothing yet */
//	    uint32   stream;
//	    uint16   class;
//	    uint32   period;                /* number, see Period */
//	    FieldKey keys<0..65370>;
//	} BucketBody;
//	struct { uint16 field; opaque hash[32]; } FieldKey;
type BucketBody struct {
	Bucket uint32
	Stream uint32
	Class  uint16
	Period uint32
	Keys   []FieldKeyBody
}

// A FieldKeyBody commits to the key that makes a field's tags in a bucket.
type FieldKeyBody struct {
	Field uint16
	Hash  Hash // [FieldKeyHash]
}

// FormatBucket returns the canonical bytes of the body.
func FormatBucket(o BucketBody) ([]byte, error) {
	b := binary.BigEndian.AppendUint32(nil, o.Bucket)
	b = binary.BigEndian.AppendUint32(b, o.Stream)
	b = binary.BigEndian.AppendUint16(b, o.Class)
	b = binary.BigEndian.AppendUint32(b, o.Period)
	var keys []byte
	for _, k := range o.Keys {
		keys = binary.BigEndian.AppendUint16(keys, k.Field)
		keys = append(keys, k.Hash[:]...)
	}
	if len(keys) > maxList {
		return nil, fmt.Errorf("%w: bucket: %d field keys are too many", ErrMalformed, len(o.Keys))
	}
	b = appendVector(b, 2, keys)
	if _, err := ParseBucket(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseBucket reads what [FormatBucket] writes and nothing else.
func ParseBucket(b []byte) (BucketBody, error) {
	d := decoder{format: "bucket", rest: b}
	o := BucketBody{Bucket: d.uint32("bucket"), Stream: d.uint32("stream"), Class: d.uint16("class"), Period: d.uint32("period")}
	if d.err == nil && o.Bucket == 0 {
		d.fail("bucket", "0 is never opened")
	}
	keys := decoder{format: d.format, rest: d.vector("keys", 2, 0, maxList)}
	var last uint16
	for len(keys.rest) > 0 {
		k := FieldKeyBody{Field: keys.uint16("field"), Hash: keys.hash("hash")}
		if keys.err == nil && k.Field <= last {
			keys.fail("field", "numbers do not rise from 1")
		}
		last = k.Field
		o.Keys = append(o.Keys, k)
	}
	if d.err == nil {
		d.err = keys.err
	}
	return o, d.end()
}

// JoinFieldKeys returns the keys that a bucket committed to, which rise by field,
// with more of them, and the first field of which there was another key already: of
// a field a bucket has one for ever. 0: there is none. It leaves its arguments as
// they are.
func JoinFieldKeys(keys, more []FieldKeyBody) (all []FieldKeyBody, other uint16) {
	all = keys
	for _, k := range more {
		at, known := slices.BinarySearchFunc(all, k.Field, func(x FieldKeyBody, field uint16) int { return int(x.Field) - int(field) })
		switch {
		case !known:
			all = slices.Insert(slices.Clone(all), at, k)
		case all[at].Hash != k.Hash && other == 0:
			other = k.Field
		}
	}
	return all, other
}

// bool reads one byte that is 0 or 1.
func (d *decoder) bool(field string) bool {
	b := d.uint8(field)
	if b > 1 {
		d.fail(field, "neither 0 nor 1")
	}
	return b == 1
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
