package search_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// realistic returns the first n events as Match sees them.
func realistic(t *testing.T, documents iter.Seq2[searchtest.Document, error], n int) (events []query.Document) {
	t.Helper()
	for d, err := range documents {
		must(t, err)
		if len(events) == n {
			break
		}
		e := query.Document{Index: uint64(len(events)), Time: d.Time, Fields: map[string][]string{}, Payload: d.JSON}
		for _, f := range d.Fields {
			e.Fields[f.Name] = append(e.Fields[f.Name], f.Value)
		}
		events = append(events, e)
	}
	return events
}

// judgeRealistic asks an index of events what people ask, and compares with
// Match.
func judgeRealistic(t *testing.T, events []query.Document, declared []searchtest.Declaration, queries ...string) {
	t.Helper()
	ctx := context.Background()
	k := &keyring{}
	x := open(t, search.Config{FS: memfs.New(nil), Key: k.key, Rand: k})
	number := func(name string) uint16 {
		return uint16(slices.IndexFunc(declared, func(d searchtest.Declaration) bool { return d.Name == name }) + 1)
	}
	var docs []search.Document
	for _, e := range events {
		d := search.Document{Index: e.Index, Time: e.Time, Bucket: 1}
		for name, values := range e.Fields {
			for _, v := range values {
				d.Fields = append(d.Fields, search.Value{Number: number(name), Value: []byte(v)})
			}
		}
		for _, w := range query.Words(e.Payload) {
			d.Words = append(d.Words, string(w))
		}
		docs = append(docs, d)
	}
	must(t, x.Add(ctx, uint64(len(events)), docs))
	for _, text := range queries {
		q, err := query.Parse(text, time.Unix(0, 0))
		must(t, err)
		r := search.Request{
			Expr: q.Expr, Buckets: []uint32{1},
			Fields: func(_ uint32, f query.Field) ([]uint16, bool) { return []uint16{number(f.Name)}, f.Path == "" },
			Check: func(_ context.Context, index uint64) (bool, error) {
				return query.Match(q.Expr, &events[index]), nil
			},
		}
		var want []uint64
		for i := range events {
			if query.Match(q.Expr, &events[i]) {
				want = append(want, uint64(i))
			}
		}
		a, err := x.Find(ctx, r, search.Page{Limit: len(events), Oldest: true})
		must(t, err)
		if !slices.Equal(a.Hits, want) {
			t.Errorf("%s: %d hits, want %d", text, len(a.Hits), len(want))
		}
		if len(want) == 0 {
			t.Errorf("%s: no event fits, so this tells nothing", text)
		}
	}
}

func TestQuestionsToSyntheticEvents(t *testing.T) {
	t.Parallel()
	events := realistic(t, func(yield func(searchtest.Document, error) bool) {
		for d := range searchtest.Documents(3, 6001) {
			if !yield(d, nil) {
				return
			}
		}
	}, 6000)
	first := events[1000].Fields
	judgeRealistic(t, events, searchtest.Declared(),
		"outcome:denied",
		"action:document.read -outcome:success",
		"actor:"+first["actor"][0]+" status<500",
		"status>=400 duration_ms>100",
		"duration_ms<=12.5 or duration_ms>900",
		"address:"+first["address"][0]+" region:*",
		"address:"+first["address"][0]+"/12",
		"request_id:"+first["request_id"][0],
		"request_id:a*",
		"session:"+first["session"][0],
		"user_agent:m* not service:s*",
		"document read",
		`"`+first["action"][0]+`"`,
		"index:4000..4200 outcome:success",
		"after:2026-01-01T00:30Z before:2026-01-01T00:40Z",
		`$.status:200 action:document.read or action:account.read`,
	)
}

func TestQuestionsToWindowsEvents(t *testing.T) {
	t.Parallel()
	events := realistic(t, searchtest.Windows("../../testdata/events/windows-persistence.zip"), 2000)
	judgeRealistic(t, events, searchtest.DeclaredWindows(),
		"registry", "run*", "currentversion run", `"registry value set"`, "-registry", "event_id:13 target_object:HK*", "event_id>=12 event_id<14 image:*", "source_address:0.0.0.0/8 or account:*")
}
