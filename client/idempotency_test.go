package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func key(t *testing.T, fields, event string) string {
	t.Helper()
	k, err := client.ParseKeyFields(fields)
	if err != nil {
		t.Fatalf("fields %q: %v", fields, err)
	}
	got, err := k.Key([]byte(event))
	if err != nil {
		t.Fatalf("fields %q of %s: %v", fields, event, err)
	}
	return got
}

func TestKeyFieldsMakeOneKeyOfEachIdentity(t *testing.T) {
	tests := []struct {
		name                 string
		fields, event        string
		otherFields, another string
		same                 bool
	}{
		{"other members do not matter", "id", `{"id":"a"}`, "id", `{"x":[1],"id":"a"}`, true},
		{"spelling of a path does not matter", "user.id", `{"user":{"id":7}}`, "$['user'].id", `{"user":{"id":7}}`, true},
		{"order of the fields does not matter", "a,b", `{"a":1,"b":2}`, "b,a", `{"a":1,"b":2}`, true},
		{"a number is equal however it is written", "id", `{"id":1.0}`, "id", `{"id":1}`, true},
		{"an escape stands for its character", "id", `{"id":"\u0061"}`, "id", `{"id":"a"}`, true},
		{"values differ", "id", `{"id":"a"}`, "id", `{"id":"b"}`, false},
		{"values swapped between fields differ", "a,b", `{"a":1,"b":2}`, "a,b", `{"a":2,"b":1}`, false},
		{"values moved across the border differ", "a,b", `{"a":"x","b":"yz"}`, "a,b", `{"a":"xy","b":"z"}`, false},
		{"the same value of another field differs", "a", `{"a":1,"b":1}`, "b", `{"a":1,"b":1}`, false},
		{"a field more differs", "a", `{"a":1,"b":1}`, "a,b", `{"a":1,"b":1}`, false},
		{"large numbers are not rounded", "id", `{"id":9007199254740993}`, "id", `{"id":9007199254740992}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := key(t, tt.fields, tt.event), key(t, tt.otherFields, tt.another)
			if (a == b) != tt.same {
				t.Errorf("got keys %s and %s, want same: %v", a, b, tt.same)
			}
		})
	}
}

func TestKeyFieldsRefuseWhatIdentifiesNothing(t *testing.T) {
	tests := []struct{ name, fields, event, want string }{
		{"the value is absent", "id", `{"x":1}`, "no value at $.id"},
		{"one of two is absent", "a,b", `{"a":1}`, "no value at $.b"},
		{"the value is null", "id", `{"id":null}`, "null"},
		{"the value is an object", "id", `{"id":{"x":1}}`, "no value"},
		{"there are two values", "id", `{"id":[1,2]}`, "more than one value"},
		{"the event is not JSON", "id", `id=1`, "json"},
		{"a name is there twice", "id", `{"id":1,"id":2}`, "already has"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := client.ParseKeyFields(tt.fields)
			if err != nil {
				t.Fatal(err)
			}
			_, err = k.Key([]byte(tt.event))
			if !errors.Is(err, proofs.ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestParseKeyFieldsRefusesBadLists(t *testing.T) {
	for _, list := range []string{"", ",", "a,", "a,a", "a,$.a", "a[", "a b'"} {
		if k, err := client.ParseKeyFields(list); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("list %q: got %v and error %v, want ErrMalformed", list, k, err)
		}
	}
}

func TestParseKeyFieldsKeepsCommasInQuotes(t *testing.T) {
	k, err := client.ParseKeyFields(`$['a,b'],$['\\'],c`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := k.String(), `$.c,$['\\'],$['a,b']`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func ExampleKeyFields() {
	k, err := client.ParseKeyFields("Hostname,Channel,RecordNumber")
	if err != nil {
		panic(err)
	}
	key, err := k.Key([]byte(`{"Hostname":"ws1","Channel":"Security","RecordNumber":4711,"Message":"…"}`))
	fmt.Println(key, err)
	// Output: field:RpEpuYBZbsJ5Dn65k3ilHHiyMhNqPJe0a7iab_Ad8YQ <nil>
}

func FuzzParseKeyFields(f *testing.F) {
	f.Add("eventID", []byte(`{"eventID":"x"}`))
	f.Add("Hostname,Channel", []byte(`{"Hostname":"a","Channel":1}`))
	f.Add(`$['a,b'],c`, []byte(`{}`))
	f.Fuzz(func(t *testing.T, list string, event []byte) {
		k, err := client.ParseKeyFields(list)
		if err != nil {
			return
		}
		again, err := client.ParseKeyFields(k.String())
		if err != nil || again.String() != k.String() {
			t.Fatalf("list %q became %q, which became %v with error %v", list, k, again, err)
		}
		key, err := k.Key(event)
		other, errOther := again.Key(event)
		if key != other || (err == nil) != (errOther == nil) {
			t.Fatalf("list %q: got keys %q and %q of one event", list, key, other)
		}
	})
}

// TestIdempotencyVectors holds the keys to vectors that another program made.
func TestIdempotencyVectors(t *testing.T) {
	b, err := os.ReadFile("../testdata/vectors/idempotency.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Name, Fields, Event, Key, Verdict, Why string }
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("there are no vectors")
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			var got string
			k, err := client.ParseKeyFields(v.Fields)
			if err == nil {
				got, err = k.Key([]byte(v.Event))
			}
			if (err == nil) != (v.Verdict == "ok") || got != v.Key {
				t.Errorf("got key %q and error %v, want key %q and %s: %s", got, err, v.Key, v.Verdict, v.Why)
			}
		})
	}
}
