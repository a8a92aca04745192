package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A said is what an event says. A repeat says the same: what is acknowledged
// under a key must be recorded with it.
type said struct {
	content        [32]byte // digest of all but what follows
	idempotencyKey string
	source         string
	sequence       uint64
	subjects       []string // those that the settings of then make of the data included
	class          uint16   // the stream's of then, unless the caller named one
}

func saidOf(p proofs.Part, sequence uint64, class uint16) (said, error) {
	s := said{idempotencyKey: p.IdempotencyKey, source: p.Source, sequence: sequence, subjects: p.Subjects, class: class}
	data := p.Data
	p.IdempotencyKey, p.Source, p.Subjects, p.Data = "", "", nil, nil
	head, err := proofs.FormatPartHead(p)
	if err != nil {
		return s, client.NewProblem(client.Invalid, err.Error(), "")
	}
	h := sha256.New()
	h.Write(head) // ends where it says, and all that follows is the data
	h.Write(data)
	s.content = [32]byte(h.Sum(nil))
	return s, nil
}

// repeats reports whether the event is the same as an earlier one.
func (a *admission) repeats(was said) bool {
	return a.agrees(was) && a.said.idempotencyKey == was.idempotencyKey && a.said.content == was.content
}

// agrees reports whether all is the same but the content and the idempotency
// key. The stream may have had another class then, and may have declared other
// fields, whose values name subjects, so only those that the caller names now
// count.
func (a *admission) agrees(was said) bool {
	missing := slices.ContainsFunc(a.named, func(s string) bool { return !slices.Contains(was.subjects, s) })
	return !missing && (a.class == 0 || a.class == was.class) && a.said.source == was.source && a.said.sequence == was.sequence
}

// repeat makes the admission the entry that is there already.
func (a *admission) repeat(index uint64, leaf []byte, d *proofs.Disclosure, same bool) {
	if !same {
		p := client.NewProblem(client.Conflict, fmt.Sprintf("entry %d has the same idempotency key or sequence number and is not the same event", index),
			"if this is another event give it a key of its own; if it was changed on the way, look at the entry")
		p.Index = index
		a.problem = p
		return
	}
	a.index, a.leafBytes, a.disclosure, a.duplicate = index, leaf, d, true
}

// repeat compares an event with the entry at an index. That the entry cannot
// be read refuses the event and stops nothing: nothing durable is in doubt.
//
// Of an entry that is erased only what is left can be compared. If that is the
// same the event is recognised, so that nothing is recorded twice, and the
// answer says that it could not be compared: it is no word on the content.
func (l *Ledger) repeat(ctx context.Context, a *admission, index uint64) error {
	leafBytes, disclosure, err := l.disclose(ctx, index)
	gone := errors.Is(err, errDestroyed)
	var leaf proofs.Leaf
	if err == nil || gone {
		leaf, err = proofs.ParseLeaf(leafBytes)
	}
	same := false
	if err == nil {
		same, err = l.compare(a, leaf, disclosure)
	}
	if a.uncompared = disclosure == nil || hidesPart(disclosure); same && a.uncompared {
		same, err = l.recordedUnder(ctx, a, leaf, index)
	}
	if err != nil {
		l.log.Error("an entry cannot be read to compare a repeat with it", "index", index, "error", err)
		a.problem = client.NewProblem(client.Internal, fmt.Sprintf("entry %d has the same idempotency key or sequence number and cannot be read", index), "an operator must audit the ledger")
		a.problem.Index = index
		return nil
	}
	if disclosure != nil {
		for i := range disclosure.Parts {
			disclosure.Parts[i].Data = nil
		}
	}
	a.repeat(index, leafBytes, disclosure, same)
	return nil
}

func hidesPart(d *proofs.Disclosure) bool {
	return slices.ContainsFunc(d.Parts, func(p proofs.DisclosedPart) bool { return !p.Shown() })
}

