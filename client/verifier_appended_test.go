package client_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// record answers an event as a ledger does that keeps its word.
func record(t *testing.T, e client.Event) client.Appended {
	t.Helper()
	id, bucket, opening := proofs.EntryID{1}, proofs.Key256{2}, proofs.Key256{3}
	part := proofs.Part{
		MediaType: e.MediaType, Appender: "writer", IdempotencyKey: e.IdempotencyKey, Source: e.Source,
		Subjects: append([]string{"declared"}, e.Subjects...), Fields: e.Fields, Signature: e.Signature, Data: e.Data,
	}
	if part.MediaType == "" {
		part.MediaType = "application/json"
	}
	whole, err := proofs.FormatPart(part)
	if err != nil {
		t.Fatal(err)
	}
	head, err := proofs.FormatPartHead(part)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := proofs.SealPart(whole, 0, id, &bucket, nil, &opening)
	if err != nil {
		t.Fatal(err)
	}
	r := proofs.Record{ID: id, Parts: []proofs.RecordPart{{Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, 0, whole)}}}
	key := proofs.FieldKey(&bucket, 1)
	tags := []proofs.Tag{proofs.MakeTag(1, &key, []byte("alice"))}
	sealedTags, err := proofs.SealTags(tags, 0, id, &bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Tags = []proofs.RecordTags{{Sealed: sealedTags, Hash: sha256.Sum256(sealedTags)}}
	seed := proofs.TagSeed(&bucket, id, nil)
	leaf := proofs.Leaf{
		Kind: proofs.Event, Stream: 1, Bucket: 1, C: r.Commitment(),
		T: proofs.TagsRoot([]proofs.Hash{proofs.TagCommitment(&seed, 0, tags[0])}),
	}
	if e.Source != "" {
		leaf.Source = &proofs.LeafSource{Number: 5, Sequence: e.Sequence}
	}
	b, err := proofs.FormatLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	return client.Appended{Index: 7, State: client.Witnessed, Leaf: b, Disclosure: &proofs.Disclosure{
		ID:    id[:],
		Parts: []proofs.DisclosedPart{{SealedHash: r.Parts[0].Hash, Binding: r.Parts[0].Binding, Opening: opening[:], Head: head}},
		Tags:  []proofs.DisclosedTags{{SealedHash: r.Tags[0].Hash, Seed: seed[:], Tags: proofs.AppendTags(nil, tags)}},
	}}
}

func sampleEvent() client.Event {
	return client.Event{
		Data: []byte(`{"actor":"alice"}`), IdempotencyKey: "k1", Source: "s1", Sequence: 9, Subjects: []string{"bob"},
		Fields: []proofs.GivenField{{Name: "f", Value: []byte("v")}}, Signature: []byte("sig"),
	}
}

func TestCheckAppendedAcceptsTheEventThatWasSent(t *testing.T) {
	spelled := record(t, client.Event{Data: []byte("x"), MediaType: "text/plain; charset=utf-8"})
	if err := client.CheckAppended(client.Event{Data: []byte("x"), MediaType: "Text/Plain;charset=utf-8"}, spelled); err != nil {
		t.Errorf("the media type in another spelling: %v", err)
	}
	for name, e := range map[string]client.Event{
		"with everything": sampleEvent(),
		"plain":           {Data: []byte("x"), MediaType: "text/plain"},
		"empty":           {MediaType: "text/plain"},
	} {
		a := record(t, e)
		if err := client.CheckAppended(e, a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if a.Disclosure.Parts[0].Data != nil {
			t.Errorf("%s: the answer was changed", name)
		}
	}
}

func TestCheckAppendedRefusesAnyOtherEvent(t *testing.T) {
	tests := []struct {
		name   string
		change func(*client.Event)
		want   string
	}{
		{"other bytes", func(e *client.Event) { e.Data = []byte(`{"actor":"mallory"}`) }, "not the one that was recorded"},
		{"one bit", func(e *client.Event) { e.Data[3] ^= 1 }, "not the one that was recorded"},
		{"a byte more", func(e *client.Event) { e.Data = append(e.Data, '\n') }, "not the one that was recorded"},
		{"another media type", func(e *client.Event) { e.MediaType = "text/plain" }, "media type"},
		{"another parameter", func(e *client.Event) { e.MediaType = "application/json; v=2" }, "media type"},
		{"no media type", func(e *client.Event) { e.MediaType = "json" }, "media type"},
		{"another key", func(e *client.Event) { e.IdempotencyKey = "k2" }, "idempotency key"},
		{"another source", func(e *client.Event) { e.Source = "s2" }, "source"},
		{"no key", func(e *client.Event) { e.IdempotencyKey = "" }, "idempotency key"},
		{"no source", func(e *client.Event) { e.Source, e.Sequence = "", 0 }, "source"},
		{"another sequence number", func(e *client.Event) { e.Sequence++ }, "source"},
		{"a subject more", func(e *client.Event) { e.Subjects = append(e.Subjects, "carol") }, "subject"},
		{"another subject", func(e *client.Event) { e.Subjects = []string{"carol"} }, "subject"},
		{"a field less", func(e *client.Event) { e.Fields = nil }, "given field"},
		{"another field value", func(e *client.Event) { e.Fields[0].Value = []byte("w") }, "given field"},
		{"another signature", func(e *client.Event) { e.Signature = nil }, "signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := record(t, sampleEvent())
			sent := sampleEvent()
			tt.change(&sent)
			for _, a.Duplicate = range []bool{false, true} {
				err := client.CheckAppended(sent, a)
				if !errors.Is(err, proofs.ErrNotVerified) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("a repeat: %v: got error %v, want ErrNotVerified about %q", a.Duplicate, err, tt.want)
				}
			}
		})
	}
}

