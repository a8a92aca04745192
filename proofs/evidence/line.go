package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

// A Line is one line of a file: exactly one of its members is set.
type Line struct {
	Header      *Header
	Checkpoint  *Checkpoint
	Search      *Search
	Attestation *Attestation
	Context     *Entry
	Entry       *Entry
	End         *End
}

// A Header begins a file.
type Header struct {
	// Origin names the ledger: 1 to [proofs.MaxOrigin] bytes.
	Origin string `json:"origin"`

	// Selection is what the maker of the file says that it chose, in words: at
	// most [MaxSelection] bytes without control characters. It proves nothing.
	Selection string `json:"selection,omitempty"`

	// Policy is the one that the maker verified by, as [proofs.FormatPolicy]
	// writes it. A verifier has its own: this one says only what the maker
	// believed.
	Policy string `json:"policy"`
}

// A Checkpoint is one that the ledger published.
type Checkpoint struct {
	// Note is the signed note with all its cosignatures, byte for byte.
	Note string `json:"note"`

	// Consistency is the proof (RFC 6962 §2.1.2) that its tree begins with
	// that of the checkpoint on the line before; nil on the first one.
	Consistency []proofs.Hash `json:"consistency,omitempty"`
}

// A Search shows which events are the answer to a query, and that there are no
// others.
type Search struct {
	// Proof is a search proof, as [proofs.FormatSearchProof] writes it: at most
	// [MaxSearchProof] bytes. A checkpoint of the file has the size and the root of
	// its checkpoint.
	Proof []byte `json:"proof"`
}

// An Attestation is an auditor's word on the directories that searches rest on.
type Attestation struct {
	// Note is signed by the auditor: see [proofs.Attestation].
	Note string `json:"note"`
}

// An Entry is an entry of the ledger, with what shows that it is there and,
// as far as the maker could and would show it, what it holds.
type Entry struct {
	Index uint64        `json:"index"` // below 2^63
	Leaf  []byte        `json:"leaf"`  // [proofs.ParseLeaf]
	Proof []proofs.Hash `json:"proof"` // of inclusion under the last checkpoint

	// Disclosure is the payload and the tags with their openings. What is
	// erased of them, or not shown, is there as its commitment.
	Disclosure *proofs.Disclosure `json:"disclosure,omitempty"`

	// FieldKeys are the keys of the stream's declared fields in the entry's
	// bucket, by rising number: whoever has them can compute the tags again.
	FieldKeys []FieldKey `json:"field_keys,omitempty"`

	// Missing says why not all of the payload and the tags is shown; empty
	// where all is. Entries of the context have none.
	Missing Missing `json:"missing,omitempty"`

	// Because has the rising indices of entries of the context that say why
	// something of this entry is gone, or is kept: announcements of expiries
	// and erasures, holds and their releases. At most [MaxBecause].
	Because []uint64 `json:"because,omitempty"`
}

// A FieldKey is the key of one field in the bucket of an entry.
type FieldKey struct {
	Field uint16 `json:"field"` // its number, from 1
	Key   []byte `json:"key"`   // 32 bytes
}

// Missing is the maker's word for why something is not shown.
type Missing string

// The words.
const (
	Gone      Missing = "gone"      // the ledger has it no more: Because says which entries say why
	Disabled  Missing = "disabled"  // the ledger does not show it while an erasure is approved and not done
	Forbidden Missing = "forbidden" // the maker may not read it
	LeftOut   Missing = "left-out"  // the maker chose not to show it
)

// An End ends a file.
type End struct {
	Checkpoints  uint64 `json:"checkpoints"` // how many lines of each kind there are
	Searches     uint64 `json:"searches,omitempty"`
	Attestations uint64 `json:"attestations,omitempty"`
	Context      uint64 `json:"context"`
	Entries      uint64 `json:"entries"`
	SHA256       string `json:"sha256"` // of all bytes before this line, in 64 hexadecimal digits
}

// The bounds of a file.
const (
	MaxLine         = 48 << 20 // bytes of a line; only an entry has so many
	MaxSelection    = 4096     // bytes
	MaxCheckpoints  = 1 << 16  // lines
	MaxSearches     = 64       // lines
	MaxSearchProof  = 30 << 20 // bytes
	MaxAttestations = 16       // lines
	MaxContext      = 1 << 16  // lines
	MaxBecause      = 256

	maxContextLine  = 1 << 20  // bytes of one line
	maxContextBytes = 64 << 20 // of all together: a verifier keeps what they say
	maxSearchLine   = len(searchStart+`"proof":""}`) + 1 + MaxSearchProof/3*4
	maxSearchBytes  = 128 << 20 // of all searches together: a verifier keeps what they find
	maxOtherLine    = 4 << 20   // bytes of a line of any other kind
	maxIndex        = 1<<63 - 1
	maxProof        = 64 // hashes
)

// Each line begins as one of these does, and so tells what it is.
const (
	headerStart     = `{"line":"header","format":"cairn/v1 evidence",`
	checkpointStart = `{"line":"checkpoint",`
	searchStart     = `{"line":"search",`
	attestedStart   = `{"line":"attestation",`
	contextStart    = `{"line":"context",`
	entryStart      = `{"line":"entry",`
	endStart        = `{"line":"end",`
)

