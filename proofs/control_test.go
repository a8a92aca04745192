package proofs_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

type controlVector struct {
	formatVerdict
	Format string          `json:"format"`
	Body   hexBytes        `json:"body"`
	Fields json.RawMessage `json:"fields"`
}

func TestControlVectors(t *testing.T) {
	for _, v := range readFormatVectors[controlVector](t, "control") {
		t.Run(v.Name, func(t *testing.T) {
			got, again, err := reformatControl(v.Format, v.Body)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if !bytes.Equal(again, v.Body) {
				t.Errorf("format: got %x, want %x", again, v.Body)
			}
			if got, want := fieldsOf(t, got), decoded(t, v.Fields); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// reformatControl parses a body and formats it again.
func reformatControl(format string, b []byte) (body any, again []byte, err error) {
	switch format {
	case "created":
		c, err := proofs.ParseCreated(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatCreated(c)
		return c, again, err
	case "settings":
		s, err := proofs.ParseSettings(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatSettings(s)
		return s, again, err
	case "bucket":
		o, err := proofs.ParseBucket(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = proofs.FormatBucket(o)
		return o, again, err
	}
	return reformatRetention(format, b)
}

// fieldsOf returns what a vector says of a body, as JSON does.
func fieldsOf(t *testing.T, body any) (fields any) {
	t.Helper()
	type object = map[string]any
	switch body := body.(type) {
	case proofs.CreatedBody:
		fields = object{"origin": body.Origin, "keys": body.Keys, "policy_hash": hex.EncodeToString(body.PolicyHash[:])}
	case proofs.SettingsBody:
		fields = settingsFields(body)
	case proofs.BucketBody:
		list := []object{}
		for _, k := range body.Keys {
			list = append(list, object{"field": k.Field, "hash": hex.EncodeToString(k.Hash[:])})
		}
		fields = object{"bucket": body.Bucket, "stream": body.Stream, "class": body.Class, "period": body.Period, "keys": list}
	default:
		fields = retentionFields(body)
	}
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, b)
}

func settingsFields(s proofs.SettingsBody) map[string]any {
	type object = map[string]any
	switch {
	case s.Class != nil:
		return object{"request": s.Request, "class": s.Class.Class, "days": s.Class.Days, "period": s.Class.Period.String()}
	case s.Ledger != nil:
		return object{"request": s.Request, "custodians": s.Ledger.Custodians, "grace": s.Ledger.Grace}
	case s.Pruning != nil:
		return object{"request": s.Request, "days": s.Pruning.Days}
	case s.Custodians != nil:
		return object{"request": s.Request, "named": append([]uint64{}, s.Custodians.Named...)}
	case s.Minimum != nil:
		return minimumFields(s.Request, *s.Minimum)
	}
	list := []object{}
	for _, f := range s.Stream.Fields {
		list = append(list, object{"number": f.Number, "subject": f.Subject})
	}
	return object{"request": s.Request, "stream": s.Stream.Stream, "class": s.Stream.Class,
		"closed": s.Stream.Closed, "reason": s.Stream.Reason, "split": s.Stream.Split, "fields": list}
}

func decoded(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFormatControlRefusesWhatDoesNotParse(t *testing.T) {
	hashes := make([]proofs.FieldKeyBody, proofs.MaxControl/34)
	fields := make([]proofs.FieldBody, proofs.MaxControl/3)
	for i := range hashes {
		hashes[i].Field = uint16(i + 1)
	}
	for i := range fields {
		fields[i].Number = uint16(i + 1)
	}
	created := func(c proofs.CreatedBody) error { _, err := proofs.FormatCreated(c); return err }
	settings := func(s proofs.SettingsBody) error { _, err := proofs.FormatSettings(s); return err }
	stream := func(s proofs.StreamBody) error { return settings(proofs.SettingsBody{Stream: &s}) }
	bucket := func(o proofs.BucketBody) error { _, err := proofs.FormatBucket(o); return err }
	for _, test := range []struct {
		name string
		err  error
	}{
		{"a ledger without an origin", created(proofs.CreatedBody{Keys: "k"})},
		{"a ledger whose origin has 256 bytes", created(proofs.CreatedBody{Origin: strings.Repeat("o", 256), Keys: "k"})},
		{"a ledger without keys", created(proofs.CreatedBody{Origin: "o"})},
		{"a ledger with more keys than fit a leaf", created(proofs.CreatedBody{Origin: "o", Keys: strings.Repeat("k", 64923)})},
		{"settings of nothing", settings(proofs.SettingsBody{})},
		{"settings of both a class and a stream", settings(proofs.SettingsBody{Class: &proofs.ClassBody{Period: proofs.Day}, Stream: &proofs.StreamBody{Stream: 1}})},
		{"settings of both a stream and the ledger", settings(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1}, Ledger: &proofs.LedgerBody{Custodians: 1}})},
		{"a ledger that takes no custodian", settings(proofs.SettingsBody{Ledger: &proofs.LedgerBody{}})},
		{"a class without a period", settings(proofs.SettingsBody{Class: &proofs.ClassBody{}})},
		{"a stream of number 0", stream(proofs.StreamBody{})},
		{"a stream with a field of number 0", stream(proofs.StreamBody{Stream: 1, Fields: make([]proofs.FieldBody, 1)})},
		{"a stream with more fields than fit a leaf", stream(proofs.StreamBody{Stream: 1, Fields: fields})},
		{"a bucket of number 0", bucket(proofs.BucketBody{})},
		{"a bucket with a field key of number 0", bucket(proofs.BucketBody{Bucket: 1, Keys: make([]proofs.FieldKeyBody, 1)})},
		{"a bucket with more field keys than fit a leaf", bucket(proofs.BucketBody{Bucket: 1, Keys: hashes})},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !errors.Is(test.err, proofs.ErrMalformed) {
				t.Errorf("got error %v, want %v", test.err, proofs.ErrMalformed)
			}
		})
	}
}

func TestTheLargestControlBodiesFitALeaf(t *testing.T) {
	created := proofs.CreatedBody{Origin: strings.Repeat("o", proofs.MaxOrigin), Keys: strings.Repeat("k", 64922)}
	stream := proofs.StreamBody{Stream: 1}
	for n := range 65370 / 3 {
		stream.Fields = append(stream.Fields, proofs.FieldBody{Number: uint16(n + 1), Subject: n%2 == 0})
	}
	bucket := proofs.BucketBody{Bucket: 1}
	for n := range 65370 / 34 {
		bucket.Keys = append(bucket.Keys, proofs.FieldKeyBody{Field: uint16(n + 1)})
	}
	for _, test := range []struct {
		name   string
		format func() ([]byte, error)
	}{
		{"a ledger with the longest origin and the most keys", func() ([]byte, error) { return proofs.FormatCreated(created) }},
		{"a stream with the most fields", func() ([]byte, error) { return proofs.FormatSettings(proofs.SettingsBody{Stream: &stream}) }},
		{"a bucket with the most field keys", func() ([]byte, error) { return proofs.FormatBucket(bucket) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := test.format()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Settings, Control: b}); err != nil {
				t.Errorf("a body of %d bytes: %v", len(b), err)
			}
		})
	}
}

func TestPeriodsAreNumberedFrom1970InUTC(t *testing.T) {
	east := time.FixedZone("east", 14*60*60)
	for _, test := range []struct {
		name string
		p    proofs.Period
		t    time.Time
		want uint32
	}{
		{"the first day is 0", proofs.Day, time.Unix(0, 0), 0},
		{"a day's last instant is in it", proofs.Day, time.Date(1970, 1, 2, 23, 59, 59, 999999999, time.UTC), 1},
		{"a day begins at midnight in UTC wherever one is", proofs.Day, time.Date(1970, 1, 3, 13, 59, 59, 0, east), 1},
		{"a day of 2026", proofs.Day, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), 20780},
		{"the first month is 0", proofs.Month, time.Unix(0, 0), 0},
		{"a year has twelve months", proofs.Month, time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC), 12},
		{"a month begins at midnight in UTC wherever one is", proofs.Month, time.Date(1970, 3, 1, 13, 0, 0, 0, east), 1},
		{"a month of 2026", proofs.Month, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), 56*12 + 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.p.Number(test.t); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
	if got := proofs.Period(9).String(); got != "period-9" {
		t.Errorf("got %s, want period-9", got)
	}
}

func FuzzCreated(f *testing.F)  { fuzzControl(f, "created") }
func FuzzSettings(f *testing.F) { fuzzControl(f, "settings") }
func FuzzBucket(f *testing.F)   { fuzzControl(f, "bucket") }

func fuzzControl(f *testing.F, format string) {
	for _, v := range readFormatVectors[controlVector](f, "control") {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		body, again, err := reformatControl(format, b)
		if body == nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
