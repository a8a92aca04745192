package evidence

import (
	"fmt"
	"sort"

	"github.com/cairnlog/cairn/proofs"
)

// Facts are what the verified entries of the context say.
type facts struct {
	streams  map[uint32][]streamSettings   // by stream, rising
	classes  map[uint64]proofs.ClassBody   // by the entry that set it
	buckets  map[uint32]*bucket            // by number
	closings map[uint64]announcement       // by the entry that announced it
	holds    map[uint64]proofs.HoldBody    // by entry
	done     map[uint64]uint64             // by announcement: the entry that says that the keys are destroyed
	requests map[uint64]proofs.RequestBody // by entry
	answers  map[uint64][]answer           // by request, rising
}

// A streamSettings is how a stream was set by an entry.
type streamSettings struct {
	index     uint64
	name      string
	fields    []proofs.Field
	split     bool              // its events are sealed in parts
	extractor *proofs.Extractor // nil: the file does not show the settings
}

// A bucket is what the log said when it opened, and of its field keys since.
type bucket struct {
	stream uint32
	class  uint16
	period uint32
	opened []uint64 // the entries that opened it, or added keys
	keys   map[uint16]committedKey
}

// A committedKey is the hash of a field key, and the entry that has it.
type committedKey struct {
	hash  proofs.Hash
	index uint64
}

// An announcement is that of an expiry, an erasure or a release: one is set.
type announcement struct {
	expired  *proofs.ExpiredBody
	erased   *proofs.ErasedBody
	released *proofs.ReleasedBody
}

// An answer is an approval or a withdrawal of a request.
type answer struct {
	index    uint64
	by       uint64
	withdraw bool
}

func newFacts() *facts {
	return &facts{
		streams: make(map[uint32][]streamSettings), classes: make(map[uint64]proofs.ClassBody), buckets: make(map[uint32]*bucket),
		closings: make(map[uint64]announcement), holds: make(map[uint64]proofs.HoldBody), done: make(map[uint64]uint64),
		requests: make(map[uint64]proofs.RequestBody), answers: make(map[uint64][]answer),
	}
}

// take takes what an entry says that is in the log. Entries come by rising
// index.
func (f *facts) take(e *Entry, leaf proofs.Leaf) error {
	switch leaf.Kind {
	case proofs.Settings:
		return f.takeSettings(e, leaf)
	case proofs.BucketOpened:
		return f.takeBucket(e.Index, leaf.Control)
	case proofs.Hold:
		body, err := proofs.ParseHold(leaf.Control)
		if err == nil {
			f.holds[e.Index] = body
		}
		return err
	case proofs.Administration:
		return f.takeAdministration(e.Index, leaf.Control)
	}
	return f.takeClosing(e.Index, leaf)
}

func (f *facts) takeSettings(e *Entry, leaf proofs.Leaf) error {
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return err
	}
	if body.Class != nil {
		f.classes[e.Index] = *body.Class
	}
	if body.Stream == nil {
		return nil
	}
	set := streamSettings{index: e.Index, split: body.Stream.Split}
	if e.complete() {
		part, err := e.Disclosure.Payload()
		if err != nil {
			return err
		}
		names, err := proofs.CheckStreamSettings(part.Data, *body.Stream)
		if err != nil {
			return err
		}
		set.name, set.fields = names.Name, names.Fields
		if set.extractor, err = proofs.NewExtractor(names.Fields); err != nil {
			return err
		}
	}
	f.streams[body.Stream.Stream] = append(f.streams[body.Stream.Stream], set)
	return nil
}

// settingsAt returns the settings that hold for an entry of a stream, among
// those that the file has; nil: there are none.
func (f *facts) settingsAt(stream uint32, index uint64) *streamSettings {
	list := f.streams[stream]
	n := sort.Search(len(list), func(i int) bool { return list[i].index >= index })
	if n == 0 {
		return nil
	}
	return &list[n-1]
}

func (f *facts) takeBucket(index uint64, control []byte) error {
	body, err := proofs.ParseBucket(control)
	if err != nil {
		return err
	}
	b, ok := f.buckets[body.Bucket]
	if !ok {
		b = &bucket{stream: body.Stream, class: body.Class, period: body.Period, keys: make(map[uint16]committedKey)}
		f.buckets[body.Bucket] = b
	}
	if b.stream != body.Stream || b.class != body.Class || b.period != body.Period {
		return fmt.Errorf("%w: bucket %d was opened for something else before", proofs.ErrNotVerified, body.Bucket)
	}
	b.opened = append(b.opened, index)
	for _, k := range body.Keys {
		if was, ok := b.keys[k.Field]; ok && was.hash != k.Hash {
			return fmt.Errorf("%w: bucket %d had another key of field %d before", proofs.ErrNotVerified, body.Bucket, k.Field)
		} else if !ok {
			b.keys[k.Field] = committedKey{k.Hash, index}
		}
	}
	return nil
}

func (f *facts) takeAdministration(index uint64, control []byte) error {
	body, err := proofs.ParseAdministration(control)
	switch {
	case err != nil:
		return err
	case body.Request != nil:
		f.requests[index] = *body.Request
	case body.Approval != nil:
		f.answers[body.Approval.Request] = append(f.answers[body.Approval.Request], answer{index: index, by: body.Approval.By})
	case body.Withdrawal != nil:
		f.answers[body.Withdrawal.Request] = append(f.answers[body.Withdrawal.Request], answer{index, body.Withdrawal.By, true})
	}
	return nil
}

func (f *facts) takeClosing(index uint64, leaf proofs.Leaf) (err error) {
	var a announcement
	var done *proofs.KeysDestroyed
	switch leaf.Kind {
	case proofs.Expiry:
		var body proofs.ExpiryBody
		body, err = proofs.ParseExpiry(leaf.Control)
		a.expired, done = body.Expired, body.Done
	case proofs.Erasure:
		var body proofs.ErasureBody
		body, err = proofs.ParseErasure(leaf.Control)
		a.erased, done = body.Erased, body.Done
	case proofs.Release:
		var body proofs.ReleaseBody
		body, err = proofs.ParseRelease(leaf.Control)
		a.released, done = body.Released, body.Done
	}
	switch {
	case err != nil:
		return err
	case done == nil:
		f.closings[index] = a
		return nil
	case done.Announced >= index:
		return fmt.Errorf("%w: it says that the keys are destroyed of what was announced behind it", proofs.ErrNotVerified)
	}
	if _, ok := f.done[done.Announced]; !ok {
		f.done[done.Announced] = index
	}
	return nil
}

// approval returns the entry by which another identity approved a request
// before an index, if neither withdrew before that.
func (f *facts) approval(request, before uint64) (index uint64, ok bool) {
	asked, ok := f.requests[request]
	if !ok {
		return 0, false
	}
	approved := make(map[uint64]uint64) // by whom, in which entry
	for _, a := range f.answers[request] {
		switch {
		case a.index <= request || a.index >= before:
		case !a.withdraw && a.by != asked.By:
			approved[a.by] = a.index
		case a.withdraw && a.by == asked.By:
			return 0, false
		case a.withdraw:
			delete(approved, a.by)
		}
	}
	for _, at := range approved {
		if !ok || index == 0 || at < index {
			index = at
		}
	}
	return index, index > 0
}

// covers reports whether a hold, by one of its entries, covers an entry.
func covers(h proofs.HoldBody, stream uint32, index uint64) bool {
	return h.Stream != 0 && h.Stream == stream || proofs.InRuns(h.Holds, index)
}