// Lines as JSON has them.
type (
	headerLine struct {
		Line   string `json:"line"`
		Format string `json:"format"`
		*Header
	}
	checkpointLine struct {
		Line string `json:"line"`
		*Checkpoint
	}
	searchLine struct {
		Line string `json:"line"`
		*Search
	}
	attestationLine struct {
		Line string `json:"line"`
		*Attestation
	}
	entryLine struct {
		Line string `json:"line"`
		*Entry
	}
	endLine struct {
		Line string `json:"line"`
		*End
	}
)

// Begins reports whether a file that begins so is one of evidence.
func Begins(b []byte) bool { return bytes.HasPrefix(b, []byte(headerStart)) }

// FormatLine returns the one form of a line, with its newline. It refuses what
// [ParseLine] would not read back.
func FormatLine(l Line) ([]byte, error) {
	value, err := l.wire()
	if err != nil {
		return nil, err
	}
	b, err := formatJSON(value)
	if err != nil {
		return nil, err
	}
	if _, err := ParseLine(b); err != nil {
		return nil, err
	}
	return b, nil
}

// wire returns the line as JSON has it.
func (l Line) wire() (value any, err error) {
	n := 0
	take := func(isSet bool, v any) {
		if isSet {
			n, value = n+1, v
		}
	}
	take(l.Header != nil, headerLine{"header", "cairn/v1 evidence", l.Header})
	take(l.Checkpoint != nil, checkpointLine{"checkpoint", l.Checkpoint})
	take(l.Search != nil, searchLine{"search", l.Search})
	take(l.Attestation != nil, attestationLine{"attestation", l.Attestation})
	take(l.Context != nil, entryLine{"context", withProof(l.Context)})
	take(l.Entry != nil, entryLine{"entry", withProof(l.Entry)})
	take(l.End != nil, endLine{"end", l.End})
	if n != 1 {
		return nil, malformed("a line is exactly one thing")
	}
	return value, nil
}

// withProof makes a list of the proof of the only entry of a tree, which has
// no hash.
func withProof(e *Entry) *Entry {
	if e == nil || e.Proof != nil {
		return e
	}
	whole := *e
	whole.Proof = []proofs.Hash{}
	return &whole
}

func formatJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil { // with a newline
		return nil, malformed("%v", err)
	}
	return b.Bytes(), nil
}

// ParseLine reads the bytes that [FormatLine] writes and no others. It judges
// nothing but the form.
func ParseLine(b []byte) (Line, error) {
	k, err := kindOf(b)
	if err != nil {
		return Line{}, err
	}
	var l Line
	value := k.into(&l)
	if err := json.Unmarshal(b, value); err != nil {
		return Line{}, malformed("%s: %v", k.name, err)
	}
	again, err := formatJSON(value)
	if err != nil {
		return Line{}, err
	}
	if !bytes.Equal(again, b) {
		return Line{}, malformed("%s: not written in the one form", k.name)
	}
	if err := l.validate(); err != nil {
		return Line{}, malformed("%s: %s", k.name, why(err))
	}
	return l, nil
}

// A lineKind is what a line can be.
type lineKind struct {
	name  string
	start string
	max   int             // bytes
	entry bool            // it is of an entry
	into  func(*Line) any // what to read it into
}

// kindOf tells what a line is by how it begins, and bounds what it can make of
// memory: in the line of an entry nothing but its structure has a brace or a
// comma, and few of these are enough.
func kindOf(b []byte) (lineKind, error) {
	for _, k := range []lineKind{
		{"entry", entryStart, MaxLine, true, func(l *Line) any { l.Entry = new(Entry); return &entryLine{Entry: l.Entry} }},
		{"context", contextStart, maxContextLine, true, func(l *Line) any { l.Context = new(Entry); return &entryLine{Entry: l.Context} }},
		{"checkpoint", checkpointStart, maxOtherLine, false, func(l *Line) any { l.Checkpoint = new(Checkpoint); return &checkpointLine{Checkpoint: l.Checkpoint} }},
		{"search", searchStart, maxSearchLine, false, func(l *Line) any { l.Search = new(Search); return &searchLine{Search: l.Search} }},
		{"attestation", attestedStart, maxOtherLine, false, func(l *Line) any {
			l.Attestation = new(Attestation)
			return &attestationLine{Attestation: l.Attestation}
		}},
		{"header", headerStart, maxOtherLine, false, func(l *Line) any { l.Header = new(Header); return &headerLine{Header: l.Header} }},
		{"end", endStart, maxOtherLine, false, func(l *Line) any { l.End = new(End); return &endLine{End: l.End} }},
	} {
		switch {
		case !bytes.HasPrefix(b, []byte(k.start)):
			continue
		case len(b) > k.max:
			return k, malformed("%s: %d bytes are more than %d", k.name, len(b), k.max)
		case k.entry && (bytes.Count(b, []byte(",")) > maxCommas || bytes.Count(b, []byte("{")) > maxBraces):
			return k, malformed("%s: more lists or members than any entry has", k.name)
		}
		return k, nil
	}
	return lineKind{}, malformed("a line that is not known: it begins with %.60q", b)
}

const (
	maxBraces = 2 + 64 + 64 + proofs.MaxFields // parts, lists of tags, field keys
	maxCommas = 8*maxBraces + proofs.MaxTags + maxProof + MaxBecause
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: evidence: %s", proofs.ErrMalformed, fmt.Sprintf(format, args...))
}

// why returns what an error says beside that something is malformed.
func why(err error) string {
	return strings.TrimPrefix(err.Error(), proofs.ErrMalformed.Error()+": ")
}

// isText reports whether a string is UTF-8 of at most max bytes and has no
// control character.
func isText(s string, max int) bool {
	return len(s) <= max && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
