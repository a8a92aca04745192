package proofs

import "errors"

// ErrMalformed is matched by every error of a Parse function: the bytes are
// not in the format at all. What was never well formed proves nothing.
var ErrMalformed = errors.New("malformed")

// ErrNotVerified is matched by every error of a Check function that means
// "no": the evidence is well formed and does not show what it claims. An
// error that matches neither ErrMalformed nor ErrNotVerified means "could not
// be checked": something was missing or could not be read.
var ErrNotVerified = errors.New("does not verify")

// ErrUnsigned means that a key outside of this process gave no signature, or
// a wrong one (see [NewSigningKey]). Nothing was signed, and it may be tried
// again.
var ErrUnsigned = errors.New("not signed")

// ErrUnread means that a ledger could not read what it has stored, as when the
// medium is damaged: see [SearchSource].
var ErrUnread = errors.New("could not be read")
