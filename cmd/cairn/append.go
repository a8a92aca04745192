package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

type appendFlags struct {
	files    []string
	lines    []string
	stream   string
	wait     string
	timeout  time.Duration
	batch    int
	inFlight int
	receipts string
	resume   string
	json     bool

	key       string
	fields    string
	source    string
	sequence  uint64
	numbered  bool // --sequence was given
	class     string
	subjects  []string
	given     []string
	mediaType string
}

func (p *program) appendCommand() *cobra.Command {
	var o appendFlags
	c := &cobra.Command{
		Use:   "append [EVENT...]",
		Short: "Append events, and verify that they were recorded as they were sent",
		Long: `append sends events to the ledger and reports success only after it has checked that
the commitment in the log opens to exactly the bytes that were sent, and that the log's
receipt (or promise, with a weaker --wait) for it verifies.

Events are the arguments, each one event; or whole files (--file); or the lines of
files (--ndjson); or else the standard input, one event. They are kept byte for byte.

An event is recorded once for each idempotency key, so that sending it again is safe:
give its key, or say which of its own fields identify it, or name its source and
sequence number. An event without any of them gets a random key, which makes the
repeats of this one command safe. With --resume, a long --ndjson that was interrupted
goes on where it was, also in another process.`,
		Example: `  cairn append '{"actor":"alice","action":"login"}'
  cairn append --stream payments --file order.json --idempotency-key order-4711 --receipts receipts
  cairn append --ndjson cloudtrail.ndjson --idempotency-field eventID --resume cloudtrail.progress
  journalctl -f -o json | cairn append --ndjson - --idempotency-field __CURSOR
  echo 'door opened' | cairn append --media-type text/plain`,
		RunE: func(c *cobra.Command, args []string) error {
			o.complete(c.Flags())
			return p.append(c.Context(), args, o)
		},
	}
	o.define(c.Flags())
	return c
}

// define declares the flags.
func (o *appendFlags) define(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.files, "file", "f", nil, "`FILE` that is one event; - is the standard input")
	f.StringArrayVar(&o.lines, "ndjson", nil, "`FILE` of which each line is an event; - is the standard input")
	f.StringVar(&o.stream, "stream", "default", "`NAME` of the stream")
	f.StringVar(&o.wait, "wait", string(client.Witnessed), "`STATE` to wait for: sequenced, integrated or witnessed")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for it, for each batch")
	f.IntVar(&o.batch, "batch", 1000, "how many events are sent at once, at most")
	f.IntVar(&o.inFlight, "in-flight", 4, "how many batches are under way at once, at most 64; 1 records all events in their order, and is the default with --source")
	f.StringVar(&o.receipts, "receipts", "", "`DIR` to write a receipt of each event to, or the log's promise where it is not witnessed yet")
	f.StringVar(&o.resume, "resume", "", "`FILE` that remembers how far --ndjson came")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each event, which \"cairn verify\" takes")
	f.StringVar(&o.key, "idempotency-key", "", "`KEY` of the one event")
	f.StringVar(&o.fields, "idempotency-field", "", "`PATHS` of the fields that identify an event, separated by commas")
	f.StringVar(&o.source, "source", "", "`NAME` of the events' source")
	f.Uint64Var(&o.sequence, "sequence", 0, "`NUMBER` of the first event in its source's count")
	f.StringVar(&o.class, "class", "", "retention `CLASS`, longer than the stream's")
	f.StringArrayVar(&o.subjects, "subject", nil, "`NAME` of a data subject that the events concern")
	f.StringArrayVar(&o.given, "field", nil, "`NAME=VALUE` of a declared field that is not in the events")
	f.StringVar(&o.mediaType, "media-type", "", "media `TYPE` of the events (default application/json)")
}

// complete adds what depends on which flags were given.
func (o *appendFlags) complete(f *pflag.FlagSet) {
	o.numbered = f.Changed("sequence")
	if o.source != "" && !f.Changed("in-flight") {
		o.inFlight = 1 // so that an audit in between sees no gap in the numbers
	}
}

