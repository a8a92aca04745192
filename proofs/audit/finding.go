package audit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// A FindingKind names what is wrong, for machines. Names never change their
// meaning.
type FindingKind string

// Findings about what the log signed.
const (
	CheckpointMissing   FindingKind = "checkpoint-missing"   // there is no checkpoint to judge by
	CheckpointMalformed FindingKind = "checkpoint-malformed" // it is not a signed checkpoint
	CheckpointSignature FindingKind = "checkpoint-signature" // it lacks the log's signature, or one is wrong
	CheckpointQuorum    FindingKind = "checkpoint-quorum"    // too few witnesses cosigned what is published
	CheckpointMisplaced FindingKind = "checkpoint-misplaced" // a kept one is not that of its size or log
	CheckpointFork      FindingKind = "checkpoint-fork"      // the log signed another history than this one
	CheckpointRollback  FindingKind = "checkpoint-rollback"  // the log signed a larger size before
)

// Findings about the tree and its files.
const (
	BundleMissing   FindingKind = "bundle-missing"   // a file of entries is not there
	BundleMalformed FindingKind = "bundle-malformed" // a file of entries can't be read as such
	TileMissing     FindingKind = "tile-missing"     // a file of hashes is not there
	TileMalformed   FindingKind = "tile-malformed"   // a file of hashes has the wrong size
	EntryAltered    FindingKind = "entry-altered"    // an entry is not the one that was signed
	TileAltered     FindingKind = "tile-altered"     // a hash is not the one that was signed
	TreeDisagrees   FindingKind = "tree-disagrees"   // two files disagree and no third one decides
	RootMismatch    FindingKind = "root-mismatch"    // entries and tiles lead to another root than the signed one
)

// Findings about what the entries say.
const (
	EntryMalformed   FindingKind = "entry-malformed"   // an entry that was signed is no leaf of a ledger
	CreatedMissing   FindingKind = "created-missing"   // entry 0 does not create this ledger
	CreatedAgain     FindingKind = "created-again"     // a later entry creates it again
	AfterClose       FindingKind = "after-close"       // an entry follows the ledger's end
	TimeBackwards    FindingKind = "time-backwards"    // an entry is older than one before it
	TimeAhead        FindingKind = "time-ahead"        // an entry is newer than the witnesses' cosignatures on it
	BucketUnopened   FindingKind = "bucket-unopened"   // an entry uses a bucket that no entry before it opened
	BucketConflict   FindingKind = "bucket-conflict"   // a bucket is used or opened for something else
	FieldKeyConflict FindingKind = "fieldkey-conflict" // a bucket commits to two keys of a field
	SourceGap        FindingKind = "source-gap"        // numbers of a source are missing
	SourceRepeat     FindingKind = "source-repeat"     // a number of a source comes twice
	VaultMissing     FindingKind = "vault-missing"     // a file of records is not there
	VaultMalformed   FindingKind = "vault-malformed"   // a file of records can't be read as such
	RecordAltered    FindingKind = "record-altered"    // a record is not the one its entry commits to
	RecordMissing    FindingKind = "record-missing"    // a record, or a part of it, is gone and no entry says why
	RecordHeld       FindingKind = "record-held"       // a record, or a part of it, is gone although a hold keeps it
	RecordRemains    FindingKind = "record-remains"    // a record, or all of it, is there although its closing is done
	PayloadMissing   FindingKind = "payload-missing"   // a payload, or a part of it, is gone and no entry says why
	PayloadUnopened  FindingKind = "payload-unopened"  // a payload can't be opened
	PayloadAltered   FindingKind = "payload-altered"   // a payload is not what its entry commits to
	ReceiptInvalid   FindingKind = "receipt-invalid"   // a receipt proves nothing
	ReceiptForeign   FindingKind = "receipt-foreign"   // a receipt is right and belongs to another tree
	ReceiptRollback  FindingKind = "receipt-rollback"  // a receipt is right and beyond the checkpoint
)

