package httpapi

import (
	"net"
	"net/http"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
)

// headerReason says why somebody reads, percent-encoded like the other
// headers. It is recorded with what is read.
const headerReason = "Cairn-Reason"

// maxReason bounds a stated reason in bytes.
const maxReason = 1024

// session returns the ledger as whoever asks uses it.
func (c *call) session() *ledger.Session {
	role, _ := c.who.Role(c.needs)
	return c.api.ledger.As(ledger.Caller{Name: c.name(), Role: string(role), From: c.from(), Because: c.reason, May: c.mayRead})
}

// name returns who asks, also where that is refused.
func (c *call) name() string {
	switch refusal := c.w.refusal; {
	case c.who.Name != "":
		return c.who.Name
	case refusal != nil && refusal.Who != "":
		return refusal.Who
	}
	return identity.Nobody
}

// mayRead reports whether whoever asks may read entries of a kind about a
// stream: events and settings by the right to read the stream, and what the
// ledger says of itself by the right to its history.
func (c *call) mayRead(kind proofs.Kind, stream string) bool {
	if stream != "" && c.who.May(identity.Read, stream) {
		return true
	}
	return kind != proofs.Event && c.who.May(identity.ReadHistory, stream)
}

// from says where the request comes from.
func (c *call) from() string {
	if c.local {
		return "local socket"
	}
	return remoteHost(c.Request)
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// readReason reads the stated reason of a request.
func (c *call) readReason() error {
	given := c.Header.Values(headerReason)
	if len(given) == 0 {
		return nil
	}
	if len(given) > 1 || given[0] == "" {
		return badRequest("the header %s is given more than once or empty", headerReason)
	}
	reason, err := unescape(headerReason, given[0])
	if err != nil {
		return err
	}
	if len(reason) > maxReason {
		return badRequest("the reason has %d bytes, more than %d", len(reason), maxReason)
	}
	c.reason = reason
	return nil
}
