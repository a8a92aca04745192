package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/witness"
)

func (p *program) logRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove LOG...",
		Short: "Cosign for a log no longer",
		Long: `Cosign no longer for the logs that have these origins, or, where a verifier key is
given, for checkpoints that are signed with that key alone.

They are taken out of the file "logs"; what else stands in it stays. What was
cosigned for them is remembered, so that they can be added again. A witness that is
serving takes the change within a second or two.`,
		Example: `  cairn-witness log remove log.example.com/audit
  cairn-witness log remove sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.logRemove(args) },
	}
}

func (p *program) logRemove(names []string) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if err := p.changeLogs(func() error { return p.takeOut(names) }); err != nil {
		return err
	}
	left, err := p.readLogs(cfg)
	if err != nil {
		return err
	}
	for _, name := range names {
		if i := slices.IndexFunc(left, func(l witness.Log) bool { return isCalled(l, name) }); i >= 0 {
			p.Say("%s is in another list of %s still", left[i].Origin, configFile)
		}
	}
	return nil
}

// isCalled reports whether a name is the log's origin or its key.
func isCalled(l witness.Log, name string) bool {
	return l.Origin == name || l.Key.String() == name
}

// takeOut takes the logs with these names out of the file. Nothing is taken
// out where one of them is not there.
func (p *program) takeOut(names []string) error {
	path := p.path(logsFile)
	data, err := command.ReadFile(path, witness.MaxLogList)
	if err != nil {
		return err
	}
	logs, err := parseList(path, data)
	if err != nil {
		return err
	}
	gone := make(map[int]bool) // by the number of the log in the file
	for _, name := range names {
		found := false
		for i, l := range logs {
			if isCalled(l, name) {
				gone[i], found = true, true
			}
		}
		if !found {
			return fmt.Errorf("%s: %s: %w", path, name, errNoLog)
		}
	}
	if err := command.WriteFile(path, withoutLogs(data, gone), 0o600); err != nil {
		return err
	}
	for i, l := range logs {
		if gone[i] {
			p.Say("removed %s with the key %08x", l.Origin, l.Key.ID())
		}
	}
	return nil
}

// withoutLogs returns a list without the lines of some of its logs, and
// without the empty line before each. Comments stay.
func withoutLogs(list []byte, gone map[int]bool) []byte {
	var out []byte
	log := -1
	for line := range bytes.Lines(list) {
		text := strings.TrimSpace(string(line))
		keyword, _, _ := strings.Cut(text, " ")
		if keyword == "vkey" {
			if log++; gone[log] && bytes.HasSuffix(out, []byte("\n\n")) {
				out = out[:len(out)-1]
			}
		}
		if !gone[log] || text == "" || text[0] == '#' {
			out = append(out, line...)
		}
	}
	return out
}
