// Package httpapi serves a ledger by HTTP. Its faces can be served together
// or each at an address of its own:
//
//	Public  the static log of C2SP tlog-tiles: checkpoint, tiles, entry bundles; no token
//	Write   appending to streams
//	Read    entries, tails, proofs, receipts, sealed records
//	Admin   streams, retention classes, tokens, status
//	Health  /metrics, /healthz, /readyz
//
// cairn-http(7) describes them to those who use them, and doc/openapi.yaml to
// their programs; a test holds the server to both.
//
// An [API] is a ledger with an [identity.Authenticator]; [API.Handler] gives the handler of
// any set of faces, [API.Local] one that needs no token, for a socket that only
// the operator can open. A [Server] serves handlers with the time-outs and
// bounds that hostile clients call for, and ends gracefully.
//
// # What it promises
//
// Whom nobody vouches for is answered nothing but what is public, and roles say
// all that an identity may do: a writer cannot read, a reader cannot append. A
// reader of a stream may read what is about that stream
// ([ledger.Ledger.StreamOf]): its events, its settings entries and the entries
// that opened its buckets, which is what computing the tags of its events again
// takes. All other control entries are for readers of [identity.EveryStream]
// alone. Of a token only a hash is kept. Whatever a request holds is bounded
// before it is read; so are the requests and bytes under way. No refusal
// tells of paths, storage or keys: what an operator must know of an internal
// error is in the log, under the instance that the refusal names.
//
// # What it does not do
//
// It keeps no state; what was done while the ledger took no entries, which is
// that tokens were revoked, lies beside the tokens until [Serve] has recorded it.
// It does not limit how often somebody asks: a proxy can.
package httpapi
