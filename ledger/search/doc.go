// Package search is the search index of a ledger: which entries have these
// values of declared fields, these words, and are of this time. It is handed
// documents and keys, and answers the queries of package query. It knows
// nothing of the ledger, has no clock, and can be deleted and built again at
// any time.
//
// Its nouns: a [Document] is what there is to find about an entry. An [Index]
// takes documents in the order of their entries. A segment is an aligned range
// of entries, small (4,096) or large (65,536). A part of the index is the
// documents of one bucket in one segment, named by a [FileID]: a file, or
// memory while its segment is open. Parts of small segments are merged when
// their large segment is whole. An [Outline] has what it takes to show rows of a
// bucket's directory in a segment without making all of them again. A [Request] is asked over some buckets, and touches
// the files of no other.
//
// # What is promised
//
// An answer names exactly the entries that fit, as [query.Match] would judge
// them, among the documents below [Scope].Size that are in no gap: whatever is
// damaged, lost or forgotten is a gap of the answer, and never a wrong hit or a
// hit less. Queries see the index as it was when they began, and neither wait
// for changes nor hold them up. Paging is stable while the index grows: a
// cursor is an index.
//
// Nothing is at rest in the clear. Each file is sealed under a random key of its
// own, which lies in the register, which is sealed under an index key. [Index.Forget]
// takes away every file that has one of some entries, and writes the register under
// the index key of another generation: when the key of the one before is
// destroyed, nothing that the file system holds opens to what was forgotten.
// Files are written once, so a key never seals two things in one place.
//
// Files and register are written and synced before they are needed, in the order
// that a power cut asks for. A write that fails has changed nothing, or the
// index takes no more changes until it is opened again. What an opening then
// finds is right, if perhaps less: the rest is [Index.Missing], or is added again
// from [Index.Next] on, which are fewer than 4,096 entries after an ordinary stop.
//
// # How it is fed
//
// A follower opens the index, adds the documents of the entries from [Index.Next]
// on in batches, as far as the ledger is published, and builds what is
// [Index.Missing] of the documents of its bucket and segment; it asks for both
// again after each step, for Next may fall and parts may go missing at any time.
// Before the index key of a generation is destroyed, Forget or Drop have to have
// succeeded under another one; a crash between the two is nothing to repair. If an
// index has failed it is opened again. The whole is built again by opening it
// with [Config].Anew, and adding all from 0 on.
//
// # What the index cannot tell
//
// Words have no places in the index: places would take some 20 bytes an
// entry. So a phrase is looked for among the entries that have all its words,
// by [Request].Check, which opens their payloads: the cost is one payload for
// each such entry, and for a page no more than it takes to fill it. The same
// holds for paths that no field is declared for, where each entry is opened that
// the rest of the query leaves, and for values of more than 1,024 bytes, of
// which only the beginning is indexed.
//
// # Files
//
// A file is blocks of about 4 kB, each sealed with AES-256-GCM under the file's
// key; its nonce is its number, and with it the name of the file and the number
// are authenticated. Blocks have rows in the order of their keys, those of one
// section side by side: a section is a field's values, in the order in which
// they compare, or the words. A row has its key without what it shares with
// the one before, and the positions that it occurs at: one as it is, many as bits,
// others by their differences. The last block is the directory: the first key
// of each block, the positions of all documents, and where their times are. The
// register says where it is.
//
// # Outlines
//
// The directories that proofs rest on ([proofs.DirectoryRows]) are made elsewhere,
// of the tags of all entries of a segment, which takes too long for each proof.
// An outline has of their rows, in their order, the positions, the secret that
// salts come from, and the hashes of each 32 rows. It has no tags but the first
// bytes of each 32nd: those of 32 rows are read from one entry of each row when
// they are asked for. So it takes 18 bytes an entry, where whole rows would take
// 50. It is a file of its own, sealed as all are, which is taken away with any of
// its entries, and with its bucket. It may be missing, and is then made anew or
// not: who asks makes the rows. What it says proves nothing: what is shown of it is
// to be checked against the directory ([proofs.SearchRows.CheckTags]).
//
// # Limits
//
// A value has 1,024 bytes that are indexed, a word 64. A document has at most
// 65,536 values and 8 million words. A facet and a histogram have at most 10,000
// values and times. An index has at most 2 million parts. Memory: the open
// segment (2 MB where documents have 13 values and 40 words; beyond 64 MB it is
// put aside in files), the cache of opened blocks ([Config].CacheBytes), and about
// 300 bytes a part. A query needs 8 kB for each term and part that it looks at,
// one part after another; a facet that for all parts.
package search
