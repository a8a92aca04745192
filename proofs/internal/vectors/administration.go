package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type administrationFields struct {
	Request    *requestFields `json:"request,omitempty"`
	Approval   *answerFields  `json:"approval,omitempty"`
	Withdrawal *answerFields  `json:"withdrawal,omitempty"`
}

type requestFields struct {
	Kind string `json:"kind"`
	By   uint64 `json:"by"`
}

type answerFields struct {
	Request uint64 `json:"request"`
	By      uint64 `json:"by"`
}

func administrationVectors() []controlVector {
	accept := func(name string, a proofs.AdministrationBody) controlVector {
		var f administrationFields
		if a.Request != nil {
			f.Request = &requestFields{a.Request.Kind.String(), a.Request.By}
		}
		f.Approval, f.Withdrawal = (*answerFields)(a.Approval), (*answerFields)(a.Withdrawal)
		return controlVector{name, "administration", must(proofs.FormatAdministration(a)), f, ok()}
	}
	asks := accept("a request for an erasure", proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 7}})
	allows := accept("an approval", proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: 40, By: 8}})
	const kind, request = 1, 8 // offsets; of the second the last byte
	refuse := func(name string, b []byte, why string) controlVector {
		return refuseControl(name, "administration", b, why)
	}
	return []controlVector{
		accept("an ordinary act of administration", proofs.AdministrationBody{}),
		asks,
		accept("a request for a change of settings", proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Settings, By: 1<<64 - 1}}),
		accept("a request for the release of a hold", proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Release, By: 7}}),
		allows,
		accept("a withdrawal", proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{Request: 40, By: 7}}),
		refuse("an act of administration of what there is not", changed(asks.Body, 0, 4), "it is a request, 1, an approval, 2, or a withdrawal, 3"),
		refuse("a request for an event", changed(asks.Body, kind, byte(proofs.Event)), "custodians close payloads and change settings"),
		refuse("a request for an expiry", changed(asks.Body, kind, byte(proofs.Expiry)), "an expiry comes of itself"),
		refuse("an approval of entry 0", changed(allows.Body, request, 0), "entry 0 is of the ledger's creation"),
		refuse("a request that lacks its last byte", asks.Body[:len(asks.Body)-1], "it is cut off"),
		refuse("a request with a byte after its end", join(asks.Body, []byte{0}), "nothing may follow"),
		refuse("an approval that lacks its last byte", allows.Body[:len(allows.Body)-1], "it is cut off"),
		refuse("an approval with a byte after its end", join(allows.Body, []byte{0}), "nothing may follow"),
	}
}
