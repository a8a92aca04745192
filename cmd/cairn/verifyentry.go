package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// entries checks the entries of a file, each on its own.
func (j *judge) entries(f finding, b []byte, emit func(finding, error) error) error {
	entries, err := parseEntryFiles(b)
	if err == nil && j.hasPayload && len(entries) > 1 {
		err = command.Usage("--payload is of one entry, and the file has %d", len(entries))
	}
	if err != nil {
		return emit(f, err)
	}
	for i := range entries {
		one := f
		wrong := j.entry(&one, &entries[i])
		if err := emit(one, wrong); err != nil {
			return err
		}
	}
	return nil
}

// entry checks an entry: that its leaf is in the log, that its payload and
// tags are what the leaf commits to, and that the tags are those of the
// payload.
func (j *judge) entry(f *finding, e *entryFile) error {
	if e.Problem != nil {
		return fmt.Errorf("the ledger refused the event: %w", e.Problem)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	f.Index, f.Leaf = &e.Index, describeLeaf(leaf)
	if err := j.inLog(f, e); err != nil {
		return err
	}
	if e.Disclosure == nil {
		f.NotChecked = append(f.NotChecked, "payload and tags: the file does not show them")
		if j.hasPayload {
			return errors.New("a payload can be checked only with the entry's disclosure, as get --json and append --json print it")
		}
		return nil
	}
	if shown, err := j.disclosed(f, e, leaf); err != nil || !shown {
		return err
	}
	return j.tags(f, e, leaf)
}

// inLog checks that the leaf is in the log, by a receipt, or that the log
// promised it.
func (j *judge) inLog(f *finding, e *entryFile) error {
	r, given := j.receipts[e.Index]
	switch {
	case e.Receipt != nil:
		var err error
		if r, err = proofs.ParseReceipt(e.Receipt); err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		if r.Index != e.Index {
			return fmt.Errorf("%w: entry %d: its receipt is of entry %d", proofs.ErrNotVerified, e.Index, r.Index)
		}
	case given:
	case e.Promise != nil:
		return j.promise(f, client.PromisedEntry{Index: e.Index, Leaf: e.Leaf, Promise: *e.Promise})
	default:
		return command.Hinted(fmt.Errorf("entry %d: nothing shows that it is in the log", e.Index),
			"give its receipt beside it, made by: cairn prove receipt %d", e.Index)
	}
	v, err := j.check(r, e.Leaf)
	if err != nil {
		return fmt.Errorf("receipt of entry %d: %w", e.Index, err)
	}
	f.takeVerdict(v)
	return nil
}

// disclosed checks payload and tags against the leaf. It returns false where
// the file leaves the payload out and none is given.
func (j *judge) disclosed(f *finding, e *entryFile, leaf proofs.Leaf) (bool, error) {
	d := e.Disclosure
	if j.hasPayload {
		filled, err := j.withPayload(*d)
		if err != nil {
			return false, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		*d = filled
	}
	err := d.Check(leaf)
	if err != nil && !j.hasPayload && withoutPayload(*d).Check(leaf) == nil {
		f.Checked = append(f.Checked, "the commitments C and T")
		f.NotChecked = append(f.NotChecked, "the payload: it is not in the file, give it with --payload")
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	return true, shownOf(f, e)
}

// shownOf says what of a payload is shown, which was checked.
func shownOf(f *finding, e *entryFile) error {
	d, shown := e.Disclosure, 0
	for i, p := range d.Parts {
		if p.Shown() {
			f.Checked = append(f.Checked, fmt.Sprintf("payload: part %d, %d bytes, is what was recorded", i, len(p.Data)))
			shown++
		}
	}
	if !d.CoversT() {
		f.NotChecked = append(f.NotChecked, "T: nothing is shown of the tags, as where the key of one of them is destroyed")
	}
	hidden := fmt.Sprintf("%d parts of the payload: they are not shown", len(d.Parts)-shown)
	switch {
	case len(d.Parts) == 0:
	case !d.Parts[0].Shown():
		f.NotChecked = append(f.NotChecked, hidden)
	default:
		payload, err := d.Payload()
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		if erased := erasedFrom(d, payload); erased != nil {
			f.NotChecked = append(f.NotChecked, fmt.Sprintf("%s; %s", hidden, erased))
		} else if shown > 1 {
			f.Checked = append(f.Checked, fmt.Sprintf("payload: the %d parts are one event of %d bytes", shown, len(payload.Data)))
		}
	}
	return nil
}

// withPayload completes a disclosure that leaves the data out.
func (j *judge) withPayload(d proofs.Disclosure) (proofs.Disclosure, error) {
	if slices.ContainsFunc(d.Parts, func(p proofs.DisclosedPart) bool { return !p.Shown() }) {
		return d, errors.New("--payload is of an entry all of whose payload is shown")
	}
	filled, err := d.Fill(j.payload)
	if err != nil {
		return d, fmt.Errorf("%w: the payload given does not have the parts of the entry: %w", proofs.ErrNotVerified, err)
	}
	for i, p := range d.Parts {
		if p.Data != nil && !bytes.Equal(p.Data, filled.Parts[i].Data) {
			return d, fmt.Errorf("%w: the payload given is not the one in the file", proofs.ErrNotVerified)
		}
	}
	return filled, nil
}

// withoutPayload returns the disclosure with all parts hidden.
func withoutPayload(d proofs.Disclosure) proofs.Disclosure {
	var parts []proofs.DisclosedPart
	for _, p := range d.Parts {
		if len(p.Data) > 0 {
			return d // it is there, and wrong
		}
		parts = append(parts, proofs.DisclosedPart{SealedHash: p.SealedHash, Binding: p.Binding})
	}
	d.Parts = parts
	return d
}
