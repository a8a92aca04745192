package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
)

func (p *program) logCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "log",
		Short: "Say for which logs the witness cosigns",
	}
	c.AddCommand(p.logAddCommand(), p.logRemoveCommand(), p.logListCommand())
	return c
}

// addOptions describe the logs to be added.
type addOptions struct {
	vkeys           []string
	origin, contact string
	qpd             uint32
	list            string
}

func (p *program) logAddCommand() *cobra.Command {
	var o addOptions
	c := &cobra.Command{
		Use:   "add VKEY...",
		Short: "Cosign for a log, or for a list of logs",
		Long: `Cosign for the log that has these verifier keys, Ed25519 or ML-DSA-44. A log that
changes its keys has the new one added; any of them will do for a checkpoint.

The keys are added to the file "logs", which may be edited by hand: it has the
format logs/v0 of witness-network.org. A witness that is serving takes the change
within a second or two.`,
		Example: `  cairn-witness log add sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8
  cairn-witness log add --contact ops@example.com --qpd 1000000 VKEY OTHER_VKEY
  curl https://example.org/log-list | cairn-witness log add --list -`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.vkeys = args
			return p.logAdd(o)
		},
	}
	c.Flags().StringVar(&o.origin, "origin", "", "origin of the log (default the name of the key)")
	c.Flags().StringVar(&o.contact, "contact", "unknown", "how people reach the log's operator")
	c.Flags().Uint32Var(&o.qpd, "qpd", 86400, "requests a day that were agreed on with the operator; for people, not enforced")
	c.Flags().StringVar(&o.list, "list", "", "file with a list of logs in the format logs/v0, - for standard input")
	return c
}

func (p *program) logAdd(o addOptions) error {
	added, err := o.logs(p)
	if err != nil {
		return err
	}
	return p.changeLogs(func() error { return p.appendLogs(added) })
}

// changeLogs calls what changes the file of logs, while nobody else does.
func (p *program) changeLogs(change func() error) error {
	fsys, err := disk.OpenOS(p.dir)
	if err != nil {
		return err
	}
	defer fsys.Close()
	lock, err := fsys.Lock(logsFile + ".lock")
	if err != nil {
		return fmt.Errorf("%s: is being changed: %v", p.path(logsFile), err)
	}
	defer lock.Close()
	return change()
}

// logs returns the logs that are to be added.
func (o addOptions) logs(p *program) (logs []witness.Log, err error) {
	switch {
	case len(o.vkeys) == 0 && o.list == "":
		return nil, command.Usage("which log? Give its verifier key, or a list with --list")
	case len(o.vkeys) > 0 && o.list != "":
		return nil, command.Usage("either verifier keys or --list")
	case o.list == "-":
		data, err := command.ReadAll(p.Stdin, "standard input", witness.MaxLogList)
		if err != nil {
			return nil, err
		}
		return parseList("standard input", data)
	case o.list != "":
		return readList(o.list)
	}
	for _, vkey := range o.vkeys {
		k, err := proofs.ParseKey(vkey)
		if err != nil {
			return nil, command.Usage("%w", err)
		}
		l := witness.Log{Origin: o.origin, Key: k, QPD: o.qpd, Contact: o.contact}
		if l.Origin == "" {
			l.Origin = k.Name()
		}
		logs = append(logs, l)
	}
	return logs, nil
}

// appendLogs appends logs to the file that are not there yet, and leaves all
// that stands in it as it is.
func (p *program) appendLogs(added []witness.Log) error {
	path := p.path(logsFile)
	data, err := command.ReadFile(path, witness.MaxLogList)
	if err != nil {
		return err
	}
	known, err := parseList(path, data)
	if err != nil {
		return err
	}
	fresh := p.without(added, known)
	if len(fresh) == 0 {
		return nil
	}
	lines, err := witness.FormatLogList(fresh)
	if err != nil {
		return command.Usage("%w", err)
	}
	_, items, _ := bytes.Cut(lines, []byte("\n"))
	if !bytes.HasSuffix(data, []byte("\n")) {
		data = append(data, '\n')
	}
	data = append(data, items...)
	if _, err := parseList(path, data); err != nil {
		return err
	}
	if err := command.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	for _, l := range fresh {
		p.Say("added %s with the key %08x", l.Origin, l.Key.ID())
	}
	return nil
}

// without returns the logs that are not known, each once, and tells of the
// others.
func (p *program) without(logs, known []witness.Log) (fresh []witness.Log) {
	type id struct {
		origin string
		key    proofs.Key
	}
	seen := make(map[id]bool)
	for _, l := range known {
		seen[id{l.Origin, l.Key}] = true
	}
	for _, l := range logs {
		if seen[id{l.Origin, l.Key}] {
			p.Say("%s is there already with the key %08x", l.Origin, l.Key.ID())
			continue
		}
		seen[id{l.Origin, l.Key}] = true
		fresh = append(fresh, l)
	}
	return fresh
}

// lists returns the paths of all lists of logs.
func (p *program) lists(cfg Config) []string {
	paths := []string{p.path(logsFile)}
	for _, name := range cfg.Lists {
		paths = append(paths, p.path(name))
	}
	return paths
}

// readLogs reads the logs that the witness cosigns for.
func (p *program) readLogs(cfg Config) (logs []witness.Log, err error) {
	for _, path := range p.lists(cfg) {
		list, err := readList(path)
		if err != nil {
			return nil, err
		}
		logs = append(logs, list...)
	}
	return logs, nil
}

func readList(path string) ([]witness.Log, error) {
	data, err := command.ReadFile(path, witness.MaxLogList)
	if err != nil {
		return nil, err
	}
	return parseList(path, data)
}

func parseList(path string, data []byte) ([]witness.Log, error) {
	logs, err := witness.ParseLogList(data)
	if err != nil {
		return nil, command.Usage("%s: %w", path, err)
	}
	return logs, nil
}