func TestCheckAppendedRefusesAnswersThatHide(t *testing.T) {
	control, err := proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Access})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*client.Appended)
		want   error
	}{
		{"no disclosure", func(a *client.Appended) { a.Disclosure = nil }, proofs.ErrNotVerified},
		{"no leaf", func(a *client.Appended) { a.Leaf = nil }, proofs.ErrMalformed},
		{"another leaf", func(a *client.Appended) { a.Leaf[30] ^= 1 }, proofs.ErrNotVerified},
		{"a control entry", func(a *client.Appended) { a.Leaf = control }, proofs.ErrNotVerified},
		{"hidden tags", func(a *client.Appended) { a.Disclosure.Tags[0].Seed = nil }, proofs.ErrNotVerified},
		{"other tags", func(a *client.Appended) { a.Disclosure.Tags[0].Tags[5] ^= 1 }, proofs.ErrNotVerified},
		{"a hidden part", func(a *client.Appended) { a.Disclosure.Parts[0].Opening = nil }, proofs.ErrNotVerified},
		{"two parts", func(a *client.Appended) {
			a.Disclosure.Parts = append(a.Disclosure.Parts, a.Disclosure.Parts[0])
		}, proofs.ErrNotVerified},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := record(t, sampleEvent())
			tt.change(&a)
			if err := client.CheckAppended(sampleEvent(), a); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

// The server says whether an event is a repeat. It must not decide by that what
// of the event is looked for.
func TestCheckAppendedOfRepeats(t *testing.T) {
	a := record(t, sampleEvent())
	a.Duplicate = true
	if err := client.CheckAppended(sampleEvent(), a); err != nil {
		t.Errorf("the same again: %v", err)
	}
	stripped := sampleEvent()
	stripped.Source, stripped.Sequence, stripped.Signature, stripped.Subjects, stripped.Fields = "", 0, nil, nil, nil
	dropped := record(t, stripped)
	dropped.Duplicate = true
	if err := client.CheckAppended(sampleEvent(), dropped); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("source, signature, subjects and fields are not recorded: got error %v, want ErrNotVerified", err)
	}
	a.Disclosure = nil
	if err := client.CheckAppended(sampleEvent(), a); err == nil || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("without a disclosure: got error %v, want that it could not be checked", err)
	}
}

func TestVerifierChecksTheStateThatAnAnswerClaims(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	e := sampleEvent()
	a := record(t, e)
	l.grow(7, "true", 1000)
	l.leaves = append(l.leaves, a.Leaf)
	signed := l.grow(8, "true", 1001)
	note, err := l.key.SignPromise(proofs.PromiseText{Origin: logOrigin, State: "sequenced", Start: 7, End: 8, Root: proofs.LeafHash(a.Leaf)})
	if err != nil {
		t.Fatal(err)
	}
	promise := &proofs.Promise{Note: note}
	tests := []struct {
		name   string
		change func(*client.Appended)
		want   error // nil: it is right
	}{
		{"a receipt", func(a *client.Appended) { a.Receipt = l.receipt(7, signed) }, nil},
		{"the tree, where there is no receipt", func(*client.Appended) {}, nil},
		{"a receipt of another entry", func(a *client.Appended) { a.Receipt = l.receipt(6, signed) }, proofs.ErrNotVerified},
		{"another index", func(a *client.Appended) { a.Index = 6 }, proofs.ErrNotVerified},
		{"an index beyond", func(a *client.Appended) { a.Index = 8 }, client.ErrNotCovered},
		{"a promise", func(a *client.Appended) { a.State, a.Promise = client.Sequenced, promise }, nil},
		{"a promise of less", func(a *client.Appended) { a.State, a.Promise = client.Integrated, promise }, proofs.ErrNotVerified},
		{"a promise of another index", func(a *client.Appended) { a.State, a.Promise, a.Index = client.Sequenced, promise, 6 }, proofs.ErrNotVerified},
		{"no promise", func(a *client.Appended) { a.State = client.Sequenced }, proofs.ErrNotVerified},
		{"no promise of a repeat that is published by now", func(a *client.Appended) { a.State, a.Duplicate = client.Sequenced, true }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := a
			b.Leaf = slices.Clone(a.Leaf)
			tt.change(&b)
			if err := w.CheckAppended(ctx, e, b); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
	refusal := client.NewProblem(client.Conflict, "another content", "")
	if err := w.CheckAppended(ctx, e, client.Appended{Err: refusal}); !errors.Is(err, refusal) {
		t.Errorf("a refused event: got error %v, want the refusal", err)
	}
}
