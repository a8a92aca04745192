// Package evidence is one file that shows entries of a ledger to somebody who
// has nothing else: no server, no network, no key. A [Writer] makes it, a
// [Reader] holds it to its form, [Verify] says what it proves.
//
// # The file
//
// A file is text: lines of JSON, each an object that says in its first member
// what it is. They come in this order.
//
//	{"line":"header",…}      one        whose ledger, what was chosen, by which policy    [Header]
//	{"line":"checkpoint",…}  1 to 2^16  signed by the log and witnesses, by rising size   [Checkpoint]
//	{"line":"search",…}      to 64      proofs of which events fit a query, and no others [Search]
//	{"line":"attestation",…} to 16      auditors' words on what the searches rest on      [Attestation]
//	{"line":"context",…}     to 2^16    entries that say something of others              [Entry]
//	{"line":"entry",…}       from 1     the entries that were chosen, by rising index     [Entry]
//	{"line":"end",…}         one        how many lines, and the hash of all before it     [End]
//
// A file that has a search need not have an entry: that nothing fits is worth
// showing too. Attestations come with searches, and context with entries, only.
//
// A line has one form: that of encoding/json without white space, which escapes
// in strings only what must be and U+2028, U+2029; members in the order of the
// types here, and none that is empty, unless it says so there. Bytes are in
// standard base64. A line ends in a newline, which is one byte, 0x0a, and the
// last one too. Whatever differs is refused, and so is a line that is not
// known: another form of file has another word than "cairn/v1 evidence". What a
// file does not have takes no byte of it: the end counts searches and attestations
// only where there are some.
//
// # How it is read
//
// A checkpoint is a C2SP signed note. Each but the first has the proof that
// its tree begins with that of the one before (RFC 6962 §2.1.2), so that all are
// of one history, and each entry has the proof that it is under the last (RFC
// 6962 §2.1.1). An entry's line and the last checkpoint thus make a receipt,
// and what they prove of the entry is true of every earlier checkpoint that covers
// it. The smaller ones are there for their time: when the witnesses had not yet
// seen an entry, and when they had; and because expiries name them.
//
// The leaf of an entry commits to its payload and its tags, which the
// disclosure shows with their openings ([proofs.Disclosure.Check]). With the
// field keys, the settings of its stream and the entries that opened its bucket,
// both in the context, anybody can compute the tags again.
//
// Where something is missing the line says why in one word, and names the
// entries of the context that are the published reason: expiries and erasures
// that name the entry, holds on it and their releases. The context also has
// what these refer to: the class by which a bucket expired, requests and
// approvals, and the entries that say that the keys are destroyed. What an entry
// of the ledger's own said of a person goes with the erasure of the person, which
// does not name it: any erasure that came later may be the reason, and the
// report says that it may be another ([Closing.Possible]).
//
// A search is a proof that some events of a stream are the answer to a query, and
// that there are no others ([proofs.SearchProof.Check]). It has a checkpoint of its
// own, which was the ledger's latest when it was made. That has to have the size
// and the root of a checkpoint of the file, or nothing would show that the search
// is of the same history: it is a finding otherwise, and of a fork it says so. An
// event that a search finds need not be in the file: the report says
// which are, and which are found and not included. Where an entry of the file has what
// is asked for, by its payload and the tags that were computed again, in a range where
// nothing was closed or unread, and the search did not find it, the directories
// that the search rests on are convicted. An attestation counts if the verifier
// believes the auditor who signed it ([Options.Auditors]).
//
// The end counts the lines and has the SHA-256 of everything before it, in
// hexadecimal as sha256sum prints it. So a file that was cut, reordered or
// damaged is told from a whole one. That is no seal: whoever leaves out an entry
// can count and hash again.
//
// # Why lines of JSON
//
// Somebody who gets such a file may know nothing of Cairn and have a text
// editor, jq and a weekend. An archive has a structure of its own, with room for
// what two programs read differently; a binary form is a third smaller and
// needs a program before anything shows. Lines can be written and read one by
// one, so that a file of any size takes the memory of its largest entry.
//
// # What is believed
//
// Nothing in the file. Which log and witnesses count is decided by the policy
// that the verifier brings. The policy in the file is what the maker believed;
// if [Verify] has no other the report says so, and what it shows is only that
// the file agrees with itself.
//
// # What it does not show
//
// That an event is true; that nothing was left out, but within a run of
// indices, and of what a search asks for as far as it says; that a payload that is gone was not held by what the file does not
// have. The audit of a whole ledger shows the last. [Report.NotProven] says
// what else one could think.
//
// # Limits
//
// The bounds are at [MaxLine] and below it. A verifier keeps of each checkpoint
// 112 bytes, of each search its verdict, and what the context says: the lines of
// searches are at most 128 MiB together, and those of the context 64 MiB.
package evidence
