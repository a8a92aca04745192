package audit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A State is what an auditor remembers of a ledger that had no fault, so that
// the next run reads only what is new. It also is evidence: if the ledger ever
// publishes another history, the checkpoint in the state convicts it. Keep it
// where the operator of the ledger can't change it.
//
// It is a text file. What is in brackets is there only where there is such:
//
//	cairn/v1 audit state
//	checkpoint <the signed checkpoint, base64>
//	time <of the last entry, microseconds since 1970>
//	[closed <entry>]                                         the one that ended the ledger
//	class <number> <entry> <days> <period>                   each class and the entry that set it, rising
//	stream <number> <class> <closed> <reason> <split> [<field>:<subject> …]   each stream as it is, rising
//	ledger <custodians> <grace>
//	[named <custodian> …]                                    by their pseudonyms, rising
//	[controls <hash>]                                        of the entries that last
//	[pruning <days> <minimum> <entry> <now> <withheld>]      when entries are pruned, and the last minimum index
//	[directories <entry> <count>]                            the last entry that made some anew, or 0, and how many were
//	[segment <hash>]                                         the directory of each segment, rising
//	[large <hash>]                                           the directory of each large segment, rising
//	[keystate <epoch> <hash> <entry>]                        the last one, and the entry that says so
//	bucket <number> <stream> <class> <period> <first> <last> <count> [<closing>]   each bucket, rising, and behind it
//	[keys <bucket> <field>:<hash> …]                         the keys of fields that it committed to, rising
//	request <entry> <kind> <by> <approval> <by> <from> <withdrawn> <used>           each request, rising
//	hold <entry> [<closing>]                                 each hold, rising, and behind it
//	claim <entry> <stream> [<run> …]                         what it covers from an entry on
//	erasure <stream> <closing> [<run> …]                     each erasure, rising
//	[erasing <entry> <stream> <request> <part> <parts> <accused> [<run> …]]   one that is not announced in full
//	[unread <run> …]                                         of the erasure before it: what the ledger could not read
//	source <bucket> <number> <first>-<last>@<entry> …        each source and its sequence numbers, rising
//
// where a closing is "<announced>:<time>:<done>", and ":<epoch>:<hash>:<entry>"
// of the last key state before it while it is not done, and a run is
// "<first>-<last>".
type State struct {
	// Signed is the checkpoint up to which the ledger was judged, as it was
	// published.
	Signed []byte
	// Checkpoint is what it says.
	Checkpoint proofs.Checkpoint
	// Time is the last entry's, in microseconds since 1970.
	Time uint64

	closed uint64 // the index behind the entry that ended it; 0: none did
	retention
	sources *sources
}

const stateHeader = "cairn/v1 audit state"

// FormatState returns the bytes of a state.
func FormatState(s *State) []byte {
	b := fmt.Appendf(nil, "%s\ncheckpoint %s\ntime %d\n", stateHeader, base64.StdEncoding.EncodeToString(s.Signed), s.Time)
	if s.closed > 0 {
		b = fmt.Appendf(b, "closed %d\n", s.closed-1)
	}
	b = s.retention.format(b)
	for _, key := range s.sources.keys() {
		b = fmt.Appendf(b, "source %d %d", key.bucket, key.number)
		for r := range s.sources.runs[key].all() {
			b = fmt.Appendf(b, " %d-%d@%d", r.lo, r.hi, r.index)
		}
		b = append(b, '\n')
	}
	return b
}

// ParseState reads what [FormatState] writes and nothing else. Its errors
// match [proofs.ErrMalformed].
func ParseState(b []byte) (*State, error) {
	s := &State{retention: newRetention(), sources: newSources(len(b))}
	number := 0
	for line := range strings.Lines(string(b)) {
		number++
		if err := s.parseLine(number, strings.TrimSuffix(line, "\n")); err != nil {
			return nil, fmt.Errorf("%w: audit state: line %d: %v", proofs.ErrMalformed, number, err)
		}
	}
	if s.Signed == nil || !bytes.Equal(FormatState(s), b) {
		return nil, fmt.Errorf("%w: audit state: not canonical", proofs.ErrMalformed)
	}
	if !s.directories.fit(s.Checkpoint.Size) {
		return nil, fmt.Errorf("%w: audit state: it has not the directories of a log of %d entries", proofs.ErrMalformed, s.Checkpoint.Size)
	}
	return s, nil
}

func (s *State) parseLine(number int, line string) (err error) {
	keyword, rest, _ := strings.Cut(line, " ")
	switch {
	case number == 1:
		if line != stateHeader {
			return fmt.Errorf("not %q", stateHeader)
		}
	case keyword == "checkpoint":
		if s.Signed, err = base64.StdEncoding.DecodeString(rest); err != nil {
			return err
		}
		c, err := proofs.ParseSignedCheckpoint(s.Signed)
		if err != nil {
			return err
		}
		s.Checkpoint = c.Checkpoint
	case keyword == "time":
		s.Time, err = strconv.ParseUint(rest, 10, 63)
	case keyword == "closed":
		s.closed, err = strconv.ParseUint(rest, 10, 63)
		s.closed++
	case keyword == "source":
		err = s.parseSource(rest)
	default:
		err = s.retention.parse(keyword, strings.Fields(rest))
	}
	return err
}

func (s *State) parseSource(rest string) error {
	words := strings.Split(rest, " ")
	if len(words) < 3 {
		return fmt.Errorf("not a source")
	}
	f, err := numbers(words[0]+" "+words[1], 2)
	if err != nil || f[0] > 1<<32-1 {
		return fmt.Errorf("not a source")
	}
	key := sourceKey{uint32(f[0]), f[1]}
	runs := &runList{}
	for _, word := range words[2:] {
		r, err := numbers(strings.NewReplacer("-", " ", "@", " ").Replace(word), 3)
		if err != nil || r[0] > r[1] {
			return fmt.Errorf("not runs of sequence numbers")
		}
		if last := runs.last(); last != nil && (r[0] <= last.hi || r[0]-last.hi == 1) {
			return fmt.Errorf("runs of sequence numbers that touch, or do not rise")
		}
		runs.insert(runs.end(), seqRun{r[0], r[1], r[2]})
		s.sources.count++
	}
	s.sources.runs[key] = runs
	return nil
}

func numbers(s string, n int) (list []uint64, err error) {
	for _, word := range strings.Split(s, " ") {
		v, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if len(list) != n {
		return nil, fmt.Errorf("%d numbers, not %d", len(list), n)
	}
	return list, nil
}
