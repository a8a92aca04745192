package main

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// verifySearch judges a file with a search proof, and prints what it shows. What
// was asked is what the proof says.
func (p *program) verifySearch(policy *proofs.Policy, name string, b []byte, o verifyFlags) error {
	words, err := p.vouchers(o.vouchFlags)
	if err != nil {
		return err
	}
	a, err := checkSearch(policy, b)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
		return errors.Join(err, p.printWrong(finding{File: name, Kind: kindSearch}, err, o.json))
	}
	if err := a.vouch(words, o.required); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
		return errors.Join(err, p.printWrong(finding{File: name, Kind: kindSearch}, err, o.json))
	}
	err = errors.Join(a.printHits(p, name, o.json), a.printAbout(p, name, o.json))
	if err == nil && a.seesNothing() {
		err = fmt.Errorf("%s: %w", name, errNothingSeen)
	}
	if unread := a.unread(); err == nil && unread != nil {
		err = fmt.Errorf("%s: %w", name, unread)
	}
	return err
}
