//go:build !long

package cmd_test

// everyEvent: a sample of the real events is enough.
const everyEvent = false
