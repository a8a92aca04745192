package proofs_test

import (
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// An event about two people is sealed in parts. When one of them is erased,
// the rest of it can still be read.
func ExampleExtractor_Split() {
	stream, err := proofs.NewExtractor([]proofs.Field{
		{Number: 1, Name: "user", Path: "$.user", Subject: true},
		{Number: 2, Name: "mail", Path: "$.mail", About: "user"},
		{Number: 3, Name: "approver", Path: "$.approvals[*].by", Subject: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	parts, err := stream.Split(proofs.Part{
		MediaType: "application/json", Appender: "payments",
		Data: []byte(`{"user":"alice","mail":["a@example.com"],"approvals":[{"by":"bob","limit":500}],"action":"transfer"}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range parts {
		fmt.Printf("%s for %q\n", p.Data, p.Subjects)
	}

	whole, err := proofs.JoinParts(parts)
	fmt.Printf("%s %v\n", whole.Data, err)

	// Alice is erased.
	rest, err := proofs.JoinParts([]proofs.Part{parts[0], parts[2]})
	fmt.Printf("%s %v, %d values are missing\n", rest.Data, err, len(rest.Gaps))
	// Output:
	// {"user":null,"mail":null,"approvals":[{"by":null,"limit":500}],"action":"transfer"} for []
	// "alice"["a@example.com"] for ["alice"]
	// "bob" for ["bob"]
	// {"user":"alice","mail":["a@example.com"],"approvals":[{"by":"bob","limit":500}],"action":"transfer"} <nil>
	// {"user":null,"mail":null,"approvals":[{"by":"bob","limit":500}],"action":"transfer"} <nil>, 2 values are missing
}
