package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// What an approved erasure will close is disabled: from the approval on nobody
// reads or finds it, and once the grace is over its keys are destroyed. If the request or
// the approval is withdrawn it can be read again. That follows from the requests
// and closings that there are, so that it is so after any start. What a hold
// keeps stays readable. Of an event in parts nothing is read meanwhile, although
// the parts that do not concern the subject will stay.

// disabledSubjects keeps at hand whom approved requests are about.
type disabledSubjects struct {
	mu     sync.Mutex
	forgot uint64 // of the keyring: other generations have other references
	about  map[uint64]*erasedSubject

	scans     sync.Mutex // held while entries are looked through
	scanned   uint64     // what forgot is, for concerned
	concerned map[uint64]*concernedEntries
}

// A concernedEntries is the entries below end that an erasure is about.
type concernedEntries struct {
	end     uint64
	indices []uint64
}

// A wantedErasure is one that is approved or announced, and not done.
type wantedErasure struct {
	why     uint64 // index of the request, or of the entry that announced it
	subject *erasedSubject
	held    func(index uint64) bool // reports whether a hold keeps an entry from it
}

// wantedErasures returns those whose subjects are known.
func (l *Ledger) wantedErasures(ctx context.Context) (list []wantedErasure, err error) {
	for _, r := range l.retain.Requests() {
		if r.Kind != proofs.Erasure || r.Approval == 0 {
			continue
		}
		subject, err := l.disabledSubject(ctx, r.Index)
		if err != nil {
			return nil, fmt.Errorf("request of entry %d: %w", r.Index, err)
		}
		held := func(index uint64) bool { return len(l.retain.Covering(subject.stream, index)) > 0 }
		list = append(list, wantedErasure{r.Index, subject, held})
	}
	for _, c := range l.retain.Open() {
		if c.Kind != proofs.Erasure {
			continue
		}
		subject := l.closer.erased(c.Index)
		if subject == nil { // it was announced, or done, just now
			if subject, err = l.erasedBy(ctx, c); err != nil {
				return nil, fmt.Errorf("erasure of entry %d: %w", c.Index, err)
			}
		}
		held := func(index uint64) bool {
			return slices.ContainsFunc(c.Rings, func(r retain.Ring) bool { return proofs.InRuns(r.Runs, index) })
		}
		list = append(list, wantedErasure{c.Index, subject, held})
	}
	return slices.DeleteFunc(list, func(w wantedErasure) bool { return len(w.subject.refs) == 0 }), nil
}

// disabled returns the problem that an entry is not read any more, with the
// entry that says why.
func (l *Ledger) disabled(e storedEntry, wanted []wantedErasure) error {
	if e.leaf.Kind != proofs.Event {
		return nil
	}
	for _, w := range wanted {
		if e.leaf.Stream != w.subject.stream || w.held(e.index) {
			continue
		}
		b, ok := l.state.bucketNumbered(e.leaf.Bucket)
		if !ok {
			return fmt.Errorf("entry %d: there is no bucket %d", e.index, e.leaf.Bucket)
		}
		keys, err := l.keys.bucket(b.Path)
		if errors.Is(err, errDestroyed) {
			return nil // what is left of it, a hold keeps
		}
		if err != nil {
			return err
		}
		concerned, err := w.subject.concerns(storage.VaultRecord{Index: e.index, Data: e.record}, keys)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.index, err)
		}
		if concerned {
			p := client.NewProblem(client.Disabled, fmt.Sprintf("the payload of entry %d is to be erased, and is not read any more", e.index), fmt.Sprintf("entry %d says why", w.why))
			p.Reasons = []uint64{w.why}
			return p
		}
	}
	return nil
}

// enabled returns those of some entries of a stream, all below a size, that are
// not disabled: a search says something of what is in an event, too. It also
// returns the entries that disable any of the stream, whether among these or not.
func (l *Ledger) enabled(ctx context.Context, stream uint32, runs []proofs.Run, size uint64) (left []proofs.Run, why []uint64, err error) {
	disabled, why, err := l.disabledOf(ctx, stream, size)
	return retain.Subtract(runs, disabled), why, err
}

// disabledOf returns the entries of a stream, all below a size, that are
// disabled, and the entries that say so.
func (l *Ledger) disabledOf(ctx context.Context, stream uint32, size uint64) (disabled []proofs.Run, why []uint64, err error) {
	wanted, err := l.wantedErasures(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range wanted {
		if w.subject.stream != stream {
			continue
		}
		indices, err := l.concernedBy(ctx, w, size)
		if err != nil {
			return nil, nil, err
		}
		why = append(why, w.why)
		disabled = append(disabled, proofs.RunsOf(slices.DeleteFunc(indices, w.held))...)
	}
	return proofs.JoinRuns(disabled), why, nil
}

// concernedBy returns the entries below a size that an erasure is about. It keeps
// what it has found, and looks through what came since: a grace takes days.
func (l *Ledger) concernedBy(ctx context.Context, w wantedErasure, size uint64) ([]uint64, error) {
	d := &l.disabling
	d.scans.Lock()
	defer d.scans.Unlock()
	if forgot := l.keys.forgotten(); d.concerned == nil || d.scanned != forgot {
		d.concerned, d.scanned = make(map[uint64]*concernedEntries), forgot
	}
	c := d.concerned[w.why]
	if c == nil {
		c = &concernedEntries{}
		d.concerned[w.why] = c
	}
	if c.end < size {
		indices, unread, err := l.concerning(ctx, w.subject, c.end, size)
		if err != nil {
			return nil, err
		}
		indices = append(indices, unread...)
		slices.Sort(indices)
		c.indices, c.end = append(c.indices, indices...), size
		if l.keys.forgotten() != d.scanned { // keys went meanwhile: some may be missing
			delete(d.concerned, w.why)
		}
	}
	at, _ := slices.BinarySearch(c.indices, size)
	return slices.Clone(c.indices[:at]), nil
}

// disabledSubject returns whom the erasure is about that a request asks for; one
// without references where nobody can know any more.
func (l *Ledger) disabledSubject(ctx context.Context, request uint64) (*erasedSubject, error) {
	d := &l.disabling
	forgot := l.keys.forgotten()
	d.mu.Lock()
	if d.about == nil || d.forgot != forgot {
		d.about, d.forgot = make(map[uint64]*erasedSubject), forgot
	}
	subject := d.about[request]
	d.mu.Unlock()
	if subject != nil {
		return subject, nil
	}
	act, err := l.requestedAct(ctx, request)
	if err != nil && !isGone(err) {
		return nil, err
	}
	subject = &erasedSubject{}
	if act.Subject != "" {
		t, err := l.erasure(Erasure{Stream: act.Stream, Subject: act.Subject})
		if err != nil {
			return nil, err
		}
		subject = &t.erasedSubject
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.forgot == forgot {
		d.about[request] = subject
	}
	return subject, nil
}
