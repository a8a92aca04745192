package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"crypto/sha256"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// An Erasure says whose payloads are to be erased.
type Erasure struct {
	Stream  string `json:"stream"`
	Subject string `json:"subject"` // as events name it
	Reason  string `json:"reason"`  // why, for the record
}

// An ErasurePlan is what an erasure closes.
type ErasurePlan struct {
	Entries uint64       `json:"entries"` // that concern the subject
	Closes  []proofs.Run `json:"closes"`
	Holds   []Held       `json:"holds,omitempty"` // what of it is held, and stays until that is over

	// Announced is the index of the entry that announced it, or Requested that
	// of the request that another custodian has to approve. Neither is set in
	// a plan that was only asked for.
	Announced uint64 `json:"announced,omitempty"`
	Requested uint64 `json:"requested,omitempty"`
}

// A Held is what a hold keeps.
type Held struct {
	Hold    uint64 `json:"hold"`    // index of the entry that made it
	Entries uint64 `json:"entries"` // how many
}

// PlanErasure returns what an erasure would close now, and erases nothing. It
// is recorded, as the search that it is; without the name where nothing
// concerns the subject, or to look whether it is erased would name it again.
func (s *Session) PlanErasure(ctx context.Context, e Erasure) (*ErasurePlan, error) {
	var plan *ErasurePlan
	target, err := s.l.erasure(e)
	if err == nil {
		plan, err = s.l.plan(ctx, target)
	}
	act := s.caller.act(proofs.ActSearch)
	act.Stream, act.Query = e.Stream, "subject"
	if plan != nil && plan.Entries > 0 { // else nothing would ever close the name
		act.Results, act.Subject = plan.Entries, e.Subject
	}
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return plan, nil
}

// Erase closes everything of a stream that concerns a data subject: it is
// announced, and once that is published the keys are destroyed. Where two
// custodians are needed it is only requested. It returns when it is announced
// or requested; [Session.Closing] says when it is done.
func (s *Session) Erase(ctx context.Context, e Erasure) (*ErasurePlan, error) {
	if s.caller.Because == "" {
		s = s.l.As(s.caller.because(e.Reason))
	}
	target, err := s.l.erasure(e)
	if err == nil && s.caller.Because == "" {
		err = client.NewProblem(client.BadRequest, "an erasure needs a reason", "state it with --reason; it is recorded, for whoever audits")
	}
	if err == nil {
		err = s.l.canDestroy()
	}
	act := s.caller.act(proofs.ActErase)
	act.Stream, act.Subject = e.Stream, e.Subject
	if err != nil {
		act.Subject = "" // nothing would ever close it
		return nil, s.answered(ctx, act, err)
	}
	if err := s.l.ready(ctx); err != nil {
		return nil, err
	}
	plan, err := s.eraseOrRequest(ctx, target, act)
	if err != nil {
		act.Subject = ""
		return nil, s.answered(ctx, act, err)
	}
	return plan, nil
}

func (s *Session) eraseOrRequest(ctx context.Context, t *erasureTarget, act proofs.Act) (plan *ErasurePlan, err error) {
	if !s.l.retain.NeedsRequest(proofs.Erasure, proofs.SettingsBody{}) {
		return s.l.erase(ctx, t.Erasure, act)
	}
	if plan, err = s.l.plan(ctx, t); err != nil {
		return nil, err
	}
	plan.Requested, err = s.request(ctx, proofs.Erasure, act)
	return plan, err
}

func (c Caller) because(reason string) Caller {
	c.Because = reason
	return c
}

// canDestroy returns the problem that keys cannot be destroyed.
func (l *Ledger) canDestroy() error {
	if l.cfg.Keystate == nil {
		return client.NewProblem(client.NotNow, "this ledger cannot destroy keys", "")
	}
	err := l.cfg.Keystate.Check()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keystate.ErrOneCopy):
		return client.NewProblem(client.NotNow, err.Error(), "make an empty directory on another disk, name both in cairn.toml, table key_state, and start the server again; see cairn-keys(7)")
	}
	return client.NewProblem(client.NotNow, err.Error(), "see cairnd key status")
}

// An erasureTarget is a subject with the keys that close what concerns it.
type erasureTarget struct {
	Erasure
	erasedSubject
}

