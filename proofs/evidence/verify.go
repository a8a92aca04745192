package evidence

import (
	"errors"
	"fmt"
	"io"

	"github.com/cairnlog/cairn/proofs"
)

// Options say how to verify.
type Options struct {
	// Policy says which log and witnesses are believed. It must come from where
	// the verifier trusts. Nil: the one in the file is taken, and what the
	// report says holds only if that may be believed ([Report.OwnPolicy]).
	Policy *proofs.Policy

	// Auditors are the keys of those whose word counts on the directories that
	// searches rest on, as the file has it and as Attestations do: signed notes
	// ([proofs.Attestation]) that came from elsewhere.
	Auditors     []proofs.Key
	Attestations [][]byte

	// Entry is called with what is shown of each entry, in their order, before
	// the file was read to its end: whether that is whole only Verify tells. Its
	// error ends Verify. Nil: nobody wants it.
	Entry func(*EntryReport) error
}

// Verify judges a file. What is wrong about single entries is in the report.
// An error says that there is nothing to report: it matches
// [proofs.ErrMalformed] where the file is cut, changed or none at all, and
// [proofs.ErrNotVerified] where its checkpoints do not verify; any other is
// that of the reader or of Options.Entry. In memory there is one line, and what
// searches found and the context says.
func Verify(r io.Reader, o Options) (*Report, error) {
	v := &verifier{o: o, facts: newFacts()}
	if err := v.believe(o.Attestations); err != nil {
		return nil, err
	}
	lines := NewReader(r)
	for {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return &v.report, nil
		}
		if err == nil {
			err = v.take(l)
		}
		if err != nil {
			return nil, err
		}
	}
}

// A verifier is what is known of a file so far.
type verifier struct {
	o      Options
	chain  chain
	facts  *facts
	report Report
	ended  bool   // the chain
	time   uint64 // of the last leaf, of those of the entries

	searches []*search
	audits   []Audit // of auditors who are believed
}

func (v *verifier) take(l Line) error {
	switch {
	case l.Header != nil:
		return v.header(l.Header)
	case l.Checkpoint != nil:
		return v.chain.add(l.Checkpoint)
	case l.End != nil:
		v.endSearches()
		return nil
	}
	if !v.ended {
		if err := v.endChain(); err != nil {
			return err
		}
	}
	switch {
	case l.Search != nil:
		v.search(l.Search)
		return nil
	case l.Attestation != nil:
		return v.attestation(l.Attestation)
	case l.Context != nil:
		v.context(l.Context)
		return nil
	}
	r := v.entry(l.Entry)
	v.report.add(r)
	if v.o.Entry == nil {
		return nil
	}
	return v.o.Entry(r)
}

func (v *verifier) header(h *Header) error {
	own, err := proofs.ParsePolicy([]byte(h.Policy))
	if err != nil {
		return err
	}
	v.chain.policy = v.o.Policy
	if v.o.Policy == nil {
		v.chain.policy, v.report.OwnPolicy = own, true
	}
	v.report.Origin, v.report.Selection, v.report.Policy = h.Origin, h.Selection, v.chain.policy
	v.report.SamePolicy = string(proofs.FormatPolicy(v.chain.policy)) == h.Policy
	return nil
}

func (v *verifier) endChain() error {
	v.ended = true
	v.report.Verdict, v.report.Checkpoints = v.chain.last, len(v.chain.links)
	return v.chain.end()
}

// context takes what an entry of the context says, if it is true.
func (v *verifier) context(e *Entry) {
	leaf, err := v.inLog(e)
	if err == nil && e.Disclosure != nil {
		err = e.Disclosure.Check(leaf)
	}
	if err == nil {
		err = v.facts.take(e, leaf)
	}
	if err != nil {
		v.report.find(e.Index, err.Error())
	}
}

// inLog returns the leaf of an entry that is in the ledger.
func (v *verifier) inLog(e *Entry) (proofs.Leaf, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return leaf, err
	}
	return leaf, v.chain.check(e)
}

// times places an entry between checkpoints, and holds the ledger's clock to
// them and to the entry before.
func (v *verifier) times(r *EntryReport) {
	r.After, r.Before = v.chain.bracket(r.Index)
	if r.Before > 0 && r.Leaf.Time/1e6 > r.Before+clockTolerance {
		r.wrong(fmt.Errorf("%w: the ledger says that it is newer than cosignatures on it", proofs.ErrNotVerified))
	}
	if r.Leaf.Time < v.time {
		r.wrong(fmt.Errorf("%w: the ledger says that it is older than an entry before it", proofs.ErrNotVerified))
	}
	v.time = max(v.time, r.Leaf.Time)
}

// entry judges an entry.
func (v *verifier) entry(e *Entry) *EntryReport {
	r := &EntryReport{Index: e.Index, Missing: e.Missing, Payload: Hidden}
	var err error
	if r.Leaf, err = v.inLog(e); err != nil {
		r.wrong(err)
		return r
	}
	r.InLog = true
	v.times(r)
	if err := v.disclosed(r, e); err != nil {
		r.wrong(err)
		r.Payload, r.Part = Hidden, proofs.Part{}
		return r
	}
	if err := v.tags(r, e); err != nil {
		r.wrong(err)
	}
	if err := v.gone(r, e); err != nil {
		r.wrong(err)
	}
	v.found(r)
	return r
}

// disclosed holds what is shown to the leaf.
func (v *verifier) disclosed(r *EntryReport, e *Entry) error {
	d := e.Disclosure
	if d == nil {
		return nil
	}
	if err := d.Check(r.Leaf); err != nil {
		return err
	}
	shown := 0
	for _, p := range d.Parts {
		if p.Shown() {
			shown++
		}
	}
	switch {
	case len(d.Parts) == 0:
		r.Payload = Empty
		return nil
	case shown == 0:
		return nil
	case shown < len(d.Parts):
		r.Payload = Partly
	default:
		r.Payload = Whole
	}
	if !d.Parts[0].Shown() {
		return nil // there is nothing to put the others into
	}
	part, err := d.Payload()
	r.Part = part
	return err
}

// gone holds the maker's word that something is gone to what was published.
func (v *verifier) gone(r *EntryReport, e *Entry) error {
	var err error
	if r.Closings, err = v.facts.explain(&v.chain, e, r.Leaf); err != nil {
		return err
	}
	if _, closed := r.closed(); e.Missing != Gone || closed {
		return nil
	}
	if len(r.Closings) > 0 {
		return fmt.Errorf("%w: it is gone, although it is held by %s", proofs.ErrNotVerified, joinIndices(r.Closings[0].Holds))
	}
	return fmt.Errorf("%w: it is gone, and no published entry says why", proofs.ErrNotVerified)
}
