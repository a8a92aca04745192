package main

import (
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// publicMode is the mode of files, as far as the user's mask allows it.
const publicMode = 0o644

// readFile reads a file of at most limit bytes; "-" is the standard input.
func (p *program) readFile(path string, limit int64) ([]byte, error) {
	if path == "-" {
		return command.ReadAll(p.Stdin, "standard input", limit)
	}
	return command.ReadFile(path, limit)
}

// output writes data to a file, or to stdout where there is none or it is "-".
func (p *program) output(path string, data []byte) error {
	if path == "" || path == "-" {
		_, err := p.Stdout.Write(data)
		return err
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, publicMode) // a device, a pipe or a link stays what it is
	}
	return command.WriteFile(path, data, publicMode)
}
