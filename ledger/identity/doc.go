// Package identity knows who a request comes from and what that may do. Its
// nouns are
//
//   - an [Identity]: a name that entries record, with its rights;
//   - a [Right]: a [Role], and the streams that it is for;
//   - an [Action]: what a request asks for; [Role.Actions] is the one table of
//     who may do what;
//   - a token: a bearer token that the ledger issued, see [Tokens];
//   - a client CA: whose certificates prove who a client is, see [CA];
//   - an issuer: whose OpenID Connect tokens do, see [Issuer];
//   - an [Authenticator]: all of these, asked at once.
//
// # Names
//
// An identity's name says who vouched for it, so that no two of them can be
// taken for one another (see [ParseName] for the parts):
//
//	alice@example.com                        a token that was issued to that name
//	cert:fleet:spiffe://example.org/web      a certificate of the client CA "fleet", by its URI
//	cert:fleet:CN=web-1                      the same, by its subject's common name
//	oidc:corp:alice@example.com              a token of the issuer "corp"
//	local operator                           whoever can open the server's own socket
//	nobody known                             whoever showed no credential that holds
//
// The name of a token has neither colons nor spaces. What a CA or an issuer
// says is written as it is where it is visible ASCII and no percent sign, and
// percent-encoded elsewhere. A name has at most 255 bytes.
//
// # What it promises
//
// Roles are apart: no right may do more than its role's row in the table, and
// an identity that can append can do nothing else. A credential that is not
// known to be good gives nothing: a token that does not hold is refused also
// where a certificate alone would do, and nobody gets the rights of two
// credentials. What is kept of a ledger's own token is its hash.
//
// A token is worthless from the moment it is revoked, and with the same write
// the act of whoever did it is kept, until the ledger has an entry that tells it:
// see [Tokens.Revoke]. A certificate is judged
// again with each request, not only when its connection began: by its time, by
// the CA's file and by the CA's list of revoked certificates, which are read
// again when they change. An issuer's keys are forgotten a day after it could
// last be asked; while it cannot be, nothing else waits for it.
//
// # What it does not do
//
// It asks no OCSP responder and fetches no list of revoked certificates: it
// reads the file that it is given. It does not sign anybody in: an issuer's
// token comes from elsewhere. It believes no header that a proxy sets.
package identity
