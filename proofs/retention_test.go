package proofs_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// reformatRetention parses a body and formats it again.
func reformatRetention(format string, b []byte) (body any, again []byte, err error) {
	switch format {
	case "expiry":
		e, err := proofs.ParseExpiry(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatExpiry(e)
		if e.Done != nil {
			return *e.Done, again, err
		}
		return *e.Expired, again, err
	case "erasure":
		e, err := proofs.ParseErasure(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatErasure(e)
		if e.Done != nil {
			return *e.Done, again, err
		}
		return *e.Erased, again, err
	case "release":
		r, err := proofs.ParseRelease(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatRelease(r)
		if r.Done != nil {
			return *r.Done, again, err
		}
		return *r.Released, again, err
	case "hold":
		h, err := proofs.ParseHold(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatHold(h)
		return h, again, err
	default:
		a, err := proofs.ParseAdministration(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatAdministration(a)
		return a, again, err
	}
}

// retentionFields returns what a vector says of a body.
func retentionFields(body any) any {
	type object = map[string]any
	ref := func(c proofs.CheckpointRef) object {
		return object{"size": c.Size, "note": hex.EncodeToString(c.Note[:])}
	}
	runs := func(list []proofs.Run) []object {
		out := []object{}
		for _, r := range list {
			out = append(out, object{"first": r.First, "last": r.Last})
		}
		return out
	}
	switch b := body.(type) {
	case proofs.ExpiredBody:
		return object{"bucket": b.Bucket, "first": b.First, "last": b.Last, "count": b.Count, "settings": b.Settings, "closed": ref(b.Closed), "now": ref(b.Now)}
	case proofs.KeysDestroyed:
		return object{"announced": b.Announced, "epoch": b.Epoch, "state": hex.EncodeToString(b.State[:])}
	case proofs.ErasedBody:
		fields := object{"stream": b.Stream, "request": b.Request, "part": b.Part, "parts": b.Parts, "closes": runs(b.Closes)}
		if len(b.Unread) > 0 {
			fields["unread"] = runs(b.Unread)
		}
		return fields
	case proofs.HoldBody:
		return object{"hold": b.Hold, "stream": b.Stream, "holds": runs(b.Holds)}
	case proofs.ReleasedBody:
		return object{"hold": b.Hold, "request": b.Request}
	case proofs.AdministrationBody:
		fields := object{}
		if r := b.Request; r != nil {
			fields["request"] = object{"kind": r.Kind.String(), "by": r.By}
		}
		for name, a := range map[string]*proofs.AnswerBody{"approval": b.Approval, "withdrawal": b.Withdrawal} {
			if a != nil {
				fields[name] = object{"request": a.Request, "by": a.By}
			}
		}
		return fields
	}
	return nil
}

func TestFormatRetentionRefusesWhatDoesNotParse(t *testing.T) {
	many := make([]proofs.Run, proofs.MaxRuns+1)
	for i := range many {
		many[i] = proofs.Run{First: uint64(2 * i), Last: uint64(2 * i)}
	}
	expiry := func(e proofs.ExpiryBody) error { _, err := proofs.FormatExpiry(e); return err }
	erasure := func(e proofs.ErasureBody) error { _, err := proofs.FormatErasure(e); return err }
	release := func(r proofs.ReleaseBody) error { _, err := proofs.FormatRelease(r); return err }
	administration := func(a proofs.AdministrationBody) error { _, err := proofs.FormatAdministration(a); return err }
	for name, err := range map[string]error{
		"an expiry of nothing":                                          expiry(proofs.ExpiryBody{}),
		"an expiry of two phases":                                       expiry(proofs.ExpiryBody{Expired: &proofs.ExpiredBody{}, Done: &proofs.KeysDestroyed{}}),
		"an expiry of bucket 0":                                         expiry(proofs.ExpiryBody{Expired: &proofs.ExpiredBody{}}),
		"an erasure of nothing":                                         erasure(proofs.ErasureBody{}),
		"an erasure of two phases":                                      erasure(proofs.ErasureBody{Erased: &proofs.ErasedBody{}, Done: &proofs.KeysDestroyed{}}),
		"an erasure of more runs than fit":                              erasure(proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: many}}),
		"an erasure of more runs, with those that are unread, than fit": erasure(proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: many[2:], Unread: many[:2]}}),
		"an erasure whose runs are not sorted":                          erasure(proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: []proofs.Run{{3, 4}, {1, 1}}}}),
		"a release of nothing":                                          release(proofs.ReleaseBody{}),
		"a release of two phases":                                       release(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: 1}, Done: &proofs.KeysDestroyed{}}),
		"a release of what entry 0 held":                                release(proofs.ReleaseBody{Released: &proofs.ReleasedBody{}}),
		"a request of two kinds":                                        administration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure}, Approval: &proofs.AnswerBody{Request: 1}}),
		"a request for nothing":                                         administration(proofs.AdministrationBody{Request: &proofs.RequestBody{}}),
		"a withdrawal of nothing":                                       administration(proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{}}),
	} {
		if !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, want %v", name, err, proofs.ErrMalformed)
		}
	}
	b, err := proofs.FormatHold(proofs.HoldBody{Hold: 1, Stream: 2, Holds: many[:proofs.MaxRuns]})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Hold, Control: b}); err != nil {
		t.Errorf("the largest hold does not fit a leaf: %v", err)
	}
}

func FuzzExpiry(f *testing.F)  { fuzzControl(f, "expiry") }
func FuzzErasure(f *testing.F) { fuzzControl(f, "erasure") }
func FuzzHold(f *testing.F)    { fuzzControl(f, "hold") }
func FuzzRelease(f *testing.F) { fuzzControl(f, "release") }

func FuzzAdministration(f *testing.F) { fuzzControl(f, "administration") }
