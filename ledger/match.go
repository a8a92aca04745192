package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// noField returns the problem that a stream has no field of a name.
func noField(stream, name string) error {
	return client.NewProblem(client.BadRequest, fmt.Sprintf("stream %q declares no field %q, and never has", stream, name), "")
}

// fieldNumbers returns the numbers that a field of that name has had.
func (l *Ledger) fieldNumbers(stream uint32, name string) (numbers []uint16) {
	s, ok := l.state.stream(stream)
	if !ok {
		return nil
	}
	for _, settings := range s.History {
		for _, f := range settings.Fields {
			if f.Name == name && !slices.Contains(numbers, f.Number) {
				numbers = append(numbers, f.Number)
			}
		}
	}
	return numbers
}

// wants decides which records of a bucket are wanted: nil is none. It gets the
// keys of the bucket, which are nil once they are destroyed.
type wants func(*bucket, *bucketKeys) func(storage.VaultRecord) (bool, error)

// scan returns the indices of those entries [start, end) of a stream whose
// records are wanted. It waits until all of them are in the vault. Where one of
// them is damaged the error is [storage.ErrCorrupt].
func (l *Ledger) scan(ctx context.Context, stream uint32, start, end uint64, wants wants) (indices []uint64, err error) {
	indices, unread, err := l.scanReadable(ctx, stream, start, end, wants)
	if err == nil && len(unread) > 0 {
		err = errUnread(unread[0])
	}
	return indices, err
}

// scanReadable is scan of what the medium has not lost; what it has comes apart.
// Both rise.
func (l *Ledger) scanReadable(ctx context.Context, stream uint32, start, end uint64, wants wants) (indices, unread []uint64, err error) {
	if err := l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Integrated >= end }); err != nil {
		return nil, nil, l.asProblem(err)
	}
	lost := func(index uint64) error {
		unread = append(unread, index)
		return nil
	}
	for _, b := range l.state.bucketsOf(stream) {
		keys, err := l.keys.bucket(b.Path)
		if err != nil && !errors.Is(err, errDestroyed) {
			return nil, nil, err
		}
		wanted := wants(b, keys)
		if wanted == nil {
			continue
		}
		look := func(r storage.VaultRecord) error {
			is, err := wanted(r)
			switch {
			case isDamage(err):
				return lost(r.Index)
			case err != nil:
				return fmt.Errorf("entry %d: %w", r.Index, err)
			case is:
				indices = append(indices, r.Index)
			}
			return nil
		}
		records := bucketRange{l: l, bucket: b.Number, start: start, end: end, leaves: risingLeaves{l: l}}
		if err := records.each(ctx, look, lost); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(indices)
	slices.Sort(unread)
	return indices, unread, nil
}

// heldBeyond returns the entries [from, size) of a stream whose bucket has
// expired, and which are kept because they are held.
func (l *Ledger) heldBeyond(ctx context.Context, stream uint32, from, size uint64) ([]proofs.Run, error) {
	indices, err := l.scan(ctx, stream, from, size, func(_ *bucket, keys *bucketKeys) func(storage.VaultRecord) (bool, error) {
		if keys != nil {
			return nil
		}
		return func(storage.VaultRecord) (bool, error) { return true, nil }
	})
	return proofs.RunsOf(indices), err
}

// matching returns the entries [from, size) of a stream that concern a subject
// and have all of the given values of declared fields, by their tags.
func (l *Ledger) matching(ctx context.Context, settings *streamSettings, c HoldConfig, from, size uint64) ([]proofs.Run, error) {
	m := matcher{l: l, stream: settings.Body.Stream}
	if c.Subject != "" {
		refs, err := l.keys.generations(m.stream, c.Subject)
		if err != nil {
			return nil, err
		}
		m.subject = &erasedSubject{stream: m.stream, refs: refs}
	}
	for name, value := range c.Fields {
		numbers := l.fieldNumbers(m.stream, name)
		if len(numbers) == 0 {
			return nil, noField(c.Stream, name)
		}
		m.fields = append(m.fields, wantedField{numbers, []byte(value)})
	}
	indices, err := l.scan(ctx, m.stream, from, size, func(_ *bucket, keys *bucketKeys) func(storage.VaultRecord) (bool, error) {
		if keys == nil {
			return nil // what is left of it is held already
		}
		wanted := m.wanted(keys)
		return func(r storage.VaultRecord) (bool, error) { return m.fits(r, keys, wanted) }
	})
	return proofs.RunsOf(indices), err
}

// A matcher finds entries by their tags.
type matcher struct {
	l       *Ledger
	stream  uint32
	subject *erasedSubject // nil: whoever it is about
	fields  []wantedField
}

type wantedField struct {
	numbers []uint16
	value   []byte
}

// wanted returns for each field the tags of a bucket that fit.
func (m *matcher) wanted(keys *bucketKeys) []map[proofs.Tag]bool {
	wanted := make([]map[proofs.Tag]bool, len(m.fields))
	for i, f := range m.fields {
		wanted[i] = make(map[proofs.Tag]bool)
		for _, n := range f.numbers {
			key := keys.field(n)
			wanted[i][proofs.MakeTag(n, &key, f.value)] = true
		}
	}
	return wanted
}

func (m *matcher) fits(r storage.VaultRecord, keys *bucketKeys, wanted []map[proofs.Tag]bool) (bool, error) {
	if m.subject != nil {
		if concerned, err := m.subject.concerns(r, keys); err != nil || !concerned {
			return false, err
		}
	}
	if len(wanted) == 0 {
		return true, nil
	}
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return false, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	found := make([]bool, len(wanted))
	for i, t := range record.Tags {
		if t.Sealed == nil {
			continue
		}
		tags, _, err := proofs.OpenTags(t.Sealed, i, record.ID, &keys.tags, m.l.keys.tagKeys(m.stream))
		if errors.Is(err, errDestroyed) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, tag := range tags {
			for j := range wanted {
				found[j] = found[j] || wanted[j][tag]
			}
		}
	}
	return !slices.Contains(found, false), nil
}
