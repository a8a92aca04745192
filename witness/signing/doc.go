// Package signing keeps the keys that logs and witnesses sign with: in a file,
// in clear or under a passphrase, or in an ssh-agent, which may have them on a
// token.
//
// A file of keys has a line for each of them. Empty lines and lines that begin
// with # are comments:
//
//	PRIVATE+KEY+<name>+<key ID>+<base64>   the key, see [proofs.ParseSigningKey]
//	ssh-agent <vkey>                       an Ed25519 key that the ssh-agent has
//
// The second kind holds no secret. What a log or a witness signs with Ed25519
// is signed as it is, and so an agent signs with a key of the type ssh-ed25519;
// ML-DSA-44 keys are in files.
//
// # What it promises
//
// A file of secrets that others can read is refused. No error shows a secret,
// or what an agent said in the place of an answer. A key of an [Agent] gives
// only signatures that were checked ([proofs.NewSigningKey]), and gives up
// after a time. The agent is asked only when something is to be signed, over a
// connection for each request: it may be away at the start, restart, be locked
// and unlocked at any time.
//
// # What it does not do
//
// It writes no file, and it does not try again: what asks for a signature knows
// when the next attempt makes sense. It speaks to agents at unix sockets, and
// to no others, such as named pipes of Windows. It loads no PKCS#11 modules,
// which no Go program does without cgo: an agent does.
package signing
