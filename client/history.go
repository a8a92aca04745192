package client

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A HistoryQuery selects acts: who read an entry, what an identity did.
// Fields that are set must all fit.
type HistoryQuery struct {
	Entry  *uint64 // that the act was about
	Stream string  // that the act was about
	Who    string  // did it
	What   string  // is one of the words of [proofs.Act]
	From   uint64  // the act's own index is at least this
	Before uint64  // and below this; zero: every act
	Limit  int     // at most so many acts; zero: 1,000, which is the most
}

// MaxHistory is how many acts one answer has at most.
const MaxHistory = 1000

// Normalize returns the query with its defaults, or the problem with it.
func (q HistoryQuery) Normalize() (HistoryQuery, error) {
	if q.Limit < 0 || q.Limit > MaxHistory {
		return q, NewProblem(BadRequest, "a history has at most "+strconv.Itoa(MaxHistory)+" acts", "go on from its next")
	}
	if q.Limit == 0 {
		q.Limit = MaxHistory
	}
	if q.Before == 0 {
		q.Before = 1 << 63
	}
	return q, nil
}

// Selects reports whether an act fits.
func (q HistoryQuery) Selects(r RecordedAct) bool {
	about := q.Entry == nil
	for _, run := range r.Act.Entries {
		about = about || run.First <= *q.Entry && *q.Entry <= run.Last
	}
	return about && (q.Stream == "" || q.Stream == r.Act.Stream) &&
		(q.Who == "" || q.Who == r.Act.Who) && (q.What == "" || q.What == r.Act.What)
}

// String returns the query as the parameters of a URL, in a fixed order.
func (q HistoryQuery) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			parts = append(parts, name+"="+url.QueryEscape(value))
		}
	}
	if q.Entry != nil {
		parts = append(parts, "entry="+strconv.FormatUint(*q.Entry, 10))
	}
	add("stream", q.Stream)
	add("who", q.Who)
	add("what", q.What)
	add("from", strconv.FormatUint(q.From, 10))
	add("before", strconv.FormatUint(q.Before, 10))
	add("limit", strconv.Itoa(q.Limit))
	return strings.Join(parts, "&")
}

// A History is a page of what was recorded of acts, the oldest first. It can have
// fewer acts than were asked for, or none, and yet not be the last.
type History struct {
	Acts []RecordedAct `json:"acts"`
	Next *uint64       `json:"next,omitempty"` // where the next page begins; nil: there is none
}

// A RecordedAct is an act and the entry that records it.
type RecordedAct struct {
	Index uint64     `json:"index"`
	Time  uint64     `json:"time"` // microseconds since 1970, as the leaf says
	Kind  string     `json:"kind"` // of the entry
	Act   proofs.Act `json:"act"`

	// Leaf and Disclosure show that the entry records the act: see [CheckAct].
	// The disclosure leaves out the data of the first part, which is the act's
	// one form; without its subject, where that is the second part.
	Leaf       []byte             `json:"leaf,omitempty"`
	Disclosure *proofs.Disclosure `json:"disclosure,omitempty"`
}

// History returns what was recorded of reads and administration. It needs the
// token of an auditor. Nothing of it is checked: see [Verifier.CheckAct].
func (h *HTTP) History(ctx context.Context, q HistoryQuery) (History, error) {
	query, err := url.ParseQuery(q.String())
	if err != nil {
		return History{}, fmt.Errorf("history: %w", err)
	}
	var out History
	err = h.json(ctx, get("/v1/history", query, jsonType, maxCall), &out)
	return out, err
}
