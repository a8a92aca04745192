package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// The exit statuses, the same in all of Cairn's commands.
const (
	exitYes     = 0
	exitNo      = 1
	exitUsage   = 2
	exitUnknown = 3
)

const exitHelp = `
Exit status:
  0  yes: done, and all that was checked verifies
  1  no: something does not verify, or the ledger refused it
  2  wrong usage
  3  could not tell: a file, the network, the ledger's server, or the right to ask
`

// A ranError is the error of a command that ran.
type ranError struct{ err error }

func (e ranError) Error() string { return e.err.Error() }
func (e ranError) Unwrap() error { return e.err }

// A usageError means that the command was used wrongly.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// A hintedError says what to do, too.
type hintedError struct {
	err  error
	hint string
}

func (e hintedError) Error() string { return e.err.Error() }
func (e hintedError) Unwrap() error { return e.err }

// hinted adds a hint to an error; nil stays nil.
func hinted(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hintedError{err, fmt.Sprintf(format, args...)}
}

// errNo is an answer that is no, where no other error says so.
var errNo = errors.New("no")

func statusOf(err error) int {
	var wrong usageError
	var problem *client.Problem
	switch {
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, errNo), errors.Is(err, proofs.ErrNotVerified), errors.Is(err, proofs.ErrMalformed):
		return exitNo
	case errors.As(err, &problem) && isRefusal(problem):
		return exitNo
	}
	return exitUnknown
}

// isRefusal reports whether a problem is the answer no. The others mean that
// the ledger could not or would not say.
func isRefusal(p *client.Problem) bool {
	switch p.Code() {
	case client.BadRequest, client.NoSuchEntry, client.NoSuchStream, client.AlreadyExists,
		client.Gone, client.TooLarge, client.Conflict, client.Invalid:
		return true
	}
	return false
}

// hintsFor says what to do about an error, where we know what was meant.
func hintsFor(err error, command string) (hints []string) {
	var given hintedError
	if errors.As(err, &given) {
		hints = append(hints, given.hint)
	}
	var wrong usageError
	var problem *client.Problem
	var network net.Error
	switch {
	case errors.As(err, &wrong):
		hints = append(hints, "see: "+command+" --help")
	case errors.As(err, &problem):
		hints = append(hints, hintOf(problem)...)
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &network) && network.Timeout():
		hints = append(hints, "is the ledger running, and is CAIRN_URL (or --url) its address?")
	case errors.Is(err, storage.ErrLocked):
		hints = append(hints, "another cairn uses the same state; wait for it, or give another file with --state")
	case len(hints) == 0 && errors.Is(err, fs.ErrNotExist):
		hints = append(hints, "is the name right, and does the URL lead to a ledger?")
	}
	return hints
}

func hintOf(p *client.Problem) (hints []string) {
	if p.Hint != "" {
		hints = append(hints, p.Hint)
	}
	switch p.Code() {
	case client.Unauthorized:
		hints = append(hints, "give a token with CAIRN_TOKEN or --token-file; an operator makes one with: cairnd token add")
	case client.Forbidden:
		hints = append(hints, "the token has another role; an operator makes one with the right role with: cairnd token add")
	}
	return hints
}
