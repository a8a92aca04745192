package query_test

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client/query"
)

func Example() {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	q, err := query.Parse(`(actor:alice OR actor:bob) -region:eu* "access denied" after:-24h`, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(q)
	fmt.Println(query.Match(q.Expr, &query.Document{
		Index:   7,
		Time:    uint64(now.UnixMicro()),
		Fields:  map[string][]string{"actor": {"alice"}, "region": {"us-east-1"}},
		Payload: []byte(`{"user":"alice","message":"Access denied: no such role"}`),
	}))
	// Output:
	// actor:(alice or bob) -region:eu* "access denied" after:2026-02-28T12:00:00Z
	// true
}

func ExampleParse_error() {
	_, err := query.Parse("actor:alice status=>500", time.Now())
	fmt.Println(err)
	// Output:
	// there is no =>
	//   actor:alice status=>500
	//                     ^^
	// hint: write status>=value
}

func ExampleCheckFields() {
	q, err := query.Parse("acter:alice", time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(query.CheckFields(q, []string{"action", "actor"}))
	// Output:
	// no field acter is declared
	//   acter:alice
	//   ^^^^^
	// hint: did you mean actor?
}

func ExampleWords() {
	for value, word := range query.Words([]byte(`{"user":"Alice","path":"C:\\Temp","pid":4711}`)) {
		fmt.Printf("%d:%s ", value, word)
	}
	// Output:
	// 0:alice 1:c 1:temp 2:4711
}

func ExampleCompare() {
	for _, v := range [][2]string{{"9", "10"}, {"10.0.0.9", "10.0.0.10"}, {"2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00"}, {"b", "a"}, {"5", "five"}} {
		fmt.Println(query.Compare(v[0], v[1]))
	}
	// Output:
	// -1 true
	// -1 true
	// 1 true
	// 1 true
	// 0 false
}
