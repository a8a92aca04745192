package main

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

const exitHelp = `
Exit status:
  0  yes: done, and all that was checked verifies
  1  no: something does not verify, or the ledger refused it
  2  wrong usage
  3  could not tell: a file, the network, the ledger's server, or the right to ask
`

// errNo is an answer that is no, where no other error says so.
var errNo = errors.New("no")

func statusOf(err error) int {
	var problem *client.Problem
	switch {
	case command.IsUsage(err):
		return command.Misuse
	case errors.Is(err, errNo), errors.Is(err, proofs.ErrNotVerified), errors.Is(err, proofs.ErrMalformed):
		return command.No
	case errors.As(err, &problem) && isRefusal(problem):
		return command.No
	}
	return command.Unknown
}

// isRefusal reports whether a problem is the answer no. The others mean that
// the ledger could not or would not say.
func isRefusal(p *client.Problem) bool {
	switch p.Code() {
	case client.BadRequest, client.NoSuchEntry, client.NoSuchStream, client.AlreadyExists,
		client.Gone, client.Disabled, client.TooLarge, client.Conflict, client.Invalid:
		return true
	}
	return false
}

// hintsFor says what to do about an error beside the hint that it carries,
// where we know what was meant.
func (p *program) hintsFor(err error, path string) []string {
	var problem *client.Problem
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	none := command.HintOf(err) == ""
	switch {
	case command.IsUsage(err) && none:
		return []string{"see: " + path + " --help"}
	case errors.As(err, &problem):
		return p.hintsOf(problem)
	case errors.Is(err, client.ErrOtherLedger):
		return []string{"if it is another ledger, give it a memory of its own with --state FILE or CAIRN_STATE; if it is not, ask whoever runs it what became of its old key, and do not rely on it"}
	case errors.As(err, &untrusted):
		return []string{"nobody whom this system trusts has signed the server's certificate; name others to trust with SSL_CERT_FILE"}
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &network) && network.Timeout():
		return []string{"is the ledger running, and is CAIRN_URL (or --url) its address?"}
	case errors.Is(err, storage.ErrLocked):
		return []string{"another cairn uses the same state; wait for it, or give another file with --state"}
	case none && errors.Is(err, fs.ErrNotExist):
		return []string{"is the name right, and does the URL lead to a ledger?"}
	}
	return nil
}

func (p *program) hintsOf(problem *client.Problem) (hints []string) {
	aboutHeader := problem.Hint == "" || strings.HasPrefix(problem.Hint, "send it as: ")
	switch {
	case problem.Code() == client.Unauthorized && aboutHeader && p.givesToken():
		return []string{"the token is mistyped or was revoked, or it expired and others were issued since; an operator sees which hold with: cairnd token list; and makes another with: cairnd token issue"}
	case problem.Code() == client.Unauthorized && aboutHeader:
		return []string{"give a token with CAIRN_TOKEN or --token-file; an operator makes one with: cairnd token issue"}
	case problem.Code() == client.ReasonNeeded:
		return []string{"say why you read with --reason TEXT: it is recorded with what you read"}
	}
	if problem.Hint != "" {
		hints = append(hints, problem.Hint)
	}
	if problem.Code() == client.Forbidden {
		hints = append(hints, "an operator makes a token of the right role, for the right stream, with: cairnd token issue")
	}
	return hints
}
