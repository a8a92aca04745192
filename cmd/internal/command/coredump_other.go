//go:build !linux

package command

// RefuseCoreDumps does nothing on this system, where the operator refuses
// them.
func RefuseCoreDumps() error { return nil }
