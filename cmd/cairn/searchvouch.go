package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// vouchFlags say whose word counts for the directories that answers rest on.
type vouchFlags struct {
	attestations []string // files
	auditors     []string // keys
	required     bool
}

// errNotAudited means that nobody who is believed vouches for an answer.
var errNotAudited = errors.New("no attestation of an auditor who is believed covers the directories that the answer rests on")

func (o *vouchFlags) declare(f *pflag.FlagSet) {
	f.StringArrayVar(&o.attestations, "attestation", nil, "`FILE` with an auditor's word on directories, as cairn audit --attest writes it; may be repeated")
	f.StringArrayVar(&o.auditors, "auditor", nil, "`VKEY` of an auditor who is believed; may be repeated")
	f.BoolVar(&o.required, "require-audited", false, "give no answer that rests on directories which no auditor who is believed has attested")
}

// An auditorsWord is what an auditor who is believed has attested.
type auditorsWord struct {
	by string // the name and the ID of the key
	proofs.Attestation
	note []byte // as it was signed
}

// keys returns the keys of those who are believed.
func (o vouchFlags) keys() (keys []proofs.Key, err error) {
	if len(o.auditors) == 0 && (len(o.attestations) > 0 || o.required) {
		return nil, command.Usage("whose word counts? Give the auditor's key with --auditor")
	}
	for _, vkey := range o.auditors {
		key, err := proofs.ParseKey(vkey)
		if err != nil {
			return nil, command.Usage("--auditor: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// vouchers reads what auditors have attested who are believed. What others have
// signed does not count, and is said.
func (p *program) vouchers(o vouchFlags) (words []auditorsWord, err error) {
	keys, err := o.keys()
	if err != nil {
		return nil, err
	}
	for _, name := range o.attestations {
		b, err := p.readFile(name, proofs.MaxNoteSize)
		if err != nil {
			return nil, fmt.Errorf("attestation: %w", err)
		}
		believed := false
		for _, key := range keys {
			a, err := key.CheckAttestation(b)
			if errors.Is(err, proofs.ErrNotVerified) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			parts := strings.SplitN(key.String(), "+", 3)
			words, believed = append(words, auditorsWord{parts[0] + "+" + parts[1], a, b}), true
		}
		if !believed {
			p.Say("%s does not count: no auditor who is believed has signed it", name)
		}
	}
	return words, nil
}

// vouch takes the first word that covers all directories that an answer rests on.
func (a *searchAnswer) vouch(words []auditorsWord, required bool) error {
	if a.vouched != "" || len(a.verdict.Directories) == 0 {
		return nil
	}
	for _, w := range words {
		if w.Covers(a.verdict) {
			a.vouched = fmt.Sprintf("audited to %d by %s", w.Size, w.by)
			return nil
		}
	}
	if required {
		return command.Hinted(errNotAudited, "an auditor attests those that there are with: cairn audit --directories all --attest KEYFILE -o FILE; --recompute makes them again here")
	}
	return nil
}
