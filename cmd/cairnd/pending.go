package main

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

// mostPending is how many requests, and closings, a status shows.
const mostPending = 8

// printPending adds the rows of what is pending to a status.
func printPending(t command.Table, p ledger.Pending, now time.Time) {
	t.Row("custody", describeCustody(p.Custody))
	if n := len(p.Holds); n > 0 {
		t.Row("holds", fmt.Sprintf("%d, see: cairnd hold list", n))
	}
	for i, r := range p.Requests {
		if i == mostPending {
			t.Row("requests", fmt.Sprintf("%d more, see: cairnd request list", len(p.Requests)-i))
			break
		}
		t.Row("request", fmt.Sprintf("%d, %s: %s", r.Request, r.Kind, stateOf(ledger.RequestInfo{Approved: r.Approved, From: r.From}, now)))
	}
	for i, c := range p.Closings {
		if i == mostPending {
			t.Row("closings", fmt.Sprintf("%d more, see: cairnd retention status", len(p.Closings)-i))
			break
		}
		t.Row("closing", describeClosing(c))
	}
}
