package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
)

const (
	askTime       = 10 * time.Second // for one answer of the witness that serves
	maxCheckpoint = 1 << 20          // bytes
	maxPolicy     = 1 << 20          // bytes
)

func (p *program) logListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the logs, and how far each is cosigned",
		Long: `List the logs that the witness cosigns for, with the size that was cosigned last
and when. While the witness is serving it is asked for them.

With --json each line is an object with the fields origin, keys (verifier keys),
qpd, contact, and where something was cosigned size, root and time.`,
		Example: `  cairn-witness log list
  cairn-witness log list --json | jq -r 'select(.size == null) | .origin'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.logList(c.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

// A listing is what is known of a log.
type listing struct {
	Origin  string       `json:"origin"`
	Keys    []proofs.Key `json:"keys"`
	QPD     uint32       `json:"qpd"`
	Contact string       `json:"contact"`

	Size *uint64      `json:"size,omitempty"` // absent: never cosigned
	Root *proofs.Hash `json:"root,omitempty"`
	Time *time.Time   `json:"time,omitempty"`
}

func (p *program) logList(ctx context.Context, asJSON bool) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	logs, err := p.readLogs(cfg)
	if err != nil {
		return err
	}
	lines, err := command.ReadFile(p.path(policyFile), maxPolicy)
	if err != nil {
		return err
	}
	own, err := parsePolicy(lines)
	if err != nil {
		return command.Usage("%s: %w", p.path(policyFile), err)
	}
	cosigned, err := p.openSource(cfg)
	if err != nil {
		return err
	}
	defer cosigned.close()
	listings := gather(logs)
	for _, l := range listings {
		note, err := cosigned.latest(ctx, l.Origin)
		if err == nil && note != nil {
			err = l.add(note, own)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.Origin, err)
		}
	}
	if asJSON {
		return p.printJSON(listings)
	}
	return p.printTable(listings)
}

// gather makes one listing of all keys of a log, in the order of the list.
func gather(logs []witness.Log) (listings []*listing) {
	known := make(map[string]*listing)
	for _, l := range logs {
		if known[l.Origin] == nil {
			known[l.Origin] = &listing{Origin: l.Origin, QPD: l.QPD, Contact: l.Contact}
			listings = append(listings, known[l.Origin])
		}
		known[l.Origin].Keys = append(known[l.Origin].Keys, l.Key)
	}
	return listings
}

// add takes what a checkpoint says for which one of the witness's own
// cosignatures vouches.
func (l *listing) add(note []byte, own []proofs.Key) error {
	c, err := proofs.ParseSignedCheckpoint(note)
	if err != nil {
		return err
	}
	if c.Origin != l.Origin {
		return fmt.Errorf("the checkpoint is of log %q", c.Origin)
	}
	for _, s := range c.Note.Signatures {
		for _, k := range own {
			if s.Name != k.Name() || s.KeyID != k.ID() {
				continue
			}
			if unix, err := k.CheckSignature(c.Note.Text, s); err == nil {
				at := time.Unix(int64(unix), 0).UTC()
				l.Size, l.Root, l.Time = &c.Size, &c.Root, &at
				return nil
			}
		}
	}
	return fmt.Errorf("the checkpoint is not cosigned by a key in the file %q", policyFile)
}

func (p *program) printJSON(listings []*listing) error {
	e := json.NewEncoder(p.Stdout)
	for _, l := range listings {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) printTable(listings []*listing) error {
	if len(listings) == 0 {
		p.Say("there is no log yet")
		p.Hint("add one with: cairn-witness log add --dir %s VKEY", p.dir)
		return nil
	}
	t := command.NewTable(p.Stdout)
	t.Row("ORIGIN", "KEYS", "SIZE", "COSIGNED", "CONTACT")
	for _, l := range listings {
		var ids []string
		for _, k := range l.Keys {
			ids = append(ids, fmt.Sprintf("%08x", k.ID()))
		}
		size, at := "-", "never"
		if l.Size != nil {
			size, at = fmt.Sprint(*l.Size), l.Time.Format(time.RFC3339)
		}
		t.Row(l.Origin, strings.Join(ids, ","), size, at, l.Contact)
	}
	return t.Flush()
}

// A source tells the checkpoint of a log that was cosigned last, or nil.
type source struct {
	latest func(ctx context.Context, origin string) ([]byte, error)
	close  func()
}

// openSource opens the witness's registers, or asks the process that has them
// open.
func (p *program) openSource(cfg Config) (source, error) {
	d, err := disk.Open(p.path(dataDir), disk.Options{})
	if errors.Is(err, storage.ErrLocked) {
		return askServer(cfg), nil
	}
	if err != nil {
		return source{}, err
	}
	registers, err := d.Registers(registersName)
	if err != nil {
		return source{}, errors.Join(err, d.Close())
	}
	return source{
		latest: func(ctx context.Context, origin string) ([]byte, error) {
			note, err := witness.Latest(ctx, registers, origin)
			var refused *witness.Error
			if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
				return nil, nil
			}
			return note, err
		},
		close: func() { _ = d.Close() }, // nothing was written
	}, nil
}

// askServer asks the witness that serves on this machine, as a monitor would.
// Its certificate is for another name: what it answers is believed for the
// cosignatures in it.
func askServer(cfg Config) source {
	scheme, transport := "http://", &http.Transport{Proxy: nil}
	if cfg.Certificate != "" {
		scheme, transport.TLSClientConfig = "https://", &tls.Config{InsecureSkipVerify: true}
	}
	hc := &http.Client{Transport: transport, Timeout: askTime}
	return source{
		latest: func(ctx context.Context, origin string) ([]byte, error) {
			url := scheme + cfg.Listen + "/" + witness.OriginHash(origin) + "/checkpoint"
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return nil, err
			}
			answer, err := hc.Do(req)
			if err != nil {
				return nil, err
			}
			defer answer.Body.Close()
			body, err := command.ReadAll(answer.Body, url, maxCheckpoint)
			switch {
			case err != nil:
				return nil, err
			case answer.StatusCode == http.StatusNotFound:
				return nil, nil
			case answer.StatusCode != http.StatusOK:
				return nil, fmt.Errorf("%s: %s", url, answer.Status)
			}
			return body, nil
		},
		close: hc.CloseIdleConnections,
	}
}
