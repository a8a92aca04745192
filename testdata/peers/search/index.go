package main

import "github.com/cairnlog/cairn/ledger/search/searchtest"

// An Index is an empty index that is filled and then asked. It is used by one
// goroutine.
type Index interface {
	// Add indexes documents. The first ever added has the number 0, the next 1,
	// and so on. What was added is durable when Add returns.
	Add(documents []searchtest.Document) error

	// Settle does what the software's manual advises after many documents were
	// added and before many questions are asked.
	Settle() error

	// Query answers as [Query] says.
	Query(q Query) ([]uint64, error)

	// Size returns the bytes at rest, after Settle.
	Size() (int64, error)

	// Close stops whatever Open started.
	Close() error
}

// A Served index answers from another process.
type Served interface {
	Index
	Server() int // the id of its process, which may have children
}

// A Peer is software that indexes.
type Peer struct {
	Name string
	What string // version and set-up, for people

	// Ready says what this machine lacks for the peer. nil: it needs nothing.
	Ready func() error

	// Open makes an empty index in an empty directory.
	Open func(dir string, declared []searchtest.Declaration) (Index, error)
}

// peers returns all peers, in the order of the table.
func peers() []Peer {
	return []Peer{cairnPeer(), sqlitePeer(), blevePeer(), postgresPeer()}
}

// A Kind is a kind of question.
type Kind string

// The kinds of questions.
const (
	Newest    Kind = "two fields, newest 50"
	Words     Kind = "word and word, newest 50"
	Prefix    Kind = "prefix, newest 50"
	Count     Kind = "count of two fields"
	Facet     Kind = "top 10 of a field where another is given"
	Histogram Kind = "60 bins of time where a field is given"
)

// kinds returns all kinds in the order of the table.
func kinds() []Kind { return []Kind{Newest, Words, Prefix, Count, Facet, Histogram} }

const (
	newest = 50 // documents at most in an answer of documents
	top    = 10 // values at most in an answer of [Facet]
	bins   = 60 // numbers in an answer of [Histogram]
)

// A Query asks about the documents that have all fields of Where, all of Words,
// and a word that begins with Prefix where that is not empty.
type Query struct {
	Kind   Kind
	Where  []searchtest.Field
	Words  []string
	Prefix string
	Facet  string // a field; for that kind only
	Span   Span   // for [Histogram] only

	// The answers are, by kind: the numbers of the last 50 documents, the last
	// first; their count; the counts of the field's 10 most frequent values, the
	// largest first; the counts of the documents in the 60 bins.
}

// A Span is the time of all documents in bins.
type Span struct {
	Start uint64 // µs since 1970, of the first bin
	Width uint64 // µs, of each bin
}
