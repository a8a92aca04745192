package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// An input is the bytes of one event and where they come from.
type input struct {
	data  []byte
	where string // such as "events.ndjson:12"
}

// inputs yields what is to be appended, in order: arguments, files, lines of
// files, or the standard input.
func (p *program) inputs(args []string, o appendFlags) (iter.Seq2[input, error], error) {
	if len(args)+len(o.files)+len(o.lines) == 0 {
		if p.terminal(p.Stdin) {
			return nil, command.Usage("what shall be appended? Give events as arguments, with --file or --ndjson, or on the standard input")
		}
		o.files = []string{"-"}
	}
	return func(yield func(input, error) bool) {
		for i, a := range args {
			if !yield(input{[]byte(a), fmt.Sprintf("argument %d", i+1)}, nil) {
				return
			}
		}
		for _, name := range o.files {
			data, err := p.readFile(name, proofs.MaxPartData)
			if !yield(input{data, name}, err) || err != nil {
				return
			}
		}
		for _, name := range o.lines {
			for in, err := range p.lines(name) {
				if !yield(in, err) || err != nil {
					return
				}
			}
		}
	}, nil
}

// lines yields the lines of a file that hold something, without their ends.
func (p *program) lines(name string) iter.Seq2[input, error] {
	return func(yield func(input, error) bool) {
		r := p.Stdin
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				yield(input{}, err)
				return
			}
			defer f.Close()
			r = f
		}
		lines := bufio.NewReaderSize(r, 1<<16)
		for number := 1; ; number++ {
			line, err := readLine(lines, proofs.MaxPartData)
			where := fmt.Sprintf("%s:%d", name, number)
			if err != nil && err != io.EOF {
				yield(input{}, fmt.Errorf("%s: %w", where, err))
				return
			}
			if len(bytes.TrimSpace(line)) > 0 && !yield(input{line, where}, nil) || err == io.EOF {
				return
			}
		}
	}
}

var errLongLine = errors.New("the line is longer than the largest event")

// readLine reads a line of at most limit bytes and returns it without its end
// (LF, or CR LF). With the last one, which may have none, it returns io.EOF.
func readLine(r *bufio.Reader, limit int) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit+2 {
			return nil, errLongLine
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return line, err
		}
		return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
	}
}

// newRun returns a random name for a run of append.
func newRun(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}
