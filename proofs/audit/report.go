package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A Report is the outcome of a run.
type Report struct {
	// Checkpoint is the one the ledger was judged by; Verdict says who signed.
	// Both are zero where there was none to judge by.
	Checkpoint proofs.Checkpoint `json:"checkpoint,omitzero"`
	Verdict    proofs.Verdict    `json:"-"`

	// Findings is what is wrong, by index and path. Total counts also those
	// beyond [Options.MaxFindings].
	Findings []Finding `json:"findings"`
	Total    int       `json:"total"`

	Summary Summary `json:"summary"`

	// Directories are those that were made again and are right, small ones first,
	// rising.
	Directories []proofs.MadeDirectory `json:"-"`

	// State is what the next run may start from. It is nil where something
	// was found that a run from here would not find again.
	State *State `json:"-"`
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return r.Total == 0 }

// A Summary says what was judged.
type Summary struct {
	Origin string `json:"origin"`
	// The entries [From, To) were judged; those before From in earlier runs.
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Bytes is the size of the entries, the leaves alone.
	Bytes uint64 `json:"bytes"`
	// Unread counts entries whose bytes are missing or not the signed ones.
	Unread uint64 `json:"unread"`
	// Withheld counts entries that are not there because they are pruned.
	Withheld uint64 `json:"withheld,omitempty"`
	// Kinds counts the entries that could be read by their kind.
	Kinds map[string]uint64 `json:"kinds"`
	// FirstTime and LastTime are those of the entries that could be read.
	FirstTime time.Time `json:"first_time,omitzero"`
	LastTime  time.Time `json:"last_time,omitzero"`

	// LogKeys are the names and IDs of the keys that signed the published
	// checkpoint, Witnesses who cosigned it, by the policy's names.
	LogKeys   []string `json:"log_keys"`
	Witnesses []string `json:"witnesses"`
	QuorumMet bool     `json:"quorum_met"`
	// CosignedAt is the largest time for which cosignatures at or after it
	// meet the quorum.
	CosignedAt time.Time `json:"cosigned_at,omitzero"`

	Checkpoints   uint64 `json:"checkpoints"`         // kept ones that were judged
	WithQuorum    uint64 `json:"checkpoints_quorum"`  // those of them that meet the quorum of today's policy
	Tiles         uint64 `json:"tiles"`               // files of hashes that were compared
	Bundles       uint64 `json:"bundles"`             // files of entries that were read
	Buckets       uint64 `json:"buckets"`             // open, in all runs
	Sources       uint64 `json:"sources"`             // (bucket, source) pairs, in all runs
	Directories   uint64 `json:"directories"`         // segments that have one, in all runs
	Amended       uint64 `json:"directories_amended"` // how many times one was made anew after an erasure, in all runs
	Receipts      uint64 `json:"receipts"`            // that were judged
	Vault         bool   `json:"vault"`               // whether there is one
	Records       uint64 `json:"records"`             // entries whose sealed record is there and right
	RecordsErased uint64 `json:"records_erased"`      // those of them that lack a part or tags
	NoRecord      uint64 `json:"no_record"`           // entries that the vault has no record of
	VaultBytes    uint64 `json:"vault_bytes"`         // size of the records

	// Retained says what was closed and what is kept.
	Retained Retained `json:"retained"`
	// UnderWay is what is announced and not done yet: the first hundred.
	UnderWay []UnderWay `json:"under_way,omitempty"`
	// Custodians is how many have to want what closes payloads, as the ledger
	// is set now, and Grace how many seconds lie before it is done.
	Custodians uint8  `json:"custodians"`
	Grace      uint32 `json:"grace"`

	// ReadOn is how many entries behind To were read too, to learn why something
	// went away that the checkpoint knows of.
	ReadOn uint64 `json:"read_on,omitempty"`

	// Sample says what was opened, where that was asked for.
	Sample *Sample `json:"sample,omitempty"`

	// Recomputed says which directories were made again, where that was asked for.
	Recomputed *Recomputed `json:"recomputed,omitempty"`

	// NotJudged says in sentences what could not be judged, and why.
	NotJudged []string `json:"not_judged,omitempty"`
}

