package proofs_test

import (
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// Who reads an entry is recorded before it is handed out. What they typed may
// be of any length.
func ExampleAct() {
	act := proofs.Act{
		What: proofs.ActRead, Who: "carol", Role: "reader", From: "192.0.2.7", Because: "case 4711",
		Stream: "payments", Entries: []proofs.Run{{First: 812, Last: 812}}, Results: 1, Outcome: proofs.OutcomeDone,
	}
	b, err := proofs.FormatAct(act.Fit())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", b)
	// Output:
	// {"what":"read","who":"carol","role":"reader","from":"192.0.2.7","because":"case 4711","stream":"payments","entries":[{"first":812,"last":812}],"results":1,"outcome":"done"}
}

// An erasure that two custodians wanted: what an auditor sees of it without
// any key, before the keys are destroyed and after.
func ExampleErasureBody() {
	const asked, announced = 900, 905 // indices of entries
	request, err := proofs.FormatAdministration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 7}})
	if err != nil {
		log.Fatal(err)
	}
	approval, err := proofs.FormatAdministration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: asked, By: 9}})
	if err != nil {
		log.Fatal(err)
	}
	erased, err := proofs.FormatErasure(proofs.ErasureBody{Erased: &proofs.ErasedBody{
		Stream: 1, Request: asked, Part: 1, Parts: 1, Closes: []proofs.Run{{First: 812, Last: 812}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	done, err := proofs.FormatErasure(proofs.ErasureBody{Done: &proofs.KeysDestroyed{Announced: announced, Epoch: 3}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n%x\n%x\n%x\n", request, approval, erased, done)
	// Output:
	// 01080000000000000007
	// 0200000000000003840000000000000009
	// 0100000001000000000000038400000001000000010010000000000000032c000000000000032c
	// 02000000000000038900000000000000030000000000000000000000000000000000000000000000000000000000000000
}
