//go:build !long

package ledger

// closingStride is which steps of the closings are tried: every so manieth.
const closingStride = 29
