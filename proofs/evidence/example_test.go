package evidence_test

import (
	"bytes"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A file is written once by whoever may read the entries, and judged by
// anybody with a policy.
func Example() {
	l := sample() // a ledger with three events
	last := l.checkpoints[1]

	var file bytes.Buffer
	w, err := evidence.NewWriter(&file, evidence.Header{
		Origin: origin, Selection: "what alice transferred", Policy: string(proofs.FormatPolicy(l.policy)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Checkpoint(evidence.Checkpoint{Note: string(last.note)})
	w.Context(l.asContext(samplePay))     // the settings of the stream
	w.Context(l.asContext(sampleBucket1)) // the keys of its fields, hashed
	w.Entry(l.entry(sampleEvent))
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	report, err := evidence.Verify(&file, evidence.Options{Policy: l.policy, Entry: func(e *evidence.EntryReport) error {
		fmt.Printf("entry %d of stream %s: %s\n", e.Index, e.Stream, e.Part.Data)
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("verifies:", report.OK())
	for _, sentence := range report.Proven() {
		fmt.Println("proven:", sentence)
	}
	for _, sentence := range report.NotProven() {
		fmt.Println("not proven:", sentence)
	}
	// Output:
	// entry 6 of stream payments: {"action":"transfer","user":"alice","amount":12}
	// verifies: true
	// proven: 1 entry is in the ledger ledger.example/audit, as it was when the log signed its checkpoint of 9 entries, which w cosigned.
	// proven: 1 payload is what was recorded, byte for byte.
	// proven: The tags of 1 event are those of the payload, by settings and keys that the ledger had committed to before; and in what parts, about whom, is as the settings demand.
	// proven: The quorum of witnesses had seen all of them by 2026-11-23 12:02:00 UTC.
	// not proven: That what the events say is true. They were recorded so; whoever recorded them may have been wrong, or lied.
	// not proven: That nothing else was recorded about the matter. Whoever made the file chose its entries.
	// not proven: That an event happened when its entry was made. The time of an entry is that of the ledger's clock, and witnesses attest only when they saw it.
	// not proven: That what concerns a person is sealed under the person's key, so that an erasure closes it: only the ledger has the keys.
}

// A file may show that nothing was left out: here that nobody but bob has logged in.
func ExampleWriter_Search() {
	l := sample()
	last := l.checkpoints[1]
	proof := l.search(asks(1, "login")).Proof // of the events with action=login, under that checkpoint

	var file bytes.Buffer
	w, err := evidence.NewWriter(&file, evidence.Header{Origin: origin, Policy: string(proofs.FormatPolicy(l.policy))})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Checkpoint(evidence.Checkpoint{Note: string(last.note)})
	w.Search(evidence.Search{Proof: proof})
	w.Context(l.asContext(samplePay))
	w.Context(l.asContext(sampleBucket1))
	w.Entry(l.entry(sampleEvent + 1))
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	report, err := evidence.Verify(&file, evidence.Options{Policy: l.policy, Entry: func(e *evidence.EntryReport) error {
		fmt.Printf("entry %d, found by search %d: %s\n", e.Index, e.Found, e.Part.Data)
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	search := report.Searches[0]
	fmt.Println(search.Asked())
	fmt.Printf("complete: %v; %d found, %d of them in the file\n", search.Verdict.Complete, len(search.Verdict.Hits), search.Included)
	// Output:
	// entry 7, found by search [1]: {"action":"login","user":"bob"}
	// action="login" in the stream payments
	// complete: true; 1 found, 1 of them in the file
}
