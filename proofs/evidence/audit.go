package evidence

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// An Audit is the word of an auditor who made directories again, and found that
// they are right.
type Audit struct {
	By   string // the name and the ID of the auditor's key
	Size uint64 // of the checkpoint that they were judged by
	Time uint64 // when, as the auditor says, in seconds since 1970

	word proofs.Attestation
}

// believe takes the words that came from elsewhere.
func (v *verifier) believe(notes [][]byte) error {
	for _, note := range notes {
		if _, err := v.hear(note); err != nil {
			return err
		}
	}
	return nil
}

// attestation takes an auditor's word that the file has.
func (v *verifier) attestation(a *Attestation) error {
	v.report.Attestations++
	believed, err := v.hear([]byte(a.Note))
	if !believed {
		v.report.NotBelieved++
	}
	return err
}

// hear takes an auditor's word, if one has signed it who is believed. The error
// matches [proofs.ErrMalformed].
func (v *verifier) hear(note []byte) (believed bool, err error) {
	for _, key := range v.o.Auditors {
		word, err := key.CheckAttestation(note)
		if errors.Is(err, proofs.ErrNotVerified) {
			continue
		}
		if err != nil {
			return false, err
		}
		by := fmt.Sprintf("%s+%08x", key.Name(), key.ID())
		v.audits = append(v.audits, Audit{By: by, Size: word.Size, Time: word.Time, word: word})
		return true, nil
	}
	return false, nil
}

// auditOf returns the first word that covers all directories that an answer
// rests on; nil: there is none, or it rests on no directory.
func (v *verifier) auditOf(answer proofs.SearchVerdict) *Audit {
	if len(answer.Directories) == 0 {
		return nil
	}
	for _, a := range v.audits {
		if a.word.Covers(answer) {
			return &a
		}
	}
	return nil
}

// String returns in words who vouches for what.
func (a Audit) String() string { return fmt.Sprintf("audited to %d by %s", a.Size, a.By) }
