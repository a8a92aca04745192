package proofs

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ActMediaType is the media type of the part that says who did what: an [Act]
// as JSON. Access and administration entries seal one, and so do those of
// holds, releases and erasures that somebody wanted.
const ActMediaType = "application/vnd.cairn.act+json"

// The bounds of an [Act].
const (
	MaxAct     = 1 << 16 // bytes of its JSON
	MaxActRuns = 256

	maxActWord = 32   // bytes of What
	maxActName = 255  // bytes of names: who, role, from, stream and object
	maxActText = 1024 // bytes of texts: because, subject and detail
	maxQuery   = 2048 // bytes
)

// An Act is what somebody did, or wanted to and was refused. It is recorded
// before anybody is answered.
//
// Its JSON has the members below in their order, none that is empty, no white
// space, and is written as encoding/json writes it: <, > and & are escaped. Texts
// are UTF-8.
type Act struct {
	// What was done: one word, see [ActRead] and those below it. Other words
	// of a-z and hyphens may come.
	What string `json:"what"`

	Who     string `json:"who,omitempty"`     // the identity; empty: the ledger itself
	Role    string `json:"role,omitempty"`    // that allowed it
	From    string `json:"from,omitempty"`    // the address it was asked from
	Because string `json:"because,omitempty"` // the reason that was stated

	Stream  string `json:"stream,omitempty"`  // its name
	Entries []Run  `json:"entries,omitempty"` // that were handed out, or are concerned: rising
	Results uint64 `json:"results,omitempty"` // how many there were
	Query   string `json:"query,omitempty"`   // what was looked for
	Subject string `json:"subject,omitempty"` // the data subject it is about
	Object  string `json:"object,omitempty"`  // the name of what it is about: a class, a token, an identity

	Settings json.RawMessage `json:"settings,omitempty"` // what was set, as it was given: an object
	Request  uint64          `json:"request,omitempty"`  // index of the entry that asked for it

	Outcome string `json:"outcome"`          // [OutcomeDone], [OutcomeRefused] or [OutcomeFailed]
	Detail  string `json:"detail,omitempty"` // why it was refused or failed, or what else there is to say
}

// The words for what was done.
const (
	ActRead           = "read"            // entries were opened
	ActTail           = "tail"            // entries were opened as they came
	ActHistory        = "history"         // acts were read
	ActExport         = "export"          // entries were taken away, opened
	ActSearch         = "search"          // entries were looked for
	ActAppendConflict = "append-conflict" // an event came again with another content
	ActStreamAdd      = "stream-add"
	ActStreamSet      = "stream-set"
	ActClassAdd       = "class-add"
	ActClassSet       = "class-set"
	ActLedgerSet      = "ledger-set"
	ActCustodiansSet  = "custodians-set" // who they are
	ActPruningSet     = "pruning-set"    // when public entries may be pruned
	ActIdentitiesSet  = "identities-set" // who vouches for identities, and for which
	ActTokenIssue     = "token-issue"
	ActTokenRevoke    = "token-revoke"
	ActHold           = "hold"
	ActRelease        = "release"
	ActErase          = "erase"
	ActExpire         = "expire"
	ActPrune          = "prune"         // a minimum index was announced
	ActIndexRebuild   = "index-rebuild" // the search index was begun anew
	ActApprove        = "approve"
	ActWithdraw       = "withdraw"
	ActStart          = "start"   // the ledger began to serve
	ActStop           = "stop"    // and ended
	ActRefused        = "refused" // several attempts that were refused: Results of them
)

// The outcomes of an act.
const (
	OutcomeDone    = "done"
	OutcomeRefused = "refused"
	OutcomeFailed  = "failed"
)

// FormatAct returns the one form of an act. It refuses what [ParseAct] would
// not read back: see [Act.Fit].
func FormatAct(a Act) ([]byte, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("%w: act: %v", ErrMalformed, err)
	}
	if len(b) > MaxAct {
		return nil, fmt.Errorf("%w: act: %d bytes are more than %d", ErrMalformed, len(b), MaxAct)
	}
	return b, nil
}

// ParseAct reads what [FormatAct] writes and nothing else.
func ParseAct(b []byte) (Act, error) {
	var a Act
	if len(b) > MaxAct {
		return a, fmt.Errorf("%w: act: %d bytes are more than %d", ErrMalformed, len(b), MaxAct)
	}
	if err := parseOneForm(b, &a); err != nil {
		return Act{}, fmt.Errorf("%w: act: %v", ErrMalformed, err)
	}
	if err := a.validate(); err != nil {
		return Act{}, err
	}
	return a, nil
}

// Fit returns the act with texts that can be formatted: one that is too long is
// cut and ends in "…", and what is not UTF-8 in it is replaced. Without
// settings, and with [MaxActRuns] runs at most, the act then has its size too:
// more runs are for the caller to tell in several acts.
func (a Act) Fit() Act {
	for _, f := range a.texts() {
		*f.text = cutText(*f.text, f.max)
	}
	return a
}

// cutText returns valid UTF-8 of at most max bytes.
func cutText(s string, max int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= max {
		return s
	}
	const ellipsis = "…"
	end := max - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

type actText struct {
	name string
	text *string
	max  int
}

// texts returns the texts of an act that come from outside.
func (a *Act) texts() [9]actText {
	return [...]actText{
		{"who", &a.Who, maxActName}, {"role", &a.Role, maxActName}, {"from", &a.From, maxActName},
		{"because", &a.Because, maxActText}, {"stream", &a.Stream, maxActName}, {"query", &a.Query, maxQuery},
		{"subject", &a.Subject, maxActText}, {"object", &a.Object, maxActName}, {"detail", &a.Detail, maxActText},
	}
}

func (a Act) validate() error {
	if err := validateActWord(a.What); err != nil {
		return err
	}
	if a.Outcome != OutcomeDone && a.Outcome != OutcomeRefused && a.Outcome != OutcomeFailed {
		return fmt.Errorf("%w: act: outcome %q is neither done nor refused nor failed", ErrMalformed, a.Outcome)
	}
	for _, f := range a.texts() {
		if len(*f.text) > f.max || !utf8.ValidString(*f.text) {
			return fmt.Errorf("%w: act: %s of %d bytes is longer than %d, or not UTF-8", ErrMalformed, f.name, len(*f.text), f.max)
		}
	}
	if len(a.Entries) > MaxActRuns {
		return fmt.Errorf("%w: act: %d runs of entries are more than %d", ErrMalformed, len(a.Entries), MaxActRuns)
	}
	if !runsRise(a.Entries) {
		return fmt.Errorf("%w: act: entries: %s", ErrMalformed, runsDoNotRise)
	}
	if len(a.Settings) == 0 {
		return nil
	}
	if err := CheckJSON(a.Settings); err != nil || a.Settings[0] != '{' {
		return fmt.Errorf("%w: act: settings: not one JSON object", ErrMalformed)
	}
	return nil
}

func validateActWord(word string) error {
	ok := len(word) >= 1 && len(word) <= maxActWord && word[0] != '-'
	for i := range len(word) {
		ok = ok && ('a' <= word[i] && word[i] <= 'z' || word[i] == '-')
	}
	if !ok {
		return fmt.Errorf("%w: act: %q is no word of a-z and hyphens", ErrMalformed, word)
	}
	return nil
}