// actSubject is how acts name a subject of a stream, so that what is recorded
// about it is closed with it.
func actSubject(stream uint32, name string) string {
	return strconv.FormatUint(uint64(stream), 10) + "\n" + name
}

// erasure finds the keys of the subject of an erasure.
func (l *Ledger) erasure(e Erasure) (*erasureTarget, error) {
	settings, ok := l.state.streamNamed(e.Stream)
	if !ok {
		return nil, noStream(e.Stream)
	}
	if e.Subject == "" || len(e.Subject) > 1024 {
		return nil, client.NewProblem(client.BadRequest, "a data subject's name has 1 to 1024 bytes", "")
	}
	t := &erasureTarget{Erasure: e, erasedSubject: erasedSubject{stream: settings.Body.Stream}}
	var err error
	if t.refs, err = l.keys.generations(t.stream, e.Subject); err != nil {
		return nil, err
	}
	t.acts, err = l.keys.generations(controlStream, actSubject(t.stream, e.Subject))
	return t, err
}

// plan finds what an erasure closes.
func (l *Ledger) plan(ctx context.Context, t *erasureTarget) (*ErasurePlan, error) {
	sizes, _ := l.progress.snapshot()
	indices, err := l.concerning(ctx, &t.erasedSubject, 0, sizes.Sequenced)
	if err != nil {
		return nil, err
	}
	return l.planOf(t, indices), nil
}

func (l *Ledger) planOf(t *erasureTarget, indices []uint64) *ErasurePlan {
	plan := &ErasurePlan{Closes: proofs.RunsOf(indices), Entries: uint64(len(indices))}
	if len(indices) > 0 {
		for _, ring := range l.retain.Held(t.stream, plan.Closes) {
			plan.Holds = append(plan.Holds, Held{Hold: ring.Hold, Entries: proofs.CountEntries(ring.Runs)})
		}
	}
	return plan
}

// concerning returns the indices of the entries [start, end) that are closed
// with a subject's keys. It waits until all of them are in the vault.
func (l *Ledger) concerning(ctx context.Context, t *erasedSubject, start, end uint64) (indices []uint64, err error) {
	if err := l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Integrated >= end }); err != nil {
		return nil, l.asProblem(err)
	}
	for _, b := range l.state.bucketsOf(t.stream) {
		keys, err := l.keys.bucket(b.Path)
		if errors.Is(err, errDestroyed) {
			continue // what is left of it opens with the keys of a hold
		}
		if err != nil {
			return nil, err
		}
		for r, err := range l.cfg.Vault.Scan(ctx, b.Number, start) {
			if err != nil {
				return nil, fmt.Errorf("vault: bucket %d: %w", b.Number, err)
			}
			if r.Index >= end {
				break
			}
			concerned, err := t.concerns(r, keys)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", r.Index, err)
			}
			if concerned {
				indices = append(indices, r.Index)
			}
		}
	}
	slices.Sort(indices)
	return indices, nil
}

// concerns reports whether anything of a record is closed with the subject's
// keys.
func (t *erasedSubject) concerns(r storage.VaultRecord, keys *bucketKeys) (bool, error) {
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return false, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	has := func(refs []proofs.SubjectRef) bool {
		return slices.ContainsFunc(refs, func(r proofs.SubjectRef) bool { return slices.Contains(t.refs, r) })
	}
	for i, p := range record.Parts {
		if p.Sealed == nil {
			continue
		}
		refs, err := proofs.SubjectRefs(p.Sealed, i, record.ID, &keys.seal)
		if err != nil || has(refs) {
			return err == nil, err
		}
	}
	for i, tags := range record.Tags {
		if tags.Sealed == nil {
			continue
		}
		refs, err := proofs.TagsSubjectRefs(tags.Sealed, i, record.ID, &keys.tags)
		if err != nil || has(refs) {
			return err == nil, err
		}
	}
	return false, nil
}