// check refuses flags that do not fit together.
func (o *appendFlags) check(args []string) error {
	one := len(o.lines) == 0 && len(args)+len(o.files) <= 1
	switch {
	case !client.State(o.wait).Reached(client.Sequenced):
		return command.Usage("there is no state %q to wait for: it is sequenced, integrated or witnessed", o.wait)
	case o.batch < 1:
		return command.Usage("--batch must be at least 1")
	case o.inFlight < 1 || o.inFlight > 64:
		return command.Usage("--in-flight must be from 1 to 64")
	case o.timeout <= 0:
		return command.Usage("--timeout must be more than nothing")
	case o.key != "" && o.fields != "":
		return command.Usage("--idempotency-key and --idempotency-field cannot both be")
	case o.key != "" && !one:
		return command.Usage("--idempotency-key is of one event; use --idempotency-field, or --source and --sequence")
	case (o.source == "") == o.numbered:
		return command.Usage("--source and --sequence belong together")
	case o.resume != "" && (len(o.lines) != 1 || len(args)+len(o.files) > 0):
		return command.Usage("--resume is for events that come from one --ndjson")
	}
	for _, f := range o.given {
		if name, _, ok := strings.Cut(f, "="); !ok || name == "" {
			return command.Usage("--field %q is not NAME=VALUE", f)
		}
	}
	return nil
}

// append sends all events and checks what the ledger answers.
func (p *program) append(ctx context.Context, args []string, o appendFlags) error {
	if err := o.check(args); err != nil {
		return err
	}
	maker, err := p.eventMaker(o)
	if err != nil {
		return err
	}
	inputs, err := p.inputs(args, o)
	if err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return err
	}
	a := &appender{p: p, o: o, log: s.log, verifier: v, maker: maker, progress: p.progress("appended")}
	if o.resume != "" {
		if a.resume, err = openResume(o.resume, o.stream, maker.run); err != nil {
			return err
		}
		maker.run = a.resume.run
	}
	err = a.all(ctx, inputs)
	a.progress.end()
	return a.goOn(errors.Join(err, a.summary()))
}

// goOn says with an error how to go on after it, where a file remembers how
// far it came.
func (a *appender) goOn(err error) error {
	switch {
	case err == nil || a.resume == nil:
	case a.refusal != nil:
		return command.Hinted(err, "put the refused events right where they stand, or the command, and run it again: it goes on behind event %d", a.resume.done)
	case statusOf(err) == command.Unknown:
		return command.Hinted(err, "run the same command again: it goes on behind event %d", a.resume.done)
	}
	return err
}

// An eventMaker makes events of what is read.
type eventMaker struct {
	o      appendFlags
	fields *client.KeyFields // nil: not given
	given  []proofs.GivenField
	run    string // random, names this run: keys of events without one begin with it
}

func (p *program) eventMaker(o appendFlags) (*eventMaker, error) {
	m := &eventMaker{o: o}
	var err error
	if o.fields != "" {
		if m.fields, err = client.ParseKeyFields(o.fields); err != nil {
			return nil, command.Usage("%w", err)
		}
	}
	for _, f := range o.given {
		name, value, _ := strings.Cut(f, "=")
		m.given = append(m.given, proofs.GivenField{Name: name, Value: []byte(value)})
	}
	if m.run, err = newRun(p.rand); err != nil {
		return nil, err
	}
	return m, nil
}

// event makes the number-th event, from 0, of its bytes.
func (m *eventMaker) event(number uint64, data []byte) (client.Event, error) {
	e := client.Event{
		Data: data, MediaType: m.o.mediaType, IdempotencyKey: m.o.key,
		Class: m.o.class, Subjects: m.o.subjects, Fields: m.given,
	}
	if m.o.source != "" {
		e.Source, e.Sequence = m.o.source, m.o.sequence+number
	}
	if client.IsJSON(e.MediaType) {
		if err := proofs.CheckJSON(data); err != nil {
			return e, command.Hinted(err, "events are strict JSON; of other kinds say so with --media-type")
		}
	}
	switch {
	case m.fields != nil:
		key, err := m.fields.Key(data)
		if err != nil {
			return e, err
		}
		e.IdempotencyKey = key
	case e.IdempotencyKey == "" && e.Source == "":
		e.IdempotencyKey = fmt.Sprintf("%s-%d", m.run, number)
	}
	return e, nil
}
