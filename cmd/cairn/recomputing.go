package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// recomputing returns which directories audit makes again, of what which ledger
// shows; nil: none.
func (p *program) recomputing(s *source, o auditFlags) (*audit.Recomputing, error) {
	if o.directories == "" {
		return nil, nil
	}
	count, seed, err := p.howMany("--directories", o.directories, o.seed)
	if err != nil {
		return nil, err
	}
	if s.log == nil {
		return nil, command.Usage("a directory of files has no tags: say with --url (or CAIRN_URL) which ledger shows them")
	}
	return &audit.Recomputing{Count: count, Seed: seed, Show: showerOf(s.log, "")}, nil
}

// showerOf asks a ledger what directories are made of: of all streams, or of one.
func showerOf(log *client.HTTP, stream string) func(context.Context, proofs.SegmentID, bool) (proofs.ShownDirectory, error) {
	return func(ctx context.Context, id proofs.SegmentID, rows bool) (proofs.ShownDirectory, error) {
		shown, err := log.Directory(ctx, client.DirectoryQuery{Segment: id, Stream: stream, Rows: rows})
		var problem *client.Problem
		if errors.As(err, &problem) {
			switch problem.Code() {
			case client.Disabled:
				return shown, audit.ErrDisabled
			case client.NoSuchEntry, client.Internal:
				return shown, fmt.Errorf("%w: %w", audit.ErrNotShown, problem)
			}
		}
		return shown, err
	}
}
