package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A resume is how far append came with a file of lines: the events before done
// are recorded as they were asked for, and all of them were checked. One that
// was refused, could not be checked or is not yet witnessed stays behind it
// with all that come after, to be sent again. It is kept in a text file:
//
//	cairn/v1 append progress
//	run <32 hexadecimal digits>        names the run: keys of events without one begin with it
//	stream <name>
//	done <number of events>
//	hash <SHA-256 of their bytes, each behind its length in eight hexadecimal digits>
type resume struct {
	path   string
	run    string
	stream string
	done   uint64
	sum    string

	seen  hash.Hash // of the events so far, those that are skipped first
	saved bool      // the file is there
}

const hintSameFile = "give the same file again, or another --resume"

const resumeHeader = "cairn/v1 append progress"

// openResume reads the file, or begins a run where there is none.
func openResume(path, stream, run string) (*resume, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r := &resume{path: path, run: run, stream: stream, seen: sha256.New()}
		r.sum = hex.EncodeToString(r.seen.Sum(nil))
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := parseResume(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.stream != stream {
		return nil, command.Usage("%s is of an append to stream %q, not %q", path, r.stream, stream)
	}
	r.path, r.seen, r.saved = path, sha256.New(), true
	return r, nil
}

func (r *resume) format() []byte {
	return fmt.Appendf(nil, "%s\nrun %s\nstream %s\ndone %d\nhash %s\n", resumeHeader, r.run, r.stream, r.done, r.sum)
}

// parseResume reads what format writes and nothing else.
func parseResume(b []byte) (*resume, error) {
	r := new(resume)
	text := strings.ReplaceAll(strings.TrimPrefix(string(b), resumeHeader+"\n"), "\n", " ")
	_, err := fmt.Sscanf(text, "run %s stream %s done %d hash %s ", &r.run, &r.stream, &r.done, &r.sum)
	if err != nil || !bytes.Equal(r.format(), b) {
		return nil, fmt.Errorf("%w: not the progress of an append", proofs.ErrMalformed)
	}
	return r, nil
}

// skip reports whether the number-th event is recorded already. It refuses
// events that are not those of the run.
func (r *resume) skip(number uint64, data []byte) (bool, error) {
	if number >= r.done {
		return false, nil
	}
	r.add(data)
	if number+1 == r.done {
		return true, r.compare()
	}
	return true, nil
}

func (r *resume) compare() error {
	if hex.EncodeToString(r.seen.Sum(nil)) != r.sum {
		return command.Hinted(fmt.Errorf("%w: the first %d events are not those that %s is about", errNo, r.done, r.path), hintSameFile)
	}
	return nil
}

func (r *resume) add(data []byte) {
	fmt.Fprintf(r.seen, "%08x", uint32(len(data)))
	r.seen.Write(data)
}

// begin makes the name of the run durable.
func (r *resume) begin() error {
	if r.saved {
		return nil
	}
	return r.save()
}

// take counts the next events as recorded, durably.
func (r *resume) take(events []client.Event) error {
	for _, e := range events {
		r.add(e.Data)
	}
	r.done += uint64(len(events))
	r.sum = hex.EncodeToString(r.seen.Sum(nil))
	return r.save()
}

// end checks that the input was not shorter than what was recorded of it.
func (r *resume) end(number uint64) error {
	if number < r.done {
		return command.Hinted(fmt.Errorf("%w: there are %d events, and %s is about %d: it is not the same file", errNo, number, r.path, r.done), hintSameFile)
	}
	return nil
}

func (r *resume) save() error {
	err := command.WriteFile(r.path, r.format(), publicMode)
	r.saved = r.saved || err == nil
	return err
}
