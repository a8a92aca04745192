//go:build !long

package local_test

// long is set by -tags long.
const long = false
