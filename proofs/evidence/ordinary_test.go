//go:build !long

package evidence_test

// long is set by -tags long.
const long = false