// String returns the summary in sentences, a line each.
func (s Summary) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if s.Origin == "" {
		return fmt.Sprintf("Not judged: %s\n", strings.Join(s.NotJudged, " "))
	}
	line("Ledger %s: %d entries judged, [%d, %d), %d bytes.", s.Origin, s.To-s.From, s.From, s.To, s.Bytes)
	if !s.FirstTime.IsZero() {
		line("They were taken between %s and %s.", utc(s.FirstTime), utc(s.LastTime))
	}
	if len(s.Kinds) > 0 {
		line("Kinds: %s.", s.kinds())
	}
	if len(s.LogKeys) > 0 {
		line("The checkpoint is signed by %s and cosigned by %s.", list(s.LogKeys), list(s.Witnesses))
	}
	switch {
	case s.QuorumMet && !s.CosignedAt.IsZero():
		line("The quorum of witnesses is met, as of %s.", utc(s.CosignedAt))
	case s.QuorumMet:
		line("The policy demands no witnesses.")
	default:
		line("The quorum of witnesses is not met.")
	}
	line("Compared: %s of entries, %s of hashes, %s (%d with quorum), %s.",
		counted(s.Bundles, "file"), counted(s.Tiles, "file"), counted(s.Checkpoints, "kept checkpoint"), s.WithQuorum, counted(s.Receipts, "receipt"))
	line("Sequence numbers of %s; %s recorded, in %s.", counted(s.Sources, "source"), counted(s.Retained.Payloads, "payload"), counted(s.Buckets, "bucket"))
	if s.Directories > 0 {
		line("Directories of %s; after erasures %d were made anew.", counted(s.Directories, "segment"), s.Amended)
	}
	if s.Vault {
		line("The vault holds the sealed records of %d entries, %d bytes; %d of them in part only. It holds none of %d entries.",
			s.Records, s.VaultBytes, s.RecordsErased, s.NoRecord)
	}
	b.WriteString(s.Retained.String())
	for _, u := range s.UnderWay {
		line("%v", u)
	}
	if more := s.Retained.OpenClosings - uint64(len(s.UnderWay)); more > 0 {
		line("Under way: %d more.", more)
	}
	if s.Custodians > 1 {
		line("Two custodians are needed to close payloads before their time, with a grace of %v.", time.Duration(s.Grace)*time.Second)
	}
	if s.ReadOn > 0 {
		line("The ledger grew meanwhile: the next %d entries were read too, to learn why something went away.", s.ReadOn)
	}
	if s.Sample != nil {
		line("%v", s.Sample)
	}
	if s.Recomputed != nil {
		line("%v", s.Recomputed)
	}
	if s.Unread > 0 {
		line("%d entries could not be read.", s.Unread)
	}
	for _, n := range s.NotJudged {
		line("Not judged: %s", n)
	}
	return b.String()
}

func (s Summary) kinds() string {
	var words []string
	for k := proofs.Event; k <= proofs.Closed; k++ {
		if n := s.Kinds[k.String()]; n > 0 {
			words = append(words, fmt.Sprintf("%d %v", n, k))
		}
	}
	return list(words)
}

func list(words []string) string {
	if len(words) == 0 {
		return "nobody"
	}
	return strings.Join(words, ", ")
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (a *auditor) notJudged(format string, args ...any) {
	s := &a.report.Summary
	s.NotJudged = append(s.NotJudged, fmt.Sprintf(format, args...))
}

// sum adds a chunk to the summary.
func (a *auditor) sum(c *chunk) {
	s, f := &a.report.Summary, &c.facts
	s.Bytes += f.bytes
	s.Unread += f.unread
	if c.withheld {
		s.Withheld += uint64(c.bundle.Width - c.skip)
	}
	s.Tiles += c.tiles
	s.Bundles += c.bundles
	for k, n := range f.kinds {
		a.kinds[k] += n
	}
	if f.timed {
		if s.FirstTime.IsZero() {
			s.FirstTime = time.UnixMicro(int64(f.first)).UTC()
		}
		s.LastTime = time.UnixMicro(int64(a.history.time)).UTC()
	}
	end := c.first() + uint64(c.bundle.Width)
	if a.o.Progress != nil && (c.bundle.Index%progressStep == 0 || end == a.head.Size) {
		a.o.Progress(Progress{Entries: end - a.from, Total: a.head.Size - a.from})
	}
}

// sumRecords adds a chunk of the vault to the summary.
func (a *auditor) sumRecords(c *vaultChunk) {
	s := &a.report.Summary
	s.Records += c.records
	s.RecordsErased += c.erased
	s.NoRecord += c.noRecord
	s.VaultBytes += c.recordBytes
	s.Retained.addVault(c.retained)
	end := c.first() + uint64(c.bundle.Width)
	if a.o.Progress != nil && c.counted < proofs.TileWidth && (c.bundle.Index%progressStep == 0 || end == a.head.Size) {
		a.o.Progress(Progress{Entries: end - a.from, Total: a.head.Size - a.from, Records: true})
	}
}

// summarize fills in the rest of the summary.
func (a *auditor) summarize() {
	s, v := &a.report.Summary, a.report.Verdict
	s.Origin, s.From, s.To = a.head.Origin, a.from, a.head.Size
	s.Kinds = map[string]uint64{}
	for k, n := range a.kinds {
		if n > 0 {
			s.Kinds[proofs.Kind(k).String()] = n
		}
	}
	for _, k := range v.LogKeys {
		s.LogKeys = append(s.LogKeys, keyName(k))
	}
	for _, c := range v.Cosignatures {
		s.Witnesses = append(s.Witnesses, c.Witness)
	}
	if s.QuorumMet = v.QuorumMet; v.Time > 0 {
		s.CosignedAt = time.Unix(int64(v.Time), 0).UTC()
	}
	s.Tiles += a.tree.tiles
	s.Vault = a.vault
	byVault := s.Retained
	s.Retained = a.history.retained(a.head.Size)
	s.Retained.addVault(byVault)
	s.UnderWay = a.history.underWay()
	s.Custodians, s.Grace = a.history.ledger.Custodians, a.history.ledger.Grace
	s.Directories, s.Amended = uint64(len(a.history.directories.small.hashes)), a.history.directories.anew
	s.Buckets, s.Sources = uint64(len(a.history.buckets)), uint64(len(a.history.sources.runs))
}
