//go:build long

package local_test

// long makes the tests of faults complete.
const long = true
