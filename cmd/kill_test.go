package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// A load appends events and remembers what was acknowledged.
type load struct {
	mu    sync.Mutex
	next  int
	acked map[int]client.Appended
}

func (l *load) run(ctx context.Context, log client.Log) {
	states := []client.State{client.Sequenced, client.Integrated, client.Witnessed}
	for ctx.Err() == nil {
		l.mu.Lock()
		i := l.next
		l.next++
		l.mu.Unlock()
		got, err := log.Append(ctx, ledger.DefaultStream, []client.Event{loadEvent(i)}, states[i%3])
		if err != nil || got[0].Err != nil {
			return
		}
		l.mu.Lock()
		l.acked[i] = got[0]
		l.mu.Unlock()
	}
}

func loadEvent(i int) client.Event {
	return client.Event{Data: fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("x", i%700)), IdempotencyKey: fmt.Sprintf("load-%d", i)}
}

// TestKilledServerLosesNothing kills a server during a load of appends, again
// and again, and then looks for everything that was acknowledged. Its three
// witnesses live on, as others' would, and never see a fork.
func TestKilledServerLosesNothing(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 5
	}
	s := newSite(t)
	l := &load{acked: make(map[int]client.Appended)}
	rng := rand.New(rand.NewPCG(1, 1))
	for range kills {
		s.ledger.awaitReady()
		s.loadAndKill(l, time.Duration(20+rng.IntN(150))*time.Millisecond)
		s.ledger.start()
	}
	s.ledger.awaitReady()
	s.checkLoad(l)
	s.checkWitnesses()
	t.Logf("%d kills, %d events sent, %d acknowledged, none lost", kills, l.next, len(l.acked))
}

// loadAndKill kills the ledger's process after some time under load.
func (s *site) loadAndKill(l *load, after time.Duration) {
	s.Helper()
	log, err := client.Dial(s.ledger.url, client.Options{Token: s.writer, Attempts: 1})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { l.run(ctx, log) })
	}
	time.Sleep(after)
	s.ledger.kill()
	cancel()
	wg.Wait()
}

// checkLoad checks that everything acknowledged is there byte for byte, that
// it is recognised when sent again, and that the auditor finds nothing.
func (s *site) checkLoad(l *load) {
	s.Helper()
	if len(l.acked) < 10 {
		s.Errorf("only %d events were acknowledged: the test shows little", len(l.acked))
	}
	writer, err := client.Dial(s.ledger.url, client.Options{Token: s.writer})
	if err != nil {
		s.Fatal(err)
	}
	reader, err := client.Dial(s.ledger.url, client.Options{Token: s.reader})
	if err != nil {
		s.Fatal(err)
	}
	for i, a := range l.acked {
		if err := s.checkEntry(reader, a, loadEvent(i)); err != nil {
			s.Errorf("event %d at index %d: %v", i, a.Index, err)
		}
		again, err := writer.Append(s.Context(), ledger.DefaultStream, []client.Event{loadEvent(i)}, client.Sequenced)
		if err != nil || again[0].Err != nil || !again[0].Duplicate || again[0].Index != a.Index {
			s.Errorf("event %d sent again: got %+v, %v, want index %d", i, again, err, a.Index)
		}
	}
	s.cairn(0, s.reader, "audit")
}

// checkEntry compares an entry with what was acknowledged and what was sent.
func (s *site) checkEntry(reader client.Log, a client.Appended, sent client.Event) error {
	e, err := reader.Entry(s.Context(), a.Index)
	if err != nil {
		return err
	}
	if !bytes.Equal(e.Leaf, a.Leaf) {
		return fmt.Errorf("its leaf is not the one that was acknowledged")
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return err
	}
	if err := e.Disclosure.Check(leaf); err != nil {
		return err
	}
	if got := e.Disclosure.Parts[0].Data; !bytes.Equal(got, sent.Data) {
		return fmt.Errorf("got %.100q, want %.100q", got, sent.Data)
	}
	return nil
}

// checkWitnesses checks that every witness has cosigned, up to what is
// published, and that none saw the log sign two histories.
func (s *site) checkWitnesses() {
	s.Helper()
	for _, w := range s.witnesses {
		if forks := w.metric("cairn_witness_forks_total"); forks != 0 || strings.Contains(w.talk.String(), "two histories") {
			s.Errorf("%s saw %v forks, want none: %s", w.url, forks, tail([]byte(w.talk.String())))
		}
		if cosigned := w.metric("cairn_witness_cosign_seconds_count"); cosigned < 10 {
			s.Errorf("%s cosigned %v times: the test shows little", w.url, cosigned)
		}
	}
}
