package ledger

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// apply takes over what one control entry says. Payload is that of a settings
// entry. It may be called again with the same entry.
func (st *state) apply(index uint64, leaf proofs.Leaf, payload []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch leaf.Kind {
	case proofs.Settings:
		return st.applySettings(index, leaf, payload)
	case proofs.BucketOpened:
		body, err := proofs.ParseBucket(leaf.Control)
		if err != nil {
			return err
		}
		st.applyBucket(index, body)
	}
	return nil
}

func (st *state) applyBucket(index uint64, body proofs.BucketBody) {
	// Replaced, not changed: readers hold on to what they were given.
	opened := &bucket{Number: body.Bucket, Path: bucketPath{Stream: body.Stream, Class: body.Class, Period: body.Period}}
	if b := st.buckets[body.Bucket]; b != nil {
		opened.Fields, opened.Opened = slices.Clone(b.Fields), slices.Clone(b.Opened)
	}
	for _, k := range body.Keys {
		if !slices.Contains(opened.Fields, k.Field) {
			opened.Fields, opened.Opened = append(opened.Fields, k.Field), append(opened.Opened, index)
		}
	}
	st.addBucket(opened)
}

func (st *state) addBucket(b *bucket) {
	st.buckets[b.Number], st.paths[b.Path] = b, b
	others := slices.DeleteFunc(slices.Clone(st.ofStream[b.Path.Stream]), func(o *bucket) bool { return o.Number == b.Number })
	at, _ := slices.BinarySearchFunc(others, b, func(x, y *bucket) int { return int(y.Number) - int(x.Number) })
	st.ofStream[b.Path.Stream] = slices.Insert(others, at, b)
}

func (st *state) applySettings(index uint64, leaf proofs.Leaf, payload []byte) error {
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return err
	}
	if body.Custodians != nil {
		names, err := proofs.ParseCustodiansSettings(payload)
		st.custodians = names.Names
		return err
	}
	if body.Ledger != nil {
		return nil // package retain knows what it says
	}
	if body.Class != nil {
		name, err := proofs.ParseClassSettings(payload)
		if err != nil {
			return err
		}
		st.classes[body.Class.Class] = &class{Body: *body.Class, Name: name.Name}
		return nil
	}
	if body.Stream == nil {
		return nil // the ledger's own: nothing in the state follows them yet
	}
	names, err := proofs.CheckStreamSettings(payload, *body.Stream)
	if err != nil {
		return err
	}
	next := streamSettings{Since: index, Body: *body.Stream, Name: names.Name, Fields: names.Fields}
	if err := next.compile(); err != nil {
		return err
	}
	old := st.streams[body.Stream.Stream]
	if old != nil && old.now().Since >= index {
		return nil
	}
	s := &stream{Number: body.Stream.Stream}
	if old != nil {
		s.History = append(s.History, old.History...)
	}
	s.History = append(s.History, next)
	st.addStream(s)
	return nil
}

func (st *state) addStream(s *stream) {
	if old := st.streams[s.Number]; old != nil {
		delete(st.names, old.now().Name)
	}
	st.streams[s.Number], st.names[s.now().Name] = s, s
}
