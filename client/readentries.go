package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// MaxRead is how many entries are read at once at most.
const MaxRead = 256

// A ReadEntry is one of several entries that are read at once: the entry, or
// why it is not shown.
type ReadEntry struct {
	Index   uint64   `json:"index"`
	Entry   *Entry   `json:"entry,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// CheckRead refuses runs of entries that cannot be read at once: those of none,
// of more than [MaxRead], and such that do not rise.
func CheckRead(runs []proofs.Run) error {
	count := uint64(0)
	for i, r := range runs {
		if r.First > r.Last || i > 0 && r.First <= runs[i-1].Last {
			return NewProblem(BadRequest, "the entries do not rise", "")
		}
		if count += r.Last - r.First; r.Last-r.First >= MaxRead || count >= MaxRead {
			return NewProblem(TooLarge, fmt.Sprintf("more than %d entries cannot be read at once", MaxRead), "read fewer")
		}
		count++
	}
	if count == 0 {
		return NewProblem(BadRequest, "no entry is asked for", "")
	}
	return nil
}

// FormatRuns writes runs of entries as a list, such as "4102,4711-4713".
func FormatRuns(runs []proofs.Run) string {
	var list []string
	for _, r := range runs {
		if r.First == r.Last {
			list = append(list, decimal(r.First))
		} else {
			list = append(list, decimal(r.First)+"-"+decimal(r.Last))
		}
	}
	return strings.Join(list, ",")
}

// ParseRuns reads what [FormatRuns] writes and nothing else.
func ParseRuns(s string) (runs []proofs.Run, err error) {
	for word := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(word, "-")
		if !isRange {
			last = first
		}
		var r proofs.Run
		if r.First, err = strconv.ParseUint(first, 10, 64); err == nil {
			r.Last, err = strconv.ParseUint(last, 10, 64)
		}
		if err != nil {
			break
		}
		runs = append(runs, r)
	}
	if err != nil || FormatRuns(runs) != s {
		return nil, fmt.Errorf("%.40q is no list of entries, such as 4102,4711-4713", s)
	}
	return runs, nil
}

// Entries reads several entries at once, in their order; see [CheckRead] for
// which. It is recorded as one read for each stream that they are about. The
// error is the last. What a broken connection left out is asked for again.
func (h *HTTP) Entries(ctx context.Context, runs []proofs.Run) iter.Seq2[ReadEntry, error] {
	return func(yield func(ReadEntry, error) bool) {
		if err := CheckRead(runs); err != nil {
			yield(ReadEntry{}, err)
			return
		}
		left := slices.Collect(proofs.IndicesOf(runs))
		r := get("/v1/entries", nil, linesType, 0)
		err := h.persist(ctx, r, func() (onward bool, err error) {
			r.query = url.Values{"entries": {FormatRuns(proofs.RunsOf(left))}}
			read, err := h.readEntries(ctx, r, left, yield)
			left = left[read:]
			return read > 0, err
		})
		if err != nil {
			yield(ReadEntry{}, err)
		}
	}
}

// readEntries yields entries over one connection and returns how many. The
// error is nil when there are no more or the caller wants none.
func (h *HTTP) readEntries(ctx context.Context, r *request, want []uint64, yield func(ReadEntry, error) bool) (read int, err error) {
	res, err := h.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	lines := bufio.NewReader(cutBody{res.Body})
	for _, index := range want {
		line, err := readLine(lines)
		if err != nil {
			return read, err
		}
		var e ReadEntry
		if err := json.Unmarshal(line, &e); err != nil {
			return read, fmt.Errorf("%w: the server's answer: %w", proofs.ErrMalformed, err)
		}
		if e.Index != index || (e.Entry == nil) == (e.Problem == nil) || e.Entry != nil && e.Entry.Index != index {
			return read, fmt.Errorf("%w: entry %d: the server gives something else", proofs.ErrMalformed, index)
		}
		read++
		if !yield(e, nil) {
			return read, nil
		}
	}
	return read, nil
}

// readLine reads a line of at most the bytes that an entry takes.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case len(line) > maxEntryAnswer:
			return nil, errAnswerTooLarge
		case err == nil:
			return line, nil
		case err == io.EOF:
			return nil, errBodyCut
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}
