package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type holdFields struct {
	Hold   uint64      `json:"hold"`
	Stream uint32      `json:"stream"`
	Holds  []runFields `json:"holds"`
}

type releasedFields struct {
	Hold    uint64 `json:"hold"`
	Request uint64 `json:"request"`
}

type runFields struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

func runsOf(runs []proofs.Run) []runFields {
	list := []runFields{}
	for _, r := range runs {
		list = append(list, runFields(r))
	}
	return list
}

func holdVectors() []controlVector {
	accept := func(name string, h proofs.HoldBody) controlVector {
		return controlVector{name, "hold", must(proofs.FormatHold(h)), holdFields{h.Hold, h.Stream, runsOf(h.Holds)}, ok()}
	}
	one := accept("a hold of some entries", proofs.HoldBody{Holds: []proofs.Run{{First: 5, Last: 9}}})
	return []controlVector{
		one,
		accept("a hold of a stream", proofs.HoldBody{Stream: 3}),
		accept("more entries for a hold", proofs.HoldBody{Hold: 17, Holds: []proofs.Run{{First: 18, Last: 18}, {First: 20, Last: 21}}}),
		refuseControl("a hold whose run ends before it begins", "hold", changed(one.Body, 21, 10), "a run does not end before it begins"),
		refuseControl("a hold that lacks its last byte", "hold", one.Body[:len(one.Body)-1], "it is cut off"),
		refuseControl("a hold with a byte after its end", "hold", join(one.Body, []byte{0}), "nothing may follow"),
	}
}

func releaseVectors() []controlVector {
	released := func(name string, r proofs.ReleasedBody) controlVector {
		return controlVector{name, "release", must(proofs.FormatRelease(proofs.ReleaseBody{Released: &r})), releasedFields(r), ok()}
	}
	one := released("a hold that is released", proofs.ReleasedBody{Hold: 17})
	done := proofs.KeysDestroyed{Announced: 91, Epoch: 3, State: proofs.Hash(secret("state"))}
	const hold = 8 // offset of its last byte
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "release", b, why) }
	return []controlVector{
		one,
		released("a hold that entry 40 asked to release", proofs.ReleasedBody{Hold: 17, Request: 40}),
		{"a release that is done", "release", must(proofs.FormatRelease(proofs.ReleaseBody{Done: &done})), doneOf(done), ok()},
		refuse("a release without a body", nil, "it is cut off"),
		refuse("a release of no phase", changed(one.Body, 0, 3), "a phase is 1, announced, or 2, done"),
		refuse("a release of what entry 0 held", changed(one.Body, hold, 0), "entry 0 is of the ledger's creation"),
		refuse("a release that lacks its last byte", one.Body[:len(one.Body)-1], "it is cut off"),
		refuse("a release with a byte after its end", join(one.Body, []byte{0}), "nothing may follow"),
	}
}
