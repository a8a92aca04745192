package main

import (
	"bytes"
	"errors"
	"fmt"

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
		if err := j.addPayload(d); err != nil {
			return false, fmt.Errorf("entry %d: %w", e.Index, err)
		}
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
	hidden := 0
	for i, p := range d.Parts {
		if !p.Shown() {
			hidden++
			continue
		}
		f.Checked = append(f.Checked, fmt.Sprintf("payload: part %d, %d bytes, is what was recorded", i, len(p.Data)))
	}
	if hidden > 0 {
		f.NotChecked = append(f.NotChecked, fmt.Sprintf("%d parts of the payload: they are not shown", hidden))
	}
	return true, nil
}

// addPayload completes a disclosure that leaves the data out.
func (j *judge) addPayload(d *proofs.Disclosure) error {
	if len(d.Parts) != 1 || !d.Parts[0].Shown() {
		return errors.New("--payload is of an entry whose payload is one part, and that part must be shown")
	}
	if data := d.Parts[0].Data; data != nil && !bytes.Equal(data, j.payload) {
		return fmt.Errorf("%w: the payload given is not the one in the file", proofs.ErrNotVerified)
	}
	d.Parts[0].Data = j.payload
	return nil
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
