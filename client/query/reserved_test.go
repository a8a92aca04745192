package query_test

import (
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
)

// TestReservedNamesAreThoseThatNoFieldIsSearchedBy: of every other name a query
// finds the field.
func TestReservedNamesAreThoseThatNoFieldIsSearchedBy(t *testing.T) {
	for _, name := range []string{
		"after", "before", "index", "stream", "source", "time", "kind", "bucket", "sequence",
		"actor", "After", "Time", "at", "word", "field", "limit", "android", "notes", "index2", "eventid",
	} {
		q, err := query.Parse(name+":5", time.Unix(0, 0))
		searched := err == nil && query.CheckFields(q, nil) != nil // it asks for a field
		if searched == query.Reserved(name) {
			t.Errorf("%s: reserved %v, and a query for it gives %v", name, query.Reserved(name), err)
		}
	}
	for _, operator := range []string{"and", "or", "not", "AND", "Or", "nOT"} {
		if !query.Reserved(operator) {
			t.Errorf("the operator %s is not reserved", operator)
		}
	}
}
