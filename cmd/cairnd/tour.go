package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// The events of the tour: AWS CloudTrail's of a stolen role, see
// testdata/events.
//
//go:embed sample.ndjson
var sample string

// tour shows, over HTTP as any client would, what a ledger is for.
func (p *program) tour(ctx context.Context, url string, policy *proofs.Policy, tokens map[identity.Role]string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	writer, err := client.Dial(url, client.Options{Token: tokens[identity.Writer]})
	if err != nil {
		return err
	}
	reader, err := client.Dial(url, client.Options{Token: tokens[identity.Reader]})
	if err != nil {
		return err
	}
	var unsaid error
	say := func(format string, args ...any) {
		if _, err := fmt.Fprintf(p.Stdout, format+"\n", args...); unsaid == nil {
			unsaid = err
		}
	}

	say("1. A ledger with a local witness serves at %s.", url)
	events, answers, took, err := appendSample(ctx, writer)
	if err != nil {
		return err
	}
	say("2. Appended %d events of AWS CloudTrail in %v: each is sealed, durable, in the tree,\n   and covered by a checkpoint that the witness cosigned.", len(events), took.Round(time.Millisecond))

	last := answers[len(answers)-1]
	receipt, err := proofs.ParseReceipt(last.Receipt)
	if err != nil {
		return err
	}
	verdict, err := receipt.Check(policy, last.Leaf)
	if err != nil {
		return err
	}
	say("3. Verified the receipt of entry %d with the policy alone: it is in the log %s\n   of %d entries, cosigned by %s.", last.Index, verdict.Checkpoint.Origin, verdict.Checkpoint.Size, verdict.Cosignatures[0].Witness)

	if err := checkPayload(ctx, reader, last.Index, events[len(events)-1].Data); err != nil {
		return err
	}
	say("4. Read entry %d back and checked its payload against the leaf: the same bytes.", last.Index)

	if _, again, _, err := appendSample(ctx, writer); err != nil {
		return err
	} else if !again[0].Duplicate || again[0].Index != answers[0].Index {
		return errors.New("an event that was sent twice was recorded twice")
	}
	say("5. Sent all events again with the same idempotency keys: nothing was added.")

	if err := searchSample(ctx, reader, policy, say); err != nil {
		return err
	}

	report, err := auditAll(ctx, reader, policy)
	if err != nil {
		return err
	}
	for _, f := range report.Findings {
		say("   finding: %v", f)
	}
	if !report.OK() {
		return fmt.Errorf("%w: the audit has %d findings", proofs.ErrNotVerified, report.Total)
	}
	say("7. Audited all %d entries from their files, without trusting the server: every leaf, every\n   tile and every checkpoint fits. No findings.", verdict.Checkpoint.Size)
	say("\nThe tour is over. Start your own with: %s dev", invocation("cairnd"))
	return unsaid
}

func appendSample(ctx context.Context, log client.Log) ([]client.Event, []client.Appended, time.Duration, error) {
	var events []client.Event
	for line := range strings.Lines(sample) {
		data := []byte(strings.TrimSuffix(line, "\n"))
		events = append(events, client.Event{Data: data, IdempotencyKey: fmt.Sprintf("tour-%d", len(events))})
	}
	start := time.Now()
	answers, err := log.Append(ctx, ledger.DefaultStream, events, client.Witnessed)
	if err != nil {
		return nil, nil, 0, err
	}
	for i, a := range answers {
		if a.Err != nil {
			return nil, nil, 0, a.Err
		}
		if a.State != client.Witnessed {
			return nil, nil, 0, fmt.Errorf("event %d is only %s", i, a.State)
		}
	}
	return events, answers, time.Since(start), nil
}

// searchSample looks for who asked from an address, and has it proven that nobody
// made a call.
func searchSample(ctx context.Context, log *client.HTTP, policy *proofs.Policy, say func(string, ...any)) error {
	start := time.Now()
	counts, err := log.Count(ctx, client.CountQuery{Query: "ip:1.2.0.0/16", Facets: []string{"event"}})
	if err != nil {
		return err
	}
	took := time.Since(start)
	b, err := log.ProveComplete(ctx, client.CompleteQuery{Stream: ledger.DefaultStream, Fields: []client.FieldValue{{Name: "event", Value: "DeleteTrail"}}, Now: true})
	if err != nil {
		return err
	}
	proof, err := proofs.ParseSearchProof(b)
	if err != nil {
		return err
	}
	verdict, err := proof.Check(policy)
	if err != nil {
		return err
	}
	if len(verdict.Hits) > 0 || verdict.Stop < verdict.Checkpoint.Size {
		return fmt.Errorf("%w: the answer is of other events than those that were sent", proofs.ErrNotVerified)
	}
	say("6. Searched: %d of the events came from 1.2.0.0/16, of %d kinds, found in %v. And verified a\n   proof, with the policy alone, that none of all %d entries is of the kind DeleteTrail.", counts.Entries, counts.Facets[0].Values, took.Round(time.Millisecond), verdict.Stop)
	return nil
}

func checkPayload(ctx context.Context, log client.Log, index uint64, want []byte) error {
	e, err := log.Entry(ctx, index)
	if err != nil {
		return err
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return err
	}
	if err := e.Disclosure.Check(leaf); err != nil {
		return err
	}
	if string(e.Disclosure.Parts[0].Data) != string(want) {
		return fmt.Errorf("%w: entry %d does not hold what was sent", proofs.ErrNotVerified, index)
	}
	return nil
}

// auditAll copies the public files of a small ledger into a temporary
// directory and judges them.
func auditAll(ctx context.Context, log client.Log, policy *proofs.Policy) (*audit.Report, error) {
	dir, err := os.MkdirTemp("", "cairn-audit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	signed, err := log.ReadFile(ctx, audit.CheckpointFile)
	if err != nil {
		return nil, err
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, audit.CheckpointFile), signed, 0o600); err != nil {
		return nil, err
	}
	for _, path := range publicFiles(c.Size) {
		data, err := log.ReadFile(ctx, path)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return nil, err
		}
	}
	return audit.Run(ctx, os.DirFS(dir), audit.Options{Policy: policy})
}

// publicFiles returns the paths of all tiles and bundles of a tree.
func publicFiles(size uint64) (paths []string) {
	for level := range uint8(proofs.MaxTileLevel + 1) {
		for i := uint64(0); ; i++ {
			t, ok := proofs.TileIn(size, level, i)
			if !ok {
				break
			}
			paths = append(paths, t.Path())
		}
	}
	for i := uint64(0); ; i++ {
		b, ok := proofs.BundleIn(size, i)
		if !ok {
			return paths
		}
		paths = append(paths, b.Path())
	}
}
