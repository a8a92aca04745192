package command

import (
	"errors"
	"fmt"
)

// A usageError means that a command was used wrongly.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// Usage returns an error that means wrong usage. It wraps what %w stands for.
func Usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// IsUsage reports whether an error means wrong usage.
func IsUsage(err error) bool {
	var wrong usageError
	return errors.As(err, &wrong)
}

// A hintedError says what to do, too.
type hintedError struct {
	err  error
	hint string
}

func (e hintedError) Error() string { return e.err.Error() }
func (e hintedError) Unwrap() error { return e.err }

// Hinted adds a hint to an error, which [Program.Fail] tells with it; nil
// stays nil.
func Hinted(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hintedError{err, fmt.Sprintf(format, args...)}
}

// HintOf returns the hint that an error carries, the outermost; "" if none.
func HintOf(err error) string {
	var hinted hintedError
	errors.As(err, &hinted)
	return hinted.hint
}
