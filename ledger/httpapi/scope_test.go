package httpapi_test

import (
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// about returns what an entry is about, by its public leaf alone: the number
// of a stream, or 0 for the ledger itself.
func about(t *testing.T, leaf proofs.Leaf) uint32 {
	t.Helper()
	switch leaf.Kind {
	case proofs.Settings:
		body, err := proofs.ParseSettings(leaf.Control)
		if err != nil {
			t.Fatal(err)
		}
		if body.Stream != nil {
			return body.Stream.Stream
		}
	case proofs.BucketOpened:
		body, err := proofs.ParseBucket(leaf.Control)
		if err != nil {
			t.Fatal(err)
		}
		return body.Stream
	}
	return leaf.Stream
}

// published returns the leaves of all published entries.
func (s *served) published(t *testing.T) (leaves []proofs.Leaf) {
	t.Helper()
	b, _ := proofs.BundleIn(s.Ledger.Status().Sizes.Published, 0)
	data, err := s.Ledger.ReadFile(t.Context(), b.Path())
	if err != nil {
		t.Fatal(err)
	}
	entries, err := proofs.ParseBundle(data, b.Width)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		leaf, err := proofs.ParseLeaf(entry)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}

// appendTo appends an event to a stream and returns its leaf.
func (s *served) appendTo(t *testing.T, stream, data string) proofs.Leaf {
	t.Helper()
	got, err := s.Ledger.As(ledger.Caller{Name: "w"}).Append(t.Context(), stream, []client.Event{{Data: []byte(data)}}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	leaf, err := proofs.ParseLeaf(got[0].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// settingsIn returns the settings that an entry shows.
func settingsIn(t *testing.T, e *client.Entry, leaf proofs.Leaf) proofs.StreamSettings {
	t.Helper()
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		t.Fatal(err)
	}
	part, err := e.Disclosure.Parts[0].Part()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := proofs.CheckStreamSettings(part.Data, *body.Stream)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

// checkTags computes the tags of an event again, as its stream's settings say.
func checkTags(t *testing.T, e *client.Entry, data string, settings proofs.StreamSettings) {
	t.Helper()
	values, err := proofs.ExtractFields([]byte(data), settings.Fields)
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[uint16]proofs.Key256)
	for number, key := range e.FieldKeys {
		keys[number] = proofs.Key256(key)
	}
	if err := e.Disclosure.CheckFields(values, keys); err != nil || len(values) == 0 {
		t.Errorf("entry %d: %d values, %v", e.Index, len(values), err)
	}
}

// A reader of one stream reads what says how the tags of its entries are made,
// and nothing of another stream or of the ledger itself.
func TestReaderOfAStreamReadsItsSettingsAndBuckets(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const data = `{"n":7,"m":8}`
	mine := ledger.StreamConfig{Name: "mine", Fields: []ledger.FieldConfig{{Name: "n", Path: "n"}}}
	s.addStream(t, mine)
	s.addStream(t, ledger.StreamConfig{Name: "other"})
	if _, err := s.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddClass(t.Context(), ledger.ClassConfig{Name: "long"}); err != nil {
		t.Fatal(err)
	}
	s.appendTo(t, "other", data)
	s.appendTo(t, "mine", data)
	mine.Fields = append(mine.Fields, ledger.FieldConfig{Name: "m", Path: "m"})
	if _, _, err := s.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).SetStream(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	number := s.appendTo(t, "mine", data).Stream
	reader := s.with(t, s.issue(t, identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"mine"}}))
	writer := s.with(t, s.issue(t, identity.Grant{Name: "w", Role: identity.Writer, Streams: []string{"mine"}}))
	kinds := make(map[proofs.Kind]int)
	var settings proofs.StreamSettings
	var set uint64 // the entry that has them
	for i, leaf := range s.published(t) {
		index := uint64(i)
		_, err := writer.Entry(t.Context(), index)
		wantCode(t, err, client.Forbidden)
		e, err := reader.Entry(t.Context(), index)
		if about(t, leaf) != number {
			wantCode(t, err, client.Forbidden)
			continue
		}
		if err != nil {
			t.Fatalf("entry %d, %v: %v", index, leaf.Kind, err)
		}
		if err := e.Disclosure.Check(leaf); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
		switch kinds[leaf.Kind]++; leaf.Kind {
		case proofs.Settings:
			settings, set = settingsIn(t, e, leaf), index
		case proofs.Event:
			if e.Settings != set {
				t.Errorf("entry %d: got that entry %d has the settings, want %d", index, e.Settings, set)
			}
			checkTags(t, e, data, settings)
		}
	}
	if kinds[proofs.Settings] != 2 || kinds[proofs.BucketOpened] != 2 || kinds[proofs.Event] != 2 || len(settings.Fields) != 2 {
		t.Errorf("read %v, the last settings are %+v: want two of each kind and two fields", kinds, settings)
	}
}

// Whether a reader may read an entry is decided before it is opened: nobody
// learns from a refusal how it is with an entry of others.
func TestNothingIsOpenedForThoseWhoMayNotReadIt(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.addStream(t, ledger.StreamConfig{Name: "mine"})
	b := s.fill(t, 8, 16<<10)
	s.damageVault(t)
	owner := s.as(t, identity.Reader)
	reader := s.with(t, s.issue(t, identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"mine"}}))
	damaged := 0
	for index := range uint64(b.Width) {
		if _, err := owner.Entry(t.Context(), index); err == nil {
			continue
		}
		damaged++
		_, err := reader.Entry(t.Context(), index)
		wantCode(t, err, client.Forbidden)
	}
	if damaged == 0 {
		t.Error("every entry can be read: the test damaged none")
	}
}
