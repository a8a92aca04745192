package ledger

import (
	"fmt"
	"io"
)

// What holds secrets in fields of its own prints none of them, whatever the
// verb: fmt asks a field that is not exported for no method, and would print
// its bytes.

// String says what they are.
func (Secrets) String() string { return "(secrets)" }

// Format hides the secrets from every verb.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String names the ledger by its origin.
func (l *Ledger) String() string { return "ledger " + l.origin() }

// Format prints the name, whatever the verb.
func (l *Ledger) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

func (*keyring) Format(f fmt.State, _ rune)    { _, _ = io.WriteString(f, "(keys)") }
func (*bucketKeys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(keys of a bucket)") }
func (subjectKeys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(keys of a subject)") }
func (subject) Format(f fmt.State, _ rune)     { _, _ = io.WriteString(f, "(subject)") }
func (*admission) Format(f fmt.State, _ rune)  { _, _ = io.WriteString(f, "(admission)") }
