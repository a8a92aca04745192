package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// find has the ledger find the events that are chosen by what is sealed.
func (m *evidenceMaker) find(ctx context.Context) error {
	q := client.FindQuery{Stream: m.choice.stream, Subject: m.choice.subject, Fields: m.choice.where}
	m.found = []proofs.Run{}
	for {
		f, err := m.log.Find(ctx, q)
		if err != nil {
			return err
		}
		m.found, m.unsearched, m.disabled = append(m.found, f.Entries...), f.Held, f.Disabled
		if f.Next == 0 {
			break
		}
		if f.Next <= q.From {
			return fmt.Errorf("the ledger's search does not go on behind entry %d", q.From)
		}
		q.From = f.Next
	}
	if len(m.found) == 0 {
		m.sayUnsearched()
		return fmt.Errorf("%w: there are no %v", errNo, m.choice)
	}
	return nil
}

// selection says in words what the file has.
func (m *evidenceMaker) selection() string {
	words := m.searches.selection()
	if !m.choice.isNone() {
		said := m.choice.String()
		if m.choice.looks() {
			said += ", found by the ledger"
		}
		words = append([]string{said}, words...)
	}
	return shortened(command.Escape(strings.Join(words, "; and ")), evidence.MaxSelection)
}

// sayUnsearched tells of entries that could not be found by their fields.
func (m *evidenceMaker) sayUnsearched() {
	for _, index := range m.disabled {
		m.p.Say("what the erasure of entry %d will close is not among them: it is disabled", index)
	}
	if len(m.unsearched) == 0 {
		return
	}
	var words []string
	for _, r := range m.unsearched[:min(len(m.unsearched), maxRunsTold)] {
		words = append(words, formatRun(r))
	}
	m.p.Say("nobody looked at %s of the stream that a hold keeps beyond its class", numberOfEntries(proofs.CountEntries(m.unsearched)))
	m.p.Hint("what they were found by is gone with the class's keys; they can be chosen by their indices: %s", strings.Join(words, " "))
}
