package ledger

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/witness"
)

// A slowWitness answers nothing until whoever asks breaks off.
type slowWitness struct{ asked chan struct{} }

func (s slowWitness) AddCheckpoint(ctx context.Context, _ witness.Request) ([]byte, error) {
	s.asked <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAWitnessThatIsAskedAtTheEndIsNotBlamed(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	slow := slowWitness{make(chan struct{}, 1)}
	var log lockedBuffer
	c.Witnesses[0].Cosigner, c.Logger = slow, slog.New(slog.NewTextHandler(&log, nil))
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	<-slow.asked
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Contains(got, "does not cosign") {
		t.Errorf("the log says\n%s\nwant nothing about a witness", got)
	}
}
