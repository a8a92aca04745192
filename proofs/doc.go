// Package proofs says what is true: the public formats of a Cairn ledger, and
// the checks that let anybody verify it without trusting the server. It is
// pure: no network, no files, no clock, no randomness of its own; what it
// needs comes in through arguments. It is meant to be read by strangers, and
// to be compiled wherever Go can be.
//
// # Nouns
//
// An entry has a public side and a private one. Its [Leaf] is public: when,
// of what kind, in which stream and bucket, and two commitments. C commits to
// the payload, T to the tags. The tree hashes leaves, and nothing else.
//
// The payload is a list of parts. A [Part] is an event as it arrived and what
// came with it. An event that concerns several people can be divided into parts
// ([Extractor.Split], [JoinParts]), so that it loses only what concerns the one
// who is erased. A part rests sealed ([SealPart], [OpenPart]), in a [Record]
// with sealed tags, which are erased one by one ([ScrubRecord]). A [Tag] stands
// for the value of one declared field ([Field]): who has the field's key can
// find equal values, and nobody else can. A [Disclosure] shows an entry, or
// some of it, to somebody without the keys.
//
// A [Checkpoint] is the head of the tree, which the log and independent
// witnesses sign ([Key], [Note], [Cosignature]). A [Policy] is the verifier's
// own: which log, and which witnesses it takes to believe it. A [Receipt]
// proves an entry against a policy, offline. A [Tile] and a [Bundle] are files
// with the tree's hashes and entries, which a [Reader] makes proofs from. A
// [Promise] is the log's signed word on an entry that is not witnessed yet.
//
// Some entries are the ledger's own. Their bodies, which everybody can read,
// say how entries are treated ([SettingsBody], [BucketBody]) and why payloads
// are gone ([ExpiryBody], [ErasureBody], [HoldBody], [ReleaseBody],
// [AdministrationBody]); an [Act], which is sealed, says who did what.
//
// Every 4096 entries are a segment ([SegmentID]), and sixteen segments a large
// one. A segment has a directory: for each bucket its rows ([DirectoryRows]), one
// for each tag that any entry of the bucket has there, with the positions of
// those entries. The log commits to the heads of all directories
// ([DirectoryHead]) in entries at fixed places ([DirectoryBody]). A head names the
// entries that the ledger could not read, whose tags are in no row. A
// [SearchProof] shows which entries have all of some values, and that no others
// do: from directories as far as they go, and from the tags of all entries
// behind.
//
// # How one thing leads to the next
//
// Whoever holds an event and believes a policy can follow this chain. Each
// step is one check, and no step needs the ledger:
//
//	the event
//	  → its part         FormatPart
//	  → the binding      Binding: HMAC with the opening that was sealed beside the part
//	  → C                Disclosure.Check: SHA-256 of bindings and of what is sealed
//	  → the leaf         ParseLeaf
//	  → the root         CheckInclusion: RFC 6962
//	  → the checkpoint   ParseSignedCheckpoint
//	  → the policy       Policy.Check: the log signed, and a quorum of witnesses
//
// Receipt.Check does the steps from the leaf on.
//
// # What the answer to a search rests on
//
// [SearchProof.Check] needs the policy and nothing else. That each hit is one
// follows from the tree alone. That there are no others follows
//
//   - from the tree, for entries that were looked through one by one;
//   - from directories, for all before: a row that is in none, or lacks a
//     position, is not missed. Directories are a function of the tags that the
//     entries commit to ([DirectoryBuilder], [MergeRows]), so whoever is shown
//     these can make them anew, and a false one is evidence for ever;
//   - from the log having committed to one key of a field in a bucket, to times
//     that never decrease, and to tags that are those of the payload. Whoever
//     audits the whole ledger, or opens the payload, finds where that is not so.
//
// What expired or was erased nobody can search any more. The verdict names the
// entries that announced it. Nor can be searched what a ledger has lost: the
// verdict names the entries, and is not that of a complete answer then. A ledger
// cannot say so of anything in secret.
//
// A proof reveals more than its answer: the keys of the fields that are asked
// for, with which values can be tried on all tags that are seen; in each segment
// that the range touches how many different tags each bucket of the stream has,
// the two next to one that is asked for and is not there, which entries have a
// value of the query, also outside of its range and where they lack another one,
// and which buckets of other streams have tags; and all tags of the entries that
// were looked through one by one.
//
// # What a leaf looks like
//
// Formats that are Cairn's own are written in the presentation language of
// TLS (RFC 8446 §3) at the type they belong to; all others are C2SP's. The
// package's example makes this leaf, of an event without a source, in 85 bytes:
//
//	01                          version
//	00                          kind: event
//	0006 60f0 5550 3000         2026-11-23 12:00:00 UTC, in microseconds since 1970
//	0000 0001                   stream 1
//	0000 0002                   bucket 2
//	00                          no source
//	192e … 5bad                 C, 32 bytes
//	e3b0 … b855                 T, 32 bytes: no tags, the root of the empty tree
//	0000                        no control body
//
// The directory testdata/vectors of the module has vectors of every format,
// each with a sentence and a verdict, for programs in any language.
//
// # Promises
//
// What parses has one form: Format writes the same bytes again. Lengths are
// bounded before anything is allocated for them. What a Check function
// accepts is covered in every byte, by a hash or by a signature, except where
// its format says otherwise. Nothing panics on hostile input. Secrets
// ([Key256], [SigningKey]) hide from fmt and log.
//
// What is sealed tells nothing without its keys but its size, to within 12 %.
// When the key of its bucket or of any of its subjects is destroyed, so is all
// that could be learned from it, C and T included.
//
// # Errors
//
// There are three kinds, and callers treat them differently:
//
//   - [ErrMalformed]: the bytes are not in the format. Every Parse function
//     says so, and every Format function that is given what Parse would refuse.
//   - [ErrNotVerified]: the answer is no. The evidence is well formed, and does
//     not show what it claims.
//   - any other error: it could not be checked, because something is missing
//     or could not be read, or because the caller passed what makes no sense.
//
// # What it does not do
//
// It does not fetch or store anything, and it does not decide whom to
// believe: policies, keys and checkpoints that were believed before come from
// the caller. It derives no bucket and subject keys from a root. It judges one
// piece of evidence at a time; package audit judges a whole ledger. A verified
// entry was recorded when the witnesses say it was: that what it says is true
// is another matter.
package proofs

//go:generate go run ./internal/vectors ../testdata/vectors
