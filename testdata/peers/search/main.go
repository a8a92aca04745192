package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const help = `usage: search [flags]

Measures what Cairn's search and others' software take to index documents and to
answer questions about them, and prints a table.

  exit status: 0 measured; 1 a peer answers wrongly; 2 usage; 3 could not

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are what the flags say.
type settings struct {
	n, queries, batch int
	seed              uint64
	names             string
	windows, dir      string
	patience          time.Duration
	json              bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("search", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, help); flags.PrintDefaults() }
	flags.IntVar(&s.n, "n", 100_000, "documents")
	flags.IntVar(&s.queries, "queries", 300, "queries of each kind")
	flags.IntVar(&s.batch, "batch", 4096, "documents that are made durable together")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the documents and the queries")
	var all []string
	for _, p := range peers() {
		all = append(all, p.Name)
	}
	flags.StringVar(&s.names, "peers", strings.Join(all, ","), "who is measured; the others' medians are compared with the first")
	flags.StringVar(&s.windows, "windows", "", "take the events of this archive, at most -n of them, for the documents")
	flags.StringVar(&s.dir, "dir", os.TempDir(), "where indexes are made, and deleted when they were measured")
	flags.DurationVar(&s.patience, "patience", time.Minute, "for all queries of one kind; then the rest of them are left out")
	flags.BoolVar(&s.json, "json", false, "measure the only one of -peers in this process, and print what was measured as JSON")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 || s.n < 1 || s.queries < 1 || s.batch < 1 {
		flags.Usage()
		return s, errors.New("no arguments, and numbers from 1")
	}
	return s, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "search:", err)
		return 2
	}
	if s.json {
		err = measureHere(ctx, s, stdout)
	} else {
		err = measureAll(ctx, s, args, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "search:", err)
		if errors.Is(err, errWrong) {
			return 1
		}
		return 3
	}
	return 0
}

// plan draws the queries, and answers them by reading the documents.
func (s settings) plan(ctx context.Context) (plan, error) {
	p := plan{source: synthetic(s.seed, s.n), batch: s.batch, patience: s.patience}
	var err error
	if s.windows != "" {
		if p.source, err = windows(s.windows, s.n); err != nil {
			return plan{}, err
		}
	}
	p.source = p.source.until(ctx)
	if p.queries, err = draw(p.source, s.seed, s.queries); err != nil {
		return plan{}, err
	}
	p.answers, err = answers(p.source, p.queries)
	return p, err
}

// measureHere measures one peer in this process.
func measureHere(ctx context.Context, s settings, stdout io.Writer) error {
	chosen, err := choose(s.names)
	if err != nil {
		return err
	}
	if len(chosen) != 1 {
		return errors.New("-json measures one peer")
	}
	p, err := s.plan(ctx)
	if err != nil {
		return err
	}
	f, err := measureIn(ctx, s.dir, chosen[0], p)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(f)
}

// measureIn measures a peer in a new directory below dir.
func measureIn(ctx context.Context, dir string, peer Peer, p plan) (f figure, err error) {
	own, err := os.MkdirTemp(dir, "peer-")
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(own)) }()
	return measure(ctx, peer, p, own)
}

// measureAll measures each peer in a process of its own, one after the other,
// so that none pays for another's memory, and prints the table.
func measureAll(ctx context.Context, s settings, args []string, stdout, stderr io.Writer) error {
	chosen, err := choose(s.names)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var figures []figure
	for _, peer := range chosen {
		fmt.Fprintf(stderr, "search: %s\n", peer.Name)
		child := exec.CommandContext(ctx, program, append(args, "-json", "-peers", peer.Name)...)
		child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
		child.Stderr = stderr
		out, err := child.Output()
		if child.ProcessState != nil && child.ProcessState.ExitCode() == 1 {
			return fmt.Errorf("%s: %w", peer.Name, errWrong)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", peer.Name, err)
		}
		var f figure
		if err := json.Unmarshal(out, &f); err != nil {
			return err
		}
		figures = append(figures, f)
	}
	p, err := s.plan(ctx)
	if err != nil {
		return err
	}
	table(stdout, p, figures)
	for _, peer := range chosen {
		fmt.Fprintf(stdout, "\n%s is %s.\n", peer.Name, peer.What)
	}
	return nil
}

// choose returns the peers that a list names, unless this machine lacks what one
// of them needs.
func choose(names string) ([]Peer, error) {
	var chosen []Peer
names:
	for name := range strings.SplitSeq(names, ",") {
		for _, p := range peers() {
			if p.Name != name {
				continue
			}
			if p.Ready != nil {
				if err := p.Ready(); err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
			}
			chosen = append(chosen, p)
			continue names
		}
		return nil, fmt.Errorf("no peer %q", name)
	}
	return chosen, nil
}
