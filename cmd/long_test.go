//go:build long

package cmd_test

// everyEvent: all real events take part.
const everyEvent = true