// compare reports whether an event is that of an entry, as far as it is shown;
// nil: nothing is left of its payload.
func (l *Ledger) compare(a *admission, leaf proofs.Leaf, d *proofs.Disclosure) (same bool, err error) {
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return false, fmt.Errorf("there is no bucket %d", leaf.Bucket)
	}
	if d == nil {
		now, was := a.leaf.Source, leaf.Source
		return (now == nil) == (was == nil) && (now == nil || now.Sequence == was.Sequence) && (a.class == 0 || a.class == b.Path.Class), nil
	}
	part, err := d.Payload()
	if err != nil {
		return false, err
	}
	was, err := saidBy(leaf, b, d, part)
	if err != nil || !hidesPart(d) {
		return a.repeats(was), err
	}
	sent, err := l.openRecord(a.leaf, a.record, ringKeys{}) // which nobody can have changed since it was admitted
	if err != nil {
		return false, err
	}
	now, err := sent.Payload()
	return a.agrees(was) && isLeftOf(part, now), err
}

// saidBy returns what the event of an entry said, whose payload was put
// together.
func saidBy(leaf proofs.Leaf, b *bucket, d *proofs.Disclosure, part proofs.Part) (said, error) {
	first, err := d.Parts[0].Part()
	if err != nil {
		return said{}, err
	}
	part.Subjects = first.Subjects // those whom all of it concerns
	sequence := uint64(0)
	if leaf.Source != nil {
		sequence = leaf.Source.Sequence
	}
	return saidOf(part, sequence, b.Path.Class)
}

// isLeftOf reports whether what is left of an event can be of this one: all is
// the same but for the values, given fields, key and signature that are not
// shown.
func isLeftOf(left, event proofs.Part) bool {
	fields := event.Fields
	for _, f := range left.Fields { // in their order
		i := slices.IndexFunc(fields, func(o proofs.GivenField) bool { return o.Name == f.Name && bytes.Equal(o.Value, f.Value) })
		if i < 0 {
			return false
		}
		fields = fields[i+1:]
	}
	return left.MediaType == event.MediaType && left.Appender == event.Appender &&
		(left.IdempotencyKey == "" || left.IdempotencyKey == event.IdempotencyKey) &&
		(len(left.Signature) == 0 || bytes.Equal(left.Signature, event.Signature)) && fillsGaps(left, event.Data)
}

// fillsGaps reports whether data is that of a part with a value in each gap.
func fillsGaps(p proofs.Part, data []byte) bool {
	at := 0
	for _, gap := range p.Gaps {
		rest, ok := bytes.CutPrefix(data, p.Data[at:gap])
		value := json.NewDecoder(bytes.NewReader(rest))
		var raw json.RawMessage
		if !ok || value.Decode(&raw) != nil || value.InputOffset() != int64(len(raw)) { // else there is space before it
			return false
		}
		at, data = int(gap)+len("null"), rest[value.InputOffset():]
	}
	return bytes.Equal(data, p.Data[at:])
}

// recordedUnder reports whether an entry was recorded under all keys of an
// event, as the deduplication index knows as long as the bucket is open. The
// keys themselves may be erased.
func (l *Ledger) recordedUnder(ctx context.Context, a *admission, leaf proofs.Leaf, index uint64) (bool, error) {
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return false, fmt.Errorf("there is no bucket %d", leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if errors.Is(err, errDestroyed) || index >= l.indexed.Load() {
		return true, nil // its rows are gone, or not there yet
	}
	if err != nil {
		return false, err
	}
	for _, d := range a.dedup {
		at, found, err := l.cfg.Index.Lookup(ctx, b.Number, keys.row(d))
		if err != nil || !found || at != index {
			return false, err
		}
	}
	return true, nil
}

// A dedupKey identifies an event to be recorded once: half of a SHA-256 of its scope and key. At
// rest it is encrypted under a key of the bucket (see bucketKeys.row).
type dedupKey [16]byte

// dedupKeys returns the keys under which an event is recorded once.
func dedupKeys(who string, ev *client.Event) []dedupKey {
	var keys []dedupKey
	if ev.IdempotencyKey != "" {
		keys = append(keys, scopedKey("idempotency key", who, []byte(ev.IdempotencyKey)))
	}
	if ev.Source != "" {
		sequence := binary.BigEndian.AppendUint64(append([]byte(ev.Source), 0), ev.Sequence)
		keys = append(keys, scopedKey("source", who, sequence))
	}
	return keys
}

func scopedKey(what, who string, key []byte) dedupKey {
	var b bytes.Buffer
	fmt.Fprintf(&b, "cairn/v1 %s\n%d\n%s\n", what, len(who), who)
	b.Write(key)
	sum := sha256.Sum256(b.Bytes())
	return dedupKey(sum[:16])
}
