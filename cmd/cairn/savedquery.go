package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// savedQueries are the queries that a user has named: each is a line in a file of
// its name, which nobody else can read, for it may name people.
type savedQueries struct{ dir string }

// savedQueries returns those in the directory of the user's configuration.
func (p *program) savedQueries() (savedQueries, error) {
	dir := p.env("XDG_CONFIG_HOME")
	if dir == "" {
		home := p.env("HOME")
		if home == "" {
			return savedQueries{}, command.Usage("there is no home directory to keep queries in: name a directory with XDG_CONFIG_HOME")
		}
		dir = filepath.Join(home, ".config")
	}
	return savedQueries{filepath.Join(dir, "cairn", "queries")}, nil
}

const maxSavedName = 64 // bytes

// isSavedName reports whether a query can have a name.
func isSavedName(name string) bool {
	return len(name) > 0 && len(name) <= maxSavedName && savedName(name) == name
}

// savedName returns the beginning of a text that is made of what a name is.
func savedName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	if end < 0 {
		return text
	}
	return text[:end]
}

// save keeps a query under a name, in the place of what had it, which is returned.
func (s savedQueries) save(name, text string) (before string, err error) {
	if before, err = s.load(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", fmt.Errorf("saved queries: %w", err)
	}
	return before, command.WriteFile(filepath.Join(s.dir, name), []byte(text+"\n"), privateMode)
}

// load returns the query of a name. The error matches fs.ErrNotExist where there
// is none.
func (s savedQueries) load(name string) (string, error) {
	if !isSavedName(name) {
		return "", command.Usage("%.80q is no name of a query: up to %d of the characters a-z, 0-9 and -", name, maxSavedName)
	}
	b, err := command.ReadFile(filepath.Join(s.dir, name), query.MaxQuery+1)
	if err != nil {
		return "", fmt.Errorf("saved query %s: %w", name, err)
	}
	return strings.TrimSuffix(string(b), "\n"), nil
}

// names returns the names that queries have, in their order.
func (s savedQueries) names() (names []string, err error) {
	files, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("saved queries: %w", err)
	}
	for _, f := range files {
		if isSavedName(f.Name()) && f.Type().IsRegular() {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

// forget removes a query.
func (s savedQueries) forget(name string) error {
	if _, err := s.load(name); err != nil {
		return s.noSuch(name, err)
	}
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		return fmt.Errorf("saved query %s: %w", name, err)
	}
	return command.SyncDir(s.dir)
}

// noSuch says of the error of load which names there are.
func (s savedQueries) noSuch(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	none := command.Usage("no query is saved as %s", name)
	if names, err := s.names(); err == nil && len(names) > 0 {
		return command.Hinted(none, "saved are: %s", strings.Join(names, ", "))
	}
	return command.Hinted(none, "save one with: cairn search --save %s QUERY; to find a word, write it without the @", name)
}

// expand puts saved queries, each in parentheses, in the place of the words that
// stand for them: an @ and the name. In quotes it is a character like others.
func (s savedQueries) expand(text string) (string, error) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		if text[i] == '"' {
			quoted = !quoted
		}
		name := ""
		if text[i] == '@' && !quoted && (i == 0 || strings.IndexByte(" \t\r\n(-", text[i-1]) >= 0) {
			name = savedName(text[i+1:])
		}
		rest := text[i+len(name)+1:]
		if name == "" || rest != "" && strings.IndexByte(" \t\r\n)", rest[0]) < 0 {
			b.WriteByte(text[i])
			continue
		}
		saved, err := s.load(name)
		if err != nil {
			return "", s.noSuch(name, err)
		}
		b.WriteString("(" + saved + ")")
		i += len(name)
	}
	return b.String(), nil
}
