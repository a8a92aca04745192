package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// maxKeyFile bounds a file with an auditor's key.
const maxKeyFile = 4096

// newAuditorKey makes an auditor's key, in a file that is not there yet, and prints
// the key that checks what it signs.
func (p *program) newAuditorKey(o auditFlags) error {
	if o.attest == "" {
		return command.Usage("say with --attest which file the new key shall be in")
	}
	key, err := proofs.GenerateKey(o.newKey, proofs.Ed25519, p.rand)
	if errors.Is(err, proofs.ErrMalformed) {
		return command.Usage("--new-key: %w", err)
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(o.attest, os.O_WRONLY|os.O_CREATE|os.O_EXCL, privateMode)
	if errors.Is(err, fs.ErrExist) {
		return command.Usage("%s is there already: a key is never replaced", o.attest)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(key.Secret() + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Stdout, key.Key())
	return err
}

// auditorKey returns the key that audit is to sign with; nil: it signs nothing.
func (p *program) auditorKey(o auditFlags) (*proofs.SigningKey, error) {
	switch {
	case o.attest == "" && o.out == "":
		return nil, nil
	case o.attest == "" || o.out == "":
		return nil, command.Usage("--attest says whose key signs, and --output where the attestation goes: give both")
	case o.directories != "all":
		return nil, command.Usage("who attests directories has made all of them again: give --directories all")
	}
	b, err := p.readFile(o.attest, maxKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, command.Hinted(err, "make a key with: cairn audit --new-key NAME --attest %s", o.attest)
	}
	if err != nil {
		return nil, err
	}
	key, err := proofs.ParseSigningKey(string(bytes.TrimSpace(b)))
	if err == nil && key.Key().Type() != proofs.Ed25519 {
		err = fmt.Errorf("an auditor's key is of the type %v, not %v", proofs.Ed25519, key.Key().Type())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.attest, err)
	}
	return &key, nil
}

// writeAttestation signs which directories are right.
func (p *program) writeAttestation(key *proofs.SigningKey, r *audit.Report, o auditFlags) error {
	if key == nil {
		return nil
	}
	if len(r.Directories) == 0 {
		return errors.New("there is nothing to attest: no directory could be made again")
	}
	note, err := key.SignAttestation(proofs.Attestation{
		Origin: r.Checkpoint.Origin, Size: r.Checkpoint.Size, Root: r.Checkpoint.Root,
		Time: uint64(p.clock().Unix()), Directories: r.Directories,
	})
	if err != nil {
		return err
	}
	if left := r.Summary.Recomputed.NotJudged; left > 0 {
		p.Say("the attestation is not about %s that could not be judged now", numberOf(int(left), "directory", "directories"))
	}
	return command.WriteFile(o.out, note, publicMode)
}
