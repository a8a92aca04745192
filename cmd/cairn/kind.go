package main

import (
	"bytes"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A fileKind is what a file holds that verify can judge.
type fileKind string

// The kinds of files.
const (
	kindReceipt      fileKind = "receipt"
	kindEntry        fileKind = "entry"
	kindCheckpoint   fileKind = "checkpoint"
	kindPromise      fileKind = "promise"
	kindConsistency  fileKind = "consistency proof"
	kindEvidence     fileKind = "evidence"
	kindBundle       fileKind = "evidence file"
	kindBundleEntry  fileKind = "evidence entry"
	kindBundleSearch fileKind = "evidence search"
	kindState        fileKind = "audit state"
	kindSettings     fileKind = "stream settings"
	kindPolicy       fileKind = "policy"
	kindSearch       fileKind = "search proof"
	kindAttestation  fileKind = "attestation"
	kindUnknown      fileKind = "unknown"
)

// promiseSuffix ends the names of files with promises.
const promiseSuffix = ".promise"

// searchSuffix ends the names of files with search proofs.
const searchSuffix = ".search-proof"

// kindOf recognises a file by what it begins with and, where that is damaged,
// by its name.
func kindOf(name string, b []byte) fileKind {
	begins := func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }
	switch {
	case begins("c2sp.org/tlog-proof@"), strings.HasSuffix(name, ".tlog-proof"):
		return kindReceipt
	case begins("cairn/v1 promised entry\n"), strings.HasSuffix(name, promiseSuffix):
		return kindPromise
	case begins("cairn/v1 search proof\n"), strings.HasSuffix(name, searchSuffix):
		return kindSearch
	case begins("cairn/v1 audited directories\n"):
		return kindAttestation
	case begins("cairn/v1 consistency proof\n"):
		return kindConsistency
	case begins("cairn/v1 audit state\n"):
		return kindState
	case begins("{"):
		return kindOfJSON(b)
	case isList(b):
		return kindSettings
	case bytes.Contains(b, []byte("\n\n— ")):
		return kindCheckpoint
	}
	if _, err := proofs.ParsePolicy(b); err == nil {
		return kindPolicy
	}
	return kindUnknown
}

// kindOfJSON tells the kinds in JSON apart by the first name, which those who
// write them put first.
func kindOfJSON(b []byte) fileKind {
	_, rest, _ := bytes.Cut(b, []byte(`"`))
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	switch string(name) {
	case "what":
		return kindEvidence
	case "name":
		return kindSettings
	}
	return kindEntry
}
