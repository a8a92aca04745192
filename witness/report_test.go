package witness_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// What anybody can make a witness say again and again it says once.
func TestReports(t *testing.T) {
	log, a, other := key(t, origin, proofs.Ed25519), newHistory(3, ""), newHistory(3, "other")
	var said bytes.Buffer
	b := &bench{clock: newClock(noon)}
	var err error
	b.Witness, err = witness.New(t.Context(), witness.Config{Keys: witnessKeys(t), Registers: memory.New(nil).Registers("r"),
		Logs: trust(log), Clock: b.clock.Now, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	must(t, err)
	b.add(t, 0, a, 5, log)
	b.clock.set(noon - 60) // within what clocks differ by
	b.add(t, 5, a, 5, log)
	_, err = b.ask(t, 5, other, 6, log) // no evidence: the proof may be at fault
	wantStatus(t, err, 422)
	if said.Len() > 0 {
		t.Errorf("the witness says without need\n%s", &said)
	}
	for range 3 {
		_, err = b.ask(t, 5, other, 5, log)
		wantStatus(t, err, 422)
		b.clock.set(noon - 61)
		b.add(t, 5, a, 5, log)
	}
	text := said.String()
	for _, want := range []string{
		`level=ERROR msg="the log has signed two histories" origin=log.example/a cosigned="log.example/a\n5\n`,
		`refused="log.example/a\n5\n` + other.root(t, 5).String(),
		`level=WARN msg="the clock is behind the last cosignature" origin=log.example/a`,
	} {
		if n := strings.Count(text, want); n != 1 {
			t.Errorf("%d times %s in\n%s", n, want, text)
		}
	}
}
