//go:build long

package ledger

// closingStride: every step of the closings is tried.
const closingStride = 1
