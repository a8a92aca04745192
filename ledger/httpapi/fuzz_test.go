package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
)

func FuzzSplitLines(f *testing.F) {
	f.Add([]byte("{}\n[]\r\n\n\n1"), 3)
	f.Add([]byte("\r\n\r\r\n"), 1)
	f.Fuzz(func(t *testing.T, body []byte, most int) {
		most = min(max(most, 0), 100)
		lines := splitLines(body, most)
		if len(lines) > most+1 {
			t.Fatalf("got %d lines, want at most %d", len(lines), most+1)
		}
		for _, line := range lines {
			if len(line) == 0 || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("%q is no line", line)
			}
		}
		if len(lines) > most {
			return
		}
		// A line that ends in a carriage return keeps it only behind another.
		again := splitLines(append(bytes.Join(lines, []byte("\r\n")), "\r\n"...), most)
		if len(again) != len(lines) || !bytes.Equal(bytes.Join(again, []byte("\n")), bytes.Join(lines, []byte("\n"))) {
			t.Fatalf("lines %q split again are %q", lines, again)
		}
	})
}

func FuzzSplitArray(f *testing.F) {
	f.Add([]byte(`[ {"a":1} ,[2], "x"]`))
	f.Add([]byte(`[1,]`))
	f.Add([]byte(`[1] 2`))
	f.Add([]byte("[\"\xff\"]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		const most = 20
		items, err := splitArray(body, most)
		var want []json.RawMessage
		wantErr := json.Unmarshal(body, &want)
		if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("null")) {
			return // which is no array, whatever the other parser says
		}
		if len(items) > most {
			return
		}
		if (err == nil) != (wantErr == nil) || err == nil && len(items) != len(want) {
			t.Fatalf("%q: got %d items and error %v, the other parser %d and %v", body, len(items), err, len(want), wantErr)
		}
		for i := range items {
			if err == nil && !bytes.Equal(items[i], want[i]) {
				t.Fatalf("%q: item %d is %q, the other parser has %q", body, i, items[i], want[i])
			}
		}
	})
}

func FuzzIdempotencyKey(f *testing.F) {
	f.Add(`"a \"b\" \\"`)
	f.Add(`plain`)
	f.Fuzz(func(t *testing.T, value string) {
		key, err := idempotencyKey(value)
		if err != nil || value == "" { // which whoever reads the header refuses before
			return
		}
		if key == "" {
			t.Fatalf("%q is taken as an empty key", value)
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if again, err := idempotencyKey(quoted); err != nil || again != key {
			t.Fatalf("key %q in quotes is %q and error %v", key, again, err)
		}
	})
}

func FuzzCloudEvent(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t"}`))
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","ID":"2"}`))
	f.Add([]byte(`{"specversion":"1.0","id":"","source":null,"type":["t","u"]}`))
	c, err := newCloudEvents()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		if c.check(event) != nil {
			return
		}
		var attributes map[string]any
		if err := json.Unmarshal(event, &attributes); err != nil {
			t.Fatalf("%q passes and is no JSON: %v", event, err)
		}
		for _, name := range requiredAttributes() {
			if attributes[name] == nil || attributes[name] == "" {
				t.Fatalf("%q passes without %s", event, name)
			}
		}
		if _, err := c.identity.Key(event); err != nil {
			t.Fatalf("%q passes and identifies nothing: %v", event, err)
		}
	})
}

// FuzzParseEvents looks for panics and unbounded results in all formats.
func FuzzParseEvents(f *testing.F) {
	packed, problem := client.AppendEvent(nil, &client.Event{Data: []byte("{}"), Source: "s", Sequence: 1})
	if problem != nil {
		f.Fatal(problem)
	}
	f.Add("application/x-ndjson", []byte("{}\n{}"), "a")
	f.Add("application/cloudevents-batch+json", []byte(`[{"id":"1"}]`), "a%2c,b")
	f.Add("application/json;charset=utf-8", []byte(`{}`), "")
	f.Add(client.EventsMediaType, packed, "")
	a := &API{batch: 10}
	var err error
	if a.cloud, err = newCloudEvents(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte, subject string) {
		s, err := a.parseEvents(contentType, body)
		if err != nil {
			return
		}
		if len(s.events) > a.batch || s.single && len(s.events) != 1 {
			t.Fatalf("got %d events, single %v", len(s.events), s.single)
		}
		h := http.Header{headerSubject: {subject}}
		if takesHeaders(contentType) && attributes(h, s) == nil {
			a.checkCloudEvents(s)
			s.identify(a.cloud.identity)
		}
		total := 0
		for i, ev := range s.events {
			total += len(ev.Data)
			refused := s.refused != nil && s.refused[i] != nil
			if takesHeaders(contentType) && !refused && ev.IdempotencyKey == "" && len(ev.Subjects) > 0 {
				t.Fatalf("event %d has neither key nor problem", i)
			}
		}
		if total > len(body) {
			t.Fatalf("%d bytes became %d", len(body), total)
		}
	})
}
