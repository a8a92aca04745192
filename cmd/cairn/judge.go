package main

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A judge judges files by a policy.
type judge struct {
	policy     *proofs.Policy
	receipts   map[uint64]proofs.Receipt // given beside entries, by index
	payload    []byte
	hasPayload bool
	context    tagContext
	keeps      promiseKeeper // nil: nobody is asked

	last    string // a checkpoint that was found right a moment ago
	verdict proofs.Verdict
}

// check checks a receipt of a leaf. Receipts of one batch have one checkpoint,
// whose signatures are checked once.
func (j *judge) check(r proofs.Receipt, leaf []byte) (proofs.Verdict, error) {
	if string(r.Checkpoint) != j.last || j.last == "" {
		v, err := j.policy.Check(r.Checkpoint)
		if err != nil {
			return proofs.Verdict{}, err
		}
		j.last, j.verdict = string(r.Checkpoint), v
	}
	c := j.verdict.Checkpoint
	return j.verdict, proofs.CheckInclusion(r.Index, c.Size, proofs.LeafHash(leaf), r.Proof, c.Root)
}

// judge judges one file and emits what was verified, or what is wrong with it:
// of a file of entries for each of them.
func (j *judge) judge(name string, b []byte, emit func(finding, error) error) error {
	kind := kindOf(name, b)
	f := finding{File: name, Kind: kind, Verifies: true}
	var err error
	switch kind {
	case kindReceipt:
		err = j.receipt(&f, b)
	case kindEntry:
		return j.entries(f, b, emit)
	case kindPromise:
		err = j.promiseFile(&f, b)
	case kindCheckpoint:
		err = j.checkpoint(&f, b)
	case kindEvidence:
		err = j.evidence(&f, b)
	case kindState:
		err = j.state(&f, b)
	case kindConsistency:
		err = command.Usage("a consistency proof needs its two checkpoints: cairn verify consistency OLD NEW %s", name)
	case kindSettings:
		err = command.Usage("settings verify nothing alone: give them with --settings beside an entry")
	case kindAttestation:
		err = command.Usage("an attestation of directories is given with --attestation beside a search proof, and whose word counts with --auditor")
	case kindPolicy:
		err = command.Usage("this is a policy, which is what to verify by: give it with --policy")
	default:
		err = fmt.Errorf("%w: not a file that can be verified: it is damaged, or something else", proofs.ErrMalformed)
	}
	return emit(f, err)
}

// receipt checks a receipt, with the leaf that it carries.
func (j *judge) receipt(f *finding, b []byte) error {
	r, err := proofs.ParseReceipt(b)
	if err != nil {
		return err
	}
	if r.Extra == nil {
		return command.Hinted(errors.New("the receipt carries no leaf, so nothing can be checked against it"),
			"give the entry beside it: cairn verify %s ENTRY.json", f.File)
	}
	v, err := j.check(r, r.Extra)
	if err != nil {
		return fmt.Errorf("receipt of entry %d: %w", r.Index, err)
	}
	leaf, err := proofs.ParseLeaf(r.Extra)
	if err != nil {
		return fmt.Errorf("receipt of entry %d: %w", r.Index, err)
	}
	f.Index, f.Leaf = &r.Index, describeLeaf(leaf)
	f.takeVerdict(v)
	return nil
}

func (j *judge) checkpoint(f *finding, b []byte) error {
	v, err := j.policy.Check(b)
	if err != nil {
		return err
	}
	f.takeVerdict(v)
	return nil
}

func (j *judge) evidence(f *finding, b []byte) error {
	e, err := client.ParseEvidence(b)
	if err != nil {
		return err
	}
	if err := e.Check(j.policy); err != nil {
		return err
	}
	f.Checked = append(f.Checked, e.String())
	return nil
}

func (j *judge) state(f *finding, b []byte) error {
	s, err := audit.ParseState(b)
	if err != nil {
		return err
	}
	if err := j.checkpoint(f, s.Signed); err != nil {
		return err
	}
	f.NotChecked = append(f.NotChecked, "what the state says beside its checkpoint: audit judges by it")
	return nil
}