// erase announces an erasure. What is new about the subject waits meanwhile, but
// not while most of what there is is looked for.
func (l *Ledger) erase(ctx context.Context, e Erasure, act proofs.Act) (*ErasurePlan, error) {
	l.erasures.Lock() // so that the keys of the subject that are there now are all there are
	defer l.erasures.Unlock()
	t, err := l.erasure(e)
	if err != nil {
		return nil, err
	}
	before, _ := l.progress.snapshot()
	indices, err := l.concerning(ctx, &t.erasedSubject, 0, before.Sequenced)
	if err != nil {
		return nil, err
	}
	l.keys.pause(t.stream, t.refs)
	defer l.keys.resume()
	// What was admitted before is in the journal behind this, or refused there.
	barrier := newRequest(nil)
	barrier.alone, barrier.change = true, func(uint64) ([]*admission, error) { return nil, nil }
	if err := l.submit(ctx, barrier); err != nil {
		return nil, l.asProblem(err)
	}
	after, _ := l.progress.snapshot()
	late, err := l.concerning(ctx, &t.erasedSubject, before.Sequenced, after.Sequenced)
	if err != nil {
		return nil, err
	}
	plan := l.planOf(t, append(indices, late...))
	act.Results = plan.Entries
	if plan.Announced, err = l.announceErasure(ctx, t, plan.Closes, act); err != nil {
		return nil, err
	}
	l.closer.nudge()
	return plan, nil
}

// erasureParts is how many entries of an announcement make a batch at most, so
// that it is well below what a journal's record can hold.
const erasureParts = 256

// announceErasure announces an erasure in as many entries as its runs need, and
// returns the index of the last. The act comes with that one, and the subject's
// name is closed with the subject's keys, as everything about it is.
func (l *Ledger) announceErasure(ctx context.Context, t *erasureTarget, runs []proofs.Run, act proofs.Act) (uint64, error) {
	parts, err := erasedParts(t.stream, act.Request, runs)
	if err != nil {
		return 0, err
	}
	for len(parts) > erasureParts {
		some := openParts(parts[:erasureParts])
		if err := l.announce(ctx, func(uint64) ([]*admission, error) { return some, nil }); err != nil {
			return 0, err // what is announced in part counts for nothing
		}
		parts = parts[erasureParts:]
	}
	for {
		b, keys, err := l.accessBucket(ctx)
		if err != nil {
			return 0, err
		}
		last, err := l.sealedActAbout(b, keys, proofs.Erasure, parts[len(parts)-1], act, t.erasedSubject)
		if err != nil {
			return 0, err
		}
		list := append(openParts(parts[:len(parts)-1]), last)
		err = l.announce(ctx, func(uint64) ([]*admission, error) {
			if !l.retain.Takes(b.Number) {
				return nil, errStale
			}
			return list, nil
		})
		if errors.Is(err, errStale) {
			continue
		}
		if err != nil {
			return 0, err
		}
		l.closer.retired(last.index, &t.erasedSubject)
		return last.index, nil
	}
}

// erasedParts returns the clear bodies of the entries that announce an erasure:
// at least one.
func erasedParts(stream uint32, request uint64, runs []proofs.Run) (parts [][]byte, err error) {
	chunks := slices.Collect(slices.Chunk(runs, proofs.MaxRuns))
	if len(chunks) == 0 {
		chunks = [][]proofs.Run{nil}
	}
	for i, chunk := range chunks {
		body := &proofs.ErasedBody{Stream: stream, Request: request, Part: uint32(i + 1), Parts: uint32(len(chunks)), Closes: chunk}
		control, err := proofs.FormatErasure(proofs.ErasureBody{Erased: body})
		if err != nil {
			return nil, err
		}
		parts = append(parts, control)
	}
	return parts, nil
}

func openParts(parts [][]byte) (list []*admission) {
	for _, control := range parts {
		list = append(list, openControl(proofs.Erasure, control))
	}
	return list
}

