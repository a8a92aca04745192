package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// openWorkers is how many payloads are asked for at once: the ledger records
// each before it answers.
const openWorkers = 8

// sampling returns which payloads audit opens, and where; nil: none.
func (p *program) sampling(s *source, o auditFlags) (*audit.Sampling, error) {
	if o.open == "" {
		if o.seed != "" && o.directories == "" || o.openFrom != "" {
			return nil, command.Usage("--seed and --open-from are for --open: how many payloads to open, or all")
		}
		return nil, nil
	}
	sample := &audit.Sampling{Workers: openWorkers}
	var err error
	if sample.Count, sample.Seed, err = p.howMany("--open", o.open, o.seed); err != nil {
		return nil, err
	}
	switch {
	case o.openFrom != "":
		shown, err := openShown(o.openFrom)
		if err != nil {
			return nil, err
		}
		sample.Open = shown.open
	case s.log == nil:
		return nil, command.Usage("a directory has no payloads: say with --url (or CAIRN_URL) which ledger opens them, or give evidence of them with --open-from")
	default:
		sample.Open = openerOf(s.log)
	}
	return sample, nil
}

// howMany reads how many are to be drawn, 0 for all, and the seed that decides
// which: a random one where none is given.
func (p *program) howMany(flag, value, seed string) (int, string, error) {
	if value == "all" {
		return 0, seed, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, "", command.Usage("%s %s: it is a number from 1 on, or all", flag, value)
	}
	if seed == "" {
		random := make([]byte, 8)
		if _, err := io.ReadFull(p.rand, random); err != nil {
			return 0, "", err
		}
		seed = hex.EncodeToString(random)
	}
	return n, seed, nil
}

// openerOf opens payloads by asking a ledger.
func openerOf(log client.Log) func(context.Context, uint64) (*proofs.Disclosure, error) {
	return func(ctx context.Context, index uint64) (*proofs.Disclosure, error) {
		e, err := log.Entry(ctx, index)
		if err == nil {
			return e.Disclosure, nil
		}
		var problem *client.Problem
		if errors.As(err, &problem) {
			switch problem.Code() {
			case client.Gone:
				return nil, audit.ErrGone
			case client.Disabled:
				return nil, audit.ErrDisabled
			case client.Forbidden:
				return nil, audit.ErrForbidden
			case client.NoSuchEntry, client.Internal:
				return nil, fmt.Errorf("%w: %w", audit.ErrUnopened, problem)
			}
		}
		return nil, err
	}
}

// A shownFile is a file of evidence, from which somebody else shows payloads.
type shownFile struct {
	file  *os.File
	lines map[uint64]shownLine // by index

	mu      sync.Mutex
	missing []uint64 // that were asked for, and are not in it
}

// A shownLine is where the line of an entry lies.
type shownLine struct {
	at   int64
	size int
}

// openShown finds the entries in a file of evidence, which has to be whole.
// Nothing else of it is believed: each payload is held to its entry.
func openShown(path string) (s *shownFile, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s = &shownFile{file: file, lines: map[uint64]shownLine{}}
	for r := evidence.NewReader(file); ; {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
		}
		if at, size := r.Place(); l.Entry != nil {
			s.lines[l.Entry.Index] = shownLine{at, size}
		}
	}
}

// open shows a payload, as far as it is in the file.
func (s *shownFile) open(_ context.Context, index uint64) (*proofs.Disclosure, error) {
	at, ok := s.lines[index]
	if !ok {
		return nil, s.lacks(index)
	}
	line := make([]byte, at.size)
	if _, err := s.file.ReadAt(line, at.at); err != nil {
		return nil, err
	}
	l, err := evidence.ParseLine(line)
	switch {
	case err != nil:
		return nil, err
	case l.Entry.Missing == evidence.Gone && l.Entry.Disclosure == nil:
		return nil, audit.ErrGone
	case l.Entry.Missing == evidence.Disabled:
		return nil, audit.ErrDisabled
	case l.Entry.Missing != "" && l.Entry.Missing != evidence.Gone, l.Entry.Disclosure == nil:
		return nil, s.lacks(index)
	}
	return l.Entry.Disclosure, nil
}

func (s *shownFile) lacks(index uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = append(s.missing, index)
	return audit.ErrNotShown
}

// openedEnough demands that what was to be opened was.
func (p *program) openedEnough(r *audit.Report, o auditFlags) error {
	s := r.Summary.Sample
	switch {
	case o.open == "" || s == nil:
		return nil
	case s.NotShown > 0:
		return command.Hinted(fmt.Errorf("%d of the %d payloads of the sample are not in %s", s.NotShown, s.Sampled, o.openFrom),
			"whoever may read them shows them so: cairn export --evidence FILE %s", asArguments(s.Entries))
	case s.ShouldOpen == 0 && s.ForbiddenEntries > 0:
		return command.Hinted(fmt.Errorf("no payload was opened: the token may read none of the %d that should open", s.ForbiddenEntries),
			"give a reader's token; an operator makes one with: cairnd token issue")
	case s.Opened == 0 && s.Disabled > 0:
		return command.Hinted(fmt.Errorf("no payload was opened: %d are disabled, says the ledger, by an erasure that is approved and not done", s.Disabled),
			"open others, or ask again when it is done")
	}
	return nil
}

// maxIndices bounds how many indices a hint has.
const maxIndices = 1000

// asArguments writes indices as the arguments of a command.
func asArguments(indices []uint64) string {
	if len(indices) == 0 || len(indices) > maxIndices {
		return "INDEX..."
	}
	words := make([]string, len(indices))
	for i, index := range indices {
		words[i] = strconv.FormatUint(index, 10)
	}
	return strings.Join(words, " ")
}
