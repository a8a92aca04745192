package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// An entryFile is an entry with what is needed to verify it without the
// ledger: what get --json and append --json print, one on a line, and verify
// reads. Nothing in it is believed before it is checked.
type entryFile struct {
	Index     uint64       `json:"index"`
	Leaf      []byte       `json:"leaf"`
	Stream    string       `json:"stream,omitempty"` // its name, as the ledger says
	State     client.State `json:"state,omitempty"`  // of an answer to append
	Duplicate bool         `json:"duplicate,omitempty"`
	Unchecked string       `json:"unchecked,omitempty"` // why append could not check the answer

	// Uncompared says of a repeat that the ledger could not compare it, because
	// what was recorded is erased, in whole or in part.
	Uncompared bool `json:"uncompared,omitempty"`

	Disclosure *proofs.Disclosure `json:"disclosure,omitempty"`
	Reasons    []uint64           `json:"reasons,omitempty"` // entries that may say why something is not shown, as the ledger says
	FieldKeys  map[uint16][]byte  `json:"field_keys,omitempty"`

	Receipt []byte          `json:"receipt,omitempty"` // a tlog-proof
	Promise *proofs.Promise `json:"promise,omitempty"`

	// Context holds the entries that say how this one's tags were made: the
	// settings of its stream, and those that opened its bucket.
	Context []entryFile `json:"context,omitempty"`

	Problem *client.Problem `json:"problem,omitempty"` // why an event was refused
}

// maxEntryFile bounds a file of entries in bytes.
const maxEntryFile = 256 << 20

// parseEntryFiles reads the entries of a file. It takes only what no two
// parsers understand differently, and no names but the known ones. Its errors
// match proofs.ErrMalformed.
func parseEntryFiles(b []byte) (entries []entryFile, err error) {
	bad := func(err error) ([]entryFile, error) {
		return nil, fmt.Errorf("%w: entry %d of the file: %v", proofs.ErrMalformed, len(entries), err)
	}
	for {
		values := json.NewDecoder(bytes.NewReader(b))
		var raw json.RawMessage
		if err := values.Decode(&raw); err == io.EOF {
			break
		} else if err != nil {
			return bad(err)
		}
		b = b[values.InputOffset():]
		if err := proofs.CheckJSON(raw); err != nil {
			return bad(err)
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		var e entryFile
		if err := d.Decode(&e); err != nil {
			return bad(err)
		}
		if e.Leaf == nil && e.Problem == nil {
			return bad(fmt.Errorf("it has no leaf"))
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return bad(io.ErrUnexpectedEOF)
	}
	return entries, nil
}

// parts returns the parts of the payload that are shown, by number, after the
// disclosure was checked against the leaf.
func (e *entryFile) parts() (map[int]proofs.Part, error) {
	shown := make(map[int]proofs.Part)
	if e.Disclosure == nil {
		return shown, nil
	}
	for i, d := range e.Disclosure.Parts {
		if !d.Shown() {
			continue
		}
		part, err := d.Part()
		if err != nil {
			return nil, fmt.Errorf("entry %d: part %d: %w", e.Index, i, err)
		}
		shown[i] = part
	}
	return shown, nil
}