// sealedActAbout returns the control entry of an act that names a subject of a
// stream. The name is a part of its own, closed with keys of the subject, and
// with it are the references to what the act destroys.
func (l *Ledger) sealedActAbout(b *bucket, keys *bucketKeys, kind proofs.Kind, control []byte, act proofs.Act, t erasedSubject) (*admission, error) {
	name := act.Subject
	act.Subject = ""
	a, err := l.sealedAct(b, kind, control, act)
	if err != nil || name == "" {
		return a, err
	}
	about, err := l.keys.subject(controlStream, actSubject(t.stream, name))
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(namedSubject{Stream: t.stream, Subject: name, Refs: t.refs, Acts: t.acts})
	if err != nil {
		return nil, err
	}
	record, err := proofs.ParseRecord(a.record)
	if err != nil {
		return nil, err
	}
	whole, err := proofs.FormatPart(proofs.Part{MediaType: subjectMediaType, Data: data})
	if err != nil {
		return nil, err
	}
	var opening proofs.Key256
	if _, err := io.ReadFull(l.cfg.Rand, opening[:]); err != nil {
		return nil, err
	}
	sealed, err := proofs.SealPart(whole, 1, record.ID, &keys.seal, []proofs.SubjectKey{{Ref: about.ref, Key: about.seal}}, &opening)
	if err != nil {
		return nil, err
	}
	record.Parts = append(record.Parts, proofs.RecordPart{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, record.ID, 1, whole),
	})
	a.leaf.C, a.refs = record.Commitment(), []proofs.SubjectRef{about.ref}
	a.record, err = proofs.FormatRecord(record)
	return a, err
}

// subjectMediaType is the media type of the part that names a subject.
const subjectMediaType = "application/vnd.cairn.subject+json"

// A namedSubject is what that part holds.
type namedSubject struct {
	Stream  uint32              `json:"stream"`
	Subject string              `json:"subject"`
	Refs    []proofs.SubjectRef `json:"refs,omitempty"` // whose keys an erasure destroys: of events
	Acts    []proofs.SubjectRef `json:"acts,omitempty"` // and of acts
}

// erasedBy finds out whom an announced erasure concerns. Where its keys are
// destroyed already nobody can, and nothing is left to be destroyed.
func (l *Ledger) erasedBy(ctx context.Context, closing retain.Closing) (*erasedSubject, error) {
	_, named, err := l.openAct(ctx, closing.Index)
	switch {
	case err != nil:
		return nil, err
	case named == nil:
		return &erasedSubject{}, nil
	}
	return &erasedSubject{stream: named.Stream, refs: named.Refs, acts: named.Acts}, nil
}

// openAct opens the act that an entry records, and what it names a subject by:
// nil where it names none, or its keys are destroyed. The error is errDestroyed
// where the act has expired.
func (l *Ledger) openAct(ctx context.Context, index uint64) (act proofs.Act, named *namedSubject, err error) {
	_, raw, leaf, err := l.stored(ctx, index)
	if errors.Is(err, storage.ErrNotFound) && leaf.Bucket > 0 && !l.retain.Takes(leaf.Bucket) {
		err = errDestroyed // its bucket has expired
	}
	if err != nil {
		return act, nil, err
	}
	record, err := proofs.ParseRecord(raw)
	if err == nil {
		err = proofs.CheckRecord(record, leaf)
	}
	if err != nil {
		return act, nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return act, nil, fmt.Errorf("there is no bucket %d", leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		return act, nil, err
	}
	part, err := l.openActPart(record, 0, keys)
	if err != nil || part.MediaType != proofs.ActMediaType {
		return act, nil, err
	}
	if act, err = proofs.ParseAct(part.Data); err != nil || len(record.Parts) < 2 {
		return act, nil, err
	}
	part, err = l.openActPart(record, 1, keys)
	if errors.Is(err, errDestroyed) {
		return act, nil, nil
	}
	if err != nil {
		return act, nil, err
	}
	named = new(namedSubject)
	if err := json.Unmarshal(part.Data, named); err != nil || part.MediaType != subjectMediaType {
		return act, nil, fmt.Errorf("its second part names no subject: %w", err)
	}
	act.Subject = named.Subject
	return act, named, nil
}

func (l *Ledger) openActPart(record proofs.Record, number int, keys *bucketKeys) (proofs.Part, error) {
	if number >= len(record.Parts) {
		return proofs.Part{}, nil
	}
	p := record.Parts[number]
	if p.Sealed == nil {
		return proofs.Part{}, errDestroyed
	}
	whole, opening, err := proofs.OpenPart(p.Sealed, number, record.ID, &keys.seal, l.keys.sealKeys(controlStream))
	if err != nil {
		return proofs.Part{}, err
	}
	if proofs.Binding(&opening, record.ID, number, whole) != p.Binding {
		return proofs.Part{}, fmt.Errorf("vault: %w", storage.ErrCorrupt)
	}
	return proofs.ParsePart(whole)
}