// Findings about what the entries say is closed and kept. Whoever writes them
// could as well have waited, asked or told the truth.
const (
	ClassConflict     FindingKind = "class-conflict"     // a class counts its periods in another unit than before
	ClassShorter      FindingKind = "class-shorter"      // an event is in a class that keeps it for less time than its stream wants
	ExpiryFalse       FindingKind = "expiry-false"       // an expiry is not of the bucket as it is
	ExpiryEarly       FindingKind = "expiry-early"       // a bucket expires before its time
	ExpiryUnproved    FindingKind = "expiry-unproved"    // no kept checkpoint with quorum shows that its time has come
	BucketExpired     FindingKind = "bucket-expired"     // an entry uses a bucket whose expiry was announced
	ErasureBroken     FindingKind = "erasure-broken"     // the entries that announce an erasure don't make one
	ErasureForeign    FindingKind = "erasure-foreign"    // an erasure names entries of another stream, or without a payload
	HoldUnknown       FindingKind = "hold-unknown"       // a hold is added to or released that is not there
	RequestMissing    FindingKind = "request-missing"    // two custodians are needed, and none asked for it
	RequestUnapproved FindingKind = "request-unapproved" // nobody else approved it, or it was withdrawn
	RequestEarly      FindingKind = "request-early"      // it is used before its grace is over
	RequestUsed       FindingKind = "request-used"       // it is used again
	DoneUnannounced   FindingKind = "done-unannounced"   // what is done was not announced, or was done before
	ClosingOverdue    FindingKind = "closing-overdue"    // what was announced is not done after a day
	KeyStateRollback  FindingKind = "keystate-rollback"  // the epoch of the keys falls
	KeyStateConflict  FindingKind = "keystate-conflict"  // an epoch of the keys has two hashes
	KeyStateUnchanged FindingKind = "keystate-unchanged" // what is done destroyed no key
)

// Findings about the directories of segments.
const (
	DirectoryMissing  FindingKind = "directory-missing"  // no directory stands at the place of one
	DirectoryFalse    FindingKind = "directory-false"    // a directory entry says of directories what is not so
	DirectoryReplaced FindingKind = "directory-replaced" // a directory was made anew, and no erasure took anything from it
	DirectoryWrong    FindingKind = "directory-wrong"    // a directory is not the one that the tags of its segment make
	DirectoryUnread   FindingKind = "directory-unread"   // a directory names entries as unread, and leaves out their tags
	DirectoryUnshown  FindingKind = "directory-unshown"  // tags or a directory are not shown as the log commits to them
)

// Findings about public entries that are not there any more.
const (
	PruneEarly       FindingKind = "prune-early"       // a minimum index is announced that is not allowed, or before its time
	PruneFalse       FindingKind = "prune-false"       // its announcement says what is not so
	PruneUnannounced FindingKind = "prune-unannounced" // entries are withheld that no entry allows to be
)

// NoIndex is the index of a finding that is not about an entry.
const NoIndex = -1

// A Finding is something that is wrong.
type Finding struct {
	Kind FindingKind `json:"kind"`
	// Index is the entry's, or the first one's that it concerns; or [NoIndex].
	Index int64 `json:"index"`
	// Last is the last entry's where it concerns several; else 0.
	Last int64 `json:"last,omitempty"`
	// Entries is how many there are from Index to Last, where others may lie
	// between them; else 0.
	Entries uint64 `json:"entries,omitempty"`
	// Path is the file where it shows; empty where it shows in none alone.
	Path string `json:"path,omitempty"`
	// Detail is a sentence for people.
	Detail string `json:"detail"`
	// More is how many files, or places of directories, right after this one have
	// the same fault.
	More int `json:"more,omitempty"`

	end int64 // where it is about the whole file, or a place: the entry where the next begins
}

// String returns the sentence and the file.
func (f Finding) String() string {
	switch {
	case f.Path == "":
		return f.Detail
	case f.More > 0:
		return fmt.Sprintf("%s: %s The same is true of the %d after it.", f.Path, f.Detail, f.More)
	}
	return f.Path + ": " + f.Detail
}

// findings collects up to a bound and counts all.
type findings struct {
	max   int
	total int
	kept  []Finding
	runs  map[FindingKind]fileRun
}

// A fileRun is where the last finding of a kind about a whole file is kept, and
// which entry the next file begins with.
type fileRun struct {
	at   int
	next int64
}

// add takes findings. Whole files one after the other that have the same fault
// become one finding.
func (fs *findings) add(list ...Finding) {
	for _, f := range list {
		fs.total++
		r, ok := fs.runs[f.Kind]
		switch {
		case ok && f.end > 0 && f.Index == r.next:
			fs.kept[r.at].More++
			fs.runs[f.Kind] = fileRun{r.at, f.end}
		case len(fs.kept) < fs.max:
			if f.end > 0 {
				fs.runs[f.Kind] = fileRun{len(fs.kept), f.end}
			}
			fs.kept = append(fs.kept, f)
		}
	}
}

// addAll takes n findings about entries, of which it asks only for those that
// it keeps.
func (fs *findings) addAll(list iter.Seq[Finding], n int) {
	for f := range list {
		if len(fs.kept) == fs.max {
			break
		}
		fs.add(f)
		n--
	}
	fs.total += n
}

// sorted returns the findings by index and path, those without an index first.
func (fs *findings) sorted() []Finding {
	slices.SortStableFunc(fs.kept, compareFindings)
	return fs.kept
}

func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
}
