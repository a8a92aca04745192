package httpapi

import (
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// cloudEvents knows what every CloudEvent has (CloudEvents 1.0.2, Context
// Attributes). Source and ID together identify an event there, so they make its
// idempotency key if nothing else does.
type cloudEvents struct {
	required *proofs.Extractor
	identity *client.KeyFields
}

// requiredAttributes are in the order of their field numbers.
func requiredAttributes() []string { return []string{"specversion", "id", "source", "type"} }

func newCloudEvents() (*cloudEvents, error) {
	var fields []proofs.Field
	for i, name := range requiredAttributes() {
		// Declared as a subject, a null shows: it names nobody.
		fields = append(fields, proofs.Field{Number: uint16(i + 1), Name: fmt.Sprintf("f%d", i), Path: "$." + name, Subject: true})
	}
	c := &cloudEvents{}
	var err error
	if c.required, err = proofs.NewExtractor(fields); err != nil {
		return nil, err
	}
	c.identity, err = client.ParseKeyFields("source,id")
	return c, err
}

// check says what is wrong with an event in structured mode.
func (c *cloudEvents) check(event []byte) error {
	invalid := func(format string, args ...any) error {
		return client.NewProblem(client.Invalid, fmt.Sprintf(format, args...), "see the required attributes of CloudEvents 1.0")
	}
	values, err := c.required.Extract(event)
	if err != nil {
		return invalid("%v", err)
	}
	for i, name := range requiredAttributes() {
		if len(values) == 0 || int(values[0].Number) != i+1 || !values[0].Subject || len(values[0].Value) == 0 {
			return invalid("the event has no attribute %s", name)
		}
		if name == "specversion" && string(values[0].Value) != "1.0" {
			return invalid("CloudEvents of version %.20q are not taken", values[0].Value)
		}
		values = values[1:]
	}
	if len(values) > 0 {
		return invalid("an attribute has several values")
	}
	return nil
}

// checkCloudEvents refuses those events of a submission that are none.
func (a *API) checkCloudEvents(s *submission) {
	for i := range s.events {
		if err := a.cloud.check(s.events[i].Data); err != nil {
			s.refuse(i, err)
		}
	}
}
