package proofs

import (
	"encoding/binary"
	"fmt"
)

// A HoldBody is the body of an entry that keeps payloads from being closed
// until the hold is released. Its reason, and the query if there was one, are
// in the payload.
//
// Expiries and erasures that are announced behind this entry name what is held
// like all the rest. It is exempt from them until it is released.
//
//	struct {
//	    uint64 hold;                    /* index of the entry that made the hold; 0: this one does */
//	    uint32 stream;                  /* all entries of it, also later ones; 0: none */
//	    Run    holds<0..65360>;         /* and these */
//	} HoldBody;
type HoldBody struct {
	Hold   uint64
	Stream uint32
	Holds  []Run
}

// FormatHold returns the canonical bytes of the body.
func FormatHold(h HoldBody) ([]byte, error) {
	b := appendUint64s(nil, h.Hold)
	b = binary.BigEndian.AppendUint32(b, h.Stream)
	b, err := appendRuns(b, h.Holds)
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	if _, err := ParseHold(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseHold reads what [FormatHold] writes and nothing else.
func ParseHold(b []byte) (HoldBody, error) {
	d := decoder{format: "hold", rest: b}
	h := HoldBody{Hold: d.uint64("hold"), Stream: d.uint32("stream"), Holds: d.runs("holds")}
	return h, d.end()
}

// A ReleaseBody is the body of an entry that ends a hold: exactly one of its
// two is set.
//
//	struct {
//	    uint8 phase;
//	    select (phase) {
//	        case 1: Released;
//	        case 2: KeysDestroyed;
//	    };
//	} ReleaseBody;
type ReleaseBody struct {
	Released *ReleasedBody
	Done     *KeysDestroyed
}

// A ReleasedBody announces the end of a hold. What expired or was erased while
// it was held is closed now, unless another hold keeps it.
//
//	struct {
//	    uint64 hold;                    /* index of the entry that made it, from 1 */
//	    uint64 request;                 /* index of the entry that asked for it, 0: none was needed */
//	} Released;
type ReleasedBody struct {
	Hold    uint64
	Request uint64
}

// FormatRelease returns the canonical bytes of the body.
func FormatRelease(r ReleaseBody) ([]byte, error) {
	var b []byte
	switch {
	case r.Released != nil && r.Done == nil:
		b = appendUint64s([]byte{byte(Announced)}, r.Released.Hold, r.Released.Request)
	case r.Done != nil && r.Released == nil:
		b = appendDone(b, *r.Done)
	default:
		return nil, fmt.Errorf("%w: release: exactly one of what is released and what was done must be set", ErrMalformed)
	}
	if _, err := ParseRelease(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseRelease reads what [FormatRelease] writes and nothing else.
func ParseRelease(b []byte) (ReleaseBody, error) {
	d := decoder{format: "release", rest: b}
	var r ReleaseBody
	switch Phase(d.uint8("phase")) {
	case Announced:
		r.Released = &ReleasedBody{Hold: d.uint64("hold"), Request: d.uint64("request")}
		if d.err == nil && r.Released.Hold == 0 {
			d.fail("hold", "entry 0 made none")
		}
	case Done:
		r.Done = d.done()
	default:
		d.fail("phase", "neither announced nor done")
	}
	return r, d.end()
}
