package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type custodiansFields struct {
	Request uint64   `json:"request"`
	Named   []uint64 `json:"named"`
}

func custodiansVectors() []controlVector {
	accept := func(name string, request uint64, named ...uint64) controlVector {
		b := must(proofs.FormatSettings(proofs.SettingsBody{Request: request, Custodians: &proofs.CustodiansBody{Named: named}}))
		return controlVector{name, "settings", b, custodiansFields{request, append([]uint64{}, named...)}, ok()}
	}
	two := accept("a ledger that names two custodians", 0, 7, 1<<64-1)
	const length, named = 10, 11 // offsets; of the first the last byte
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return []controlVector{
		two,
		accept("a ledger of which entry 17 asked that it name others", 17, 1, 2, 3),
		accept("a ledger that names nobody", 0),
		refuse("one custodian who is named", changed(two.Body, length, 8)[:named+8], "one custodian is not two"),
		refuse("custodians who are not in order", join(two.Body[:named], two.Body[named+8:], two.Body[named:named+8]), "they rise"),
		refuse("custodians of whom one is named twice", join(two.Body[:named], two.Body[named+8:], two.Body[named+8:]), "they rise"),
		refuse("custodians who are cut off", changed(two.Body, length, 15)[:named+15], "each has eight bytes"),
		refuse("custodians with a byte after their end", join(two.Body, []byte{0}), "nothing may follow"),
	}
}
