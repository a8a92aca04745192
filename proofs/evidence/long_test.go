//go:build long

package evidence_test

// long makes the tests complete.
const long = true
