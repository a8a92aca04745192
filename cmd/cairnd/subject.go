package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A subject is a data subject as flags name it.
type subject struct{ name, file string }

func (s *subject) define(f *pflag.FlagSet) {
	f.StringVar(&s.name, "subject", "", "data subject whom they concern, as events name it")
	f.StringVar(&s.file, "subject-file", "", "`FILE` that says who it is, so that no list of processes does; - is the standard input")
}

// maxSubject bounds a file with a subject's name, in bytes: the ledger takes
// 1,024, and the line ends.
const maxSubject = 1<<10 + 2

// read returns the name; empty: no flag was given.
func (s subject) read(p *program) (string, error) {
	switch {
	case s.name != "" && s.file != "":
		return "", command.Usage("give --subject or --subject-file, one of them")
	case s.file == "":
		return s.name, nil
	}
	var b []byte
	var err error
	if s.file == "-" {
		b, err = command.ReadAll(p.Stdin, "standard input", maxSubject)
	} else {
		b, err = command.ReadFile(s.file, maxSubject)
	}
	name := strings.TrimRight(string(b), "\r\n")
	if err == nil && name == "" {
		err = command.Usage("%s names nobody", s.file)
	}
	return name, err
}
