package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// An outlet is where search prints.
type outlet struct {
	io.Writer
	terminal bool
	width    int // of its lines, in characters; 0: there is no bound
}

// safe returns a text of one line as it can be printed there.
func (o outlet) safe(text string) string {
	if o.terminal {
		return command.Escape(text)
	}
	return text
}

// printTo lets a function print to a file, which is whole or not there, or to the
// standard output where there is none or it is "-".
func (p *program) printTo(path string, print func(outlet) error) error {
	if path == "" || path == "-" {
		return print(outlet{Writer: p.Stdout, terminal: p.terminal(p.Stdout), width: p.width()})
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, privateMode) // a device, a pipe or a link stays what it is
		if err != nil {
			return err
		}
		return errors.Join(print(outlet{Writer: f}), f.Close())
	}
	dir := filepath.Dir(path)
	err := command.PlaceWritten(dir, path, privateMode, true, func(w io.Writer) error { return print(outlet{Writer: w}) })
	if err != nil {
		return err
	}
	return command.SyncDir(dir)
}

// defaultWidth is that of terminals which do not say how wide they are.
const defaultWidth = 80

// width returns how many characters there are in a line of the standard output; 0:
// it is no terminal, and there is no bound.
func (p *program) width() int {
	if !p.terminal(p.Stdout) {
		return 0
	}
	if f, ok := p.Stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}
