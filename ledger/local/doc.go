// Package local keeps a whole ledger in one directory of this machine: it
// opens the storage, the embedded Trillian, the keys and the policy, and puts
// a [ledger.Ledger] together from them. cairnd is built on it, and so is a
// program that embeds a ledger.
//
// [Init] makes the directory, once and explicitly; [Open] opens it. The
// directory holds
//
//	cairn.toml        the configuration, see [Config]
//	policy            the C2SP tlog-policy of the ledger
//	keys/log.key      the signing keys of the log, 0600
//	keys/secrets.key  the key of local state, 0600
//	keystate/         the key tree, from which the keys of payloads come
//	data/             journal, vault, tree, index, search index and registers
//
// and the configuration can put each of them elsewhere, and the key tree in
// several places, see [KeyState]. Key files are in clear or encrypted with a
// passphrase (age, scrypt), see package signing; the Ed25519 key can be one that
// an ssh-agent has. Whoever has keys/log.key can sign for the log, and
// whoever has keystate/ and data/ can read every payload; the data directory
// alone shows nothing but what is public.
//
// Back up keys/, and apart from it data/. No copy of keystate/ may be kept:
// with one that is older than an erasure what was erased can be read again.
// The search index, data/search, needs no backup: it is made again.
package local
