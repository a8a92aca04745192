package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

type tailFlags struct {
	stream string
	query  string
	from   int64
	count  uint64
	json   bool
}

func (p *program) tailCommand() *cobra.Command {
	o := tailFlags{}
	c := &cobra.Command{
		Use:   "tail",
		Short: "Follow a ledger, and verify each event before it is printed",
		Long: `tail prints events as they are published, one on a line, each after it has checked
that the event is in the ledger and what was recorded. It begins with what is published
from now on, unless --from says otherwise, and ends when it is interrupted. With --query
it prints only what fits a query; see cairn-query(7).`,
		Example: `  cairn tail
  cairn tail --query 'outcome:denied or delete*'
  cairn tail --from 0 --stream payments --json | jq .payload
  cairn tail --from 0 --count 10`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.tail(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.stream, "stream", "", "only events of the stream `NAME`")
	f.StringVar(&o.query, "query", "", "only events that fit the `QUERY`; @NAME in it stands for a saved one")
	f.Int64Var(&o.from, "from", -1, "`INDEX` to begin with; -1: what is published from now on")
	f.Uint64Var(&o.count, "count", 0, "end after so many events; 0: never")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each event")
	p.reasonFlag(f)
	return c
}

func (p *program) tail(ctx context.Context, o tailFlags) error {
	if o.from < -1 {
		return command.Usage("--from is an index, or -1")
	}
	asked := ""
	if o.query != "" {
		q, err := p.parseQuery([]string{o.query})
		if err != nil {
			return err
		}
		asked = query.Format(q.Expr) // ages in it are times, also when it is asked again
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return err
	}
	view, err := v.Update(ctx)
	if err != nil {
		return err
	}
	q := client.TailQuery{Stream: o.stream, Query: asked, From: view.Checkpoint.Size}
	if o.from >= 0 {
		q.From = uint64(o.from)
	}
	r := &entryReader{log: s.log, verifier: v}
	n, next := uint64(0), q.From
	for e, err := range s.log.Tail(ctx, q) {
		if err != nil {
			return refusedQuery(err)
		}
		if err := p.printTailed(ctx, r, e, next, o.json); err != nil {
			return err
		}
		next = e.Index + 1
		if n++; n == o.count {
			return nil
		}
	}
	return nil // it was asked to end
}

// printTailed verifies an entry and prints it on a line.
func (p *program) printTailed(ctx context.Context, r *entryReader, e *client.Entry, next uint64, asJSON bool) error {
	if e.Index < next {
		return fmt.Errorf("%w: the ledger gives entry %d after entry %d", proofs.ErrNotVerified, e.Index, next-1)
	}
	if _, err := r.check(ctx, e); err != nil {
		return err
	}
	line, err := describeEntry(e)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(formatJSON(line, ""))
	}
	_, err = fmt.Fprintln(p.Stdout, line.text())
	return err
}

// An entryLine is an entry as tail prints it: all of it but the stream's name
// was verified.
type entryLine struct {
	Index uint64 `json:"index"`
	leafOf
	StreamName string     `json:"stream_name,omitempty"` // as the ledger says
	Parts      []partLine `json:"parts,omitempty"`       // the payload; of an event in parts what is shown, put together

	// Payload is the data of the payload: JSON as it is, other text as a string.
	Payload json.RawMessage `json:"payload,omitempty"`

	Erased  *erasedOf `json:"erased,omitempty"`  // what of the payload is not shown
	Reasons []uint64  `json:"reasons,omitempty"` // entries that may say why, as the ledger says
}

// A partLine is a payload.
type partLine struct {
	MediaType string   `json:"media_type"`
	Appender  string   `json:"appender"`
	Source    string   `json:"source,omitempty"`
	Key       string   `json:"idempotency_key,omitempty"`
	Subjects  []string `json:"subjects,omitempty"`
	Base64    string   `json:"data_base64,omitempty"` // where it is no text

	data []byte
}

func describeEntry(e *client.Entry) (entryLine, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return entryLine{}, err
	}
	l := entryLine{Index: e.Index, leafOf: *describeLeaf(leaf), StreamName: e.Stream, Reasons: e.Reasons}
	if e.Disclosure == nil || len(e.Disclosure.Parts) == 0 {
		return l, nil
	}
	if l.Erased = erasedFrom(e.Disclosure, proofs.Part{}); !e.Disclosure.Parts[0].Shown() {
		return l, nil
	}
	part, err := e.Disclosure.Payload()
	if err != nil {
		return entryLine{}, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	l.Erased = erasedFrom(e.Disclosure, part)
	line := partLine{
		MediaType: part.MediaType, Appender: part.Appender, Source: part.Source,
		Key: part.IdempotencyKey, Subjects: part.Subjects, data: part.Data,
	}
	switch {
	case client.IsJSON(part.MediaType) && proofs.CheckJSON(part.Data) == nil:
		l.Payload = part.Data
	case utf8.Valid(part.Data):
		if l.Payload, err = json.Marshal(string(part.Data)); err != nil {
			return entryLine{}, err
		}
	default:
		line.Base64 = base64.StdEncoding.EncodeToString(part.Data)
	}
	l.Parts = []partLine{line}
	return l, nil
}

// text returns the line for people.
func (l entryLine) text() string {
	stream := l.StreamName
	if stream == "" {
		stream = "-"
	}
	s := fmt.Sprintf("%d  %s  %s  %s", l.Index, l.Time, command.Escape(stream), l.Kind)
	for _, p := range l.Parts {
		if p.Appender != "" {
			s += "  " + command.Escape(p.Appender)
		}
		s += "  " + command.Escape(string(p.data))
	}
	switch {
	case l.Erased == nil:
	case len(l.Parts) == 0:
		s += "  (payload erased)"
	default:
		s += fmt.Sprintf("  (%s)", l.Erased)
	}
	return s
}
