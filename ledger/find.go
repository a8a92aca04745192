package ledger

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// Find looks for published events by their tags; see [client.FindQuery].
func (s *Session) Find(ctx context.Context, q client.FindQuery) (*client.Found, error) {
	act := s.caller.act(proofs.ActSearch)
	act.Stream = q.Stream
	found, err := s.find(ctx, q, &act)
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return found, nil
}

func (s *Session) find(ctx context.Context, q client.FindQuery, act *proofs.Act) (*client.Found, error) {
	if err := s.mayRead(proofs.Event, q.Stream); err != nil {
		return nil, err
	}
	settings, ok := s.l.state.streamNamed(q.Stream)
	if !ok {
		return nil, noStream(q.Stream)
	}
	c := HoldConfig{Stream: q.Stream, Subject: q.Subject, Fields: make(map[string]string)}
	for _, f := range q.Fields {
		if _, again := c.Fields[f.Name]; again {
			return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("the field %.40q is there twice", f.Name), "")
		}
		c.Fields[f.Name] = f.Value
	}
	if q.Subject == "" && len(c.Fields) == 0 {
		return nil, client.NewProblem(client.BadRequest, "the query fits all events of the stream", "give a subject, or the value of a declared field; a tail has all")
	}
	act.Query = s.l.holdQuery(c)
	sizes, _ := s.l.progress.snapshot()
	found := &client.Found{Size: sizes.Published}
	var err error
	if found.Entries, err = s.l.matching(ctx, settings, c, q.From, found.Size); err != nil {
		return nil, err
	}
	if found.Entries, found.Disabled, err = s.l.enabled(ctx, settings.Body.Stream, found.Entries, found.Size); err != nil {
		return nil, err
	}
	found.Entries = append([]proofs.Run{}, found.Entries...) // none are an empty list, and not null
	if len(found.Entries) > client.MaxFound {
		found.Next = found.Entries[client.MaxFound].First
		found.Entries = found.Entries[:client.MaxFound]
	}
	if act.Results = proofs.CountEntries(found.Entries); act.Results > 0 { // else nothing would ever close the name
		act.Subject = c.Subject
	}
	act.Entries = actRuns(found.Entries)
	found.Held, err = s.l.heldBeyond(ctx, settings.Body.Stream, q.From, found.Size)
	return found, err
}
