package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// A load is what the users of a ledger do in one run of its process: callers
// at the same time, each with a list of tasks that it does in order.
type load [][]task

// A task is one call. Until it has its answer it is repeated, as its caller
// would: with the same idempotency keys.
type task struct {
	settings    *ledger.StreamConfig // to be set; then nothing is appended
	who, stream string
	first, last int // of the events [first, last) of the caller
	size        int // of each event's data, in bytes, about
	wait        client.State
}

const otherStream = "other"

// loads are three runs of a ledger, between which it is closed in order.
func loads() []load {
	some := func(who string, first, last, size int, wait client.State) task {
		return task{who: who, stream: ledger.DefaultStream, first: first, last: last, size: size, wait: wait}
	}
	other := some("bob", 6, 9, 300, client.Integrated)
	other.stream = otherStream
	declared := ledger.StreamConfig{Name: ledger.DefaultStream, Fields: []ledger.FieldConfig{{Name: "actor", Path: "$.actor"}}}
	return []load{
		{
			{some("alice", 0, 3, 200, client.Witnessed), some("alice", 3, 4, 3000, client.Sequenced), some("alice", 0, 3, 200, client.Witnessed)},
			{some("bob", 0, 4, 100, client.Integrated), {settings: &ledger.StreamConfig{Name: otherStream}}},
		}, {
			{some("alice", 4, 20, 500, client.Witnessed), some("alice", 3, 4, 3000, client.Integrated)},
			{some("bob", 4, 6, 20_000, client.Witnessed), other},
			{{settings: &declared}, some("carol", 0, 2, 700, client.Sequenced), some("carol", 2, 3, 700, client.Witnessed)},
		}, {
			{some("alice", 20, 24, 200, client.Sequenced)},
			{some("bob", 0, 4, 100, client.Witnessed), some("carol", 3, 5, 9000, client.Integrated)},
		},
	}
}

// An event is one of a caller's, in a count of its own so that an auditor
// finds the gap where one is missing.
func (t task) event(i int) client.Event {
	data := fmt.Appendf(nil, `{"n":%d,"actor":%q,"pad":"`, i, t.who)
	data = append(append(data, bytes.Repeat([]byte{'a' + byte(i%26)}, t.size)...), `"}`...)
	key := fmt.Sprintf("%s/%s/%d", t.who, t.stream, i)
	return client.Event{Data: data, IdempotencyKey: key, Source: t.who + t.stream, Sequence: uint64(i)}
}

func (t task) events() (events []client.Event) {
	for i := t.first; i < t.last; i++ {
		events = append(events, t.event(i))
	}
	return events
}

// answers are what callers were told, by the events' keys.
type answers struct {
	mu       sync.Mutex
	appended map[string]answer
	streams  map[string]ledger.StreamConfig // that were set
}

// An answer is the strongest that was given about an event.
type answer struct {
	client.Appended
	event client.Event
	who   string
}

func newAnswers() *answers {
	return &answers{appended: make(map[string]answer), streams: make(map[string]ledger.StreamConfig)}
}

func (a *answers) clone() *answers {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &answers{appended: maps.Clone(a.appended), streams: maps.Clone(a.streams)}
}

// add takes note of an answer. It must bring its evidence, and agree with an
// earlier answer.
func (a *answers) add(p *proofs.Policy, now answer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := now.event.IdempotencyKey
	was, ok := a.appended[key]
	switch {
	case now.Err != nil:
		return fmt.Errorf("event %s is refused: %w", key, now.Err)
	case ok && (was.Index != now.Index || !bytes.Equal(was.Leaf, now.Leaf)):
		return fmt.Errorf("%w: event %s was entry %d and is now entry %d", errLost, key, was.Index, now.Index)
	case ok && !now.Duplicate:
		return fmt.Errorf("%w: event %s was entry %d and is now taken for new", errLost, key, was.Index)
	case ok && was.State.Reached(now.State):
		return nil
	}
	a.appended[key] = now
	return now.check(p)
}

// errLost is matched by errors that say that something was acknowledged and is
// not so any more.
var errLost = errors.New("lost")

// do does a task once.
func (m *machine) do(ctx context.Context, d *local.Directory, t task) error {
	if t.settings != nil {
		return m.set(ctx, d, *t.settings)
	}
	events := t.events()
	got, err := d.Ledger.As(ledger.Caller{Name: t.who}).Append(ctx, t.stream, events, t.wait)
	if err != nil {
		return err
	}
	for i, a := range got {
		now := answer{a, events[i], t.who}
		if err := m.answers.add(d.Policy, now); err != nil {
			return err
		}
		if !a.State.Reached(t.wait) {
			return fmt.Errorf("state %s is reached and not %s", a.State, t.wait)
		}
	}
	return nil
}

// set sets the settings of a stream that is there or not.
func (m *machine) set(ctx context.Context, d *local.Directory, c ledger.StreamConfig) error {
	_, _, err := d.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).SetStream(ctx, c)
	var p *client.Problem
	if errors.As(err, &p) && p.Code() == client.NoSuchStream {
		_, err = d.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(ctx, c)
	}
	if err != nil {
		return err
	}
	m.answers.mu.Lock()
	defer m.answers.mu.Unlock()
	m.answers.streams[c.Name] = c
	return nil
}

// run does a load and returns what is left of it when the ledger stopped.
func (m *machine) run(ctx context.Context, d *local.Directory, todo load) (rest load, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	failed := d.Ledger.Failed()
	go func() {
		select {
		case <-failed: // nobody waits for what cannot come
			cancel()
		case <-ctx.Done():
		}
	}()
	rest = make(load, len(todo))
	errs := make([]error, len(todo))
	var wg sync.WaitGroup
	for i, tasks := range todo {
		wg.Go(func() {
			for k, t := range tasks {
				if errs[i] = m.do(ctx, d, t); errs[i] != nil {
					rest[i] = tasks[k:]
					return
				}
			}
		})
	}
	wg.Wait()
	return rest, errors.Join(errs...)
}
