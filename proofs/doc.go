// Package proofs says what is true: the public formats of a Cairn ledger and
// the checks that let anybody verify it without trusting the server.
package proofs
