package identity

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Kind says what an identity was known by.
type Kind string

// The kinds.
const (
	ByToken       Kind = "token"       // of this ledger
	ByCertificate Kind = "certificate" // of a client
	ByIssuer      Kind = "oidc"        // a token of an issuer
	Locally       Kind = "local"       // the server's own socket
	ByNothing     Kind = "none"        // no credential, or nothing that could be one
)

// An Identity is who a request comes from, and what that may do.
type Identity struct {
	Name       string    // what entries record, see the package's comment
	Kind       Kind      //
	Credential string    // which one of it, for the server's log: the ID of a token, the serial number of a certificate
	Rights     []Right   //
	Expires    time.Time // when the credential ends; zero: never
}

// Local returns whoever can open the server's own socket: the user who runs it,
// and has its keys.
func Local() Identity {
	return Identity{Name: localName, Kind: Locally, Rights: []Right{{Role: Operator}, {Role: Custodian}}}
}

const localName = "local operator"

// Nobody is the name of whoever is not known. It has a space, so that no token
// has it.
const Nobody = "nobody known"

// Role returns the role by which the identity may do one of the actions, the
// first if there are several, and whether there is one.
func (i Identity) Role(a Action) (Role, bool) {
	for _, r := range i.Rights {
		if r.Role.Actions()&a != 0 {
			return r.Role, true
		}
	}
	return "", false
}

// May reports whether the identity may do one of the actions to what is about a
// stream; the empty name is the ledger itself.
func (i Identity) May(a Action, stream string) bool {
	return slices.ContainsFunc(i.Rights, func(r Right) bool {
		return r.Role.Actions()&a != 0 && r.covers(stream)
	})
}

// Roles names what the identity is, for messages: "a reader and an auditor".
func (i Identity) Roles() string {
	var names []string
	for _, r := range i.Rights {
		article := "a "
		if strings.ContainsAny(string(r.Role[:1]), "ao") {
			article = "an "
		}
		if name := article + string(r.Role); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// unless returns an identity that an authority vouches for, or why it is none:
// it is refused by name, its name cannot be recorded, or its rights cannot be
// together. Who can append can do nothing else.
func (i Identity) unless(refused bool) (Identity, *Refusal) {
	writes := func(r Right) bool { return r.Role == Writer }
	switch {
	case refused:
		return Identity{}, &Refusal{Kind: i.Kind, Outcome: Revoked, Who: i.Name, Detail: "whoever this is the operator refuses"}
	case len(i.Name) > maxName:
		return Identity{}, &Refusal{Kind: i.Kind, Outcome: Nothing, Detail: fmt.Sprintf("the identity's name would have more than %d bytes", maxName)}
	case slices.ContainsFunc(i.Rights, writes) && slices.ContainsFunc(i.Rights, func(r Right) bool { return !writes(r) }):
		return Identity{}, &Refusal{Kind: i.Kind, Outcome: Nothing, Who: i.Name, Detail: "nobody may be " + i.Roles() + ": who can append can do nothing else",
			Hint: "ask the operator for grants of which only one matches"}
	}
	return i, nil
}

// Credentials are what a request shows of who it comes from.
type Credentials struct {
	Authorization []string             // the values of the header
	TLS           *tls.ConnectionState // nil: no TLS
}
