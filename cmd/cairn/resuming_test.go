package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// doneIn returns how many events a progress file remembers.
func doneIn(t *testing.T, file string) uint64 {
	t.Helper()
	r, err := openResume(file, "default", "")
	if err != nil {
		t.Fatal(err)
	}
	return r.done
}

// A changedLog changes the answers about events, known by their number.
type changedLog struct {
	client.Log
	change func(number string, r *client.Appended)
}

func (l changedLog) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	results, err := l.Log.Append(ctx, stream, events, wait)
	for i := range results {
		l.change(string(events[i].Data), &results[i])
	}
	return results, err
}

// What is not recorded as it was asked for stays open, with all that comes
// after it, and is sent again.
func TestProgressStopsBeforeTheFirstEventThatIsOpen(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	only := func(number string, change func(r *client.Appended)) func(string, *client.Appended) {
		return func(n string, r *client.Appended) {
			if n == number {
				change(r)
			}
		}
	}
	tests := []struct {
		name                string
		change              func(number string, r *client.Appended)
		status              int
		printed, said, hint string
	}{
		{
			"refused", only("3", func(r *client.Appended) {
				*r = client.Appended{Err: client.NewProblem(client.Invalid, "of today", "")}
			}),
			command.No, `"detail":"of today"`, "line 3: invalid event: of today", "put the refused events right",
		},
		{
			"not checked", only("3", func(r *client.Appended) { r.Duplicate, r.Disclosure = true, nil }),
			command.Unknown, `"unchecked":"entry `, "line 3: it could not be checked", "it goes on behind event 3",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "progress")
			for range 2 { // and once more the same
				stdout, stderr, err := s.appendUntil(t.Context(), changedLog{log, tt.change}, 8, 2, file)
				if statusOf(err) != tt.status || !strings.Contains(stdout, tt.printed) || !strings.Contains(stderr, tt.said) || !strings.Contains(command.HintOf(err), tt.hint) {
					t.Errorf("got error %v (hint: %s) and\n%s%s\nwant status %d, %q, %q and %q", err, command.HintOf(err), stdout, stderr, tt.status, tt.printed, tt.said, tt.hint)
				}
				if done := doneIn(t, file); done != 3 {
					t.Errorf("the file remembers %d events, want the 3 before the one that is open", done)
				}
			}
			stdout, err := s.appendNumbers(log, 8, 2, file)
			if got := s.numbers(stdout); err != nil || fmt.Sprint(got) != "[3 4 5 6 7]" {
				t.Errorf("sent again: got %v and error %v, want 3 to 7", got, err)
			}
			if done := doneIn(t, file); done != 8 {
				t.Errorf("the file remembers %d events in the end, want 8", done)
			}
		})
	}
}

// A hastyLog waits for less than it was asked to.
type hastyLog struct {
	client.Log
	s *session
}

func (l hastyLog) Append(ctx context.Context, stream string, events []client.Event, _ client.State) ([]client.Appended, error) {
	l.s.world.Witness.Silence(true)
	defer l.s.world.Witness.Silence(false)
	return l.Log.Append(ctx, stream, events, client.Sequenced)
}

func TestProgressStopsBeforeWhatIsOnlyPromised(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	file := filepath.Join(t.TempDir(), "progress")
	if _, err := s.appendNumbers(log, 3, 1, file); err != nil {
		t.Fatal(err)
	}
	stdout, err := s.appendNumbers(hastyLog{log, s}, 5, 1, file)
	if statusOf(err) != command.Unknown || strings.Count(stdout, `"promise":`) != 2 || doneIn(t, file) != 3 {
		t.Errorf("got error %v, %d events done and\n%s\nwant two that are promised and not done", err, doneIn(t, file), stdout)
	}
	stdout, err = s.appendNumbers(log, 5, 1, file)
	if err != nil || strings.Count(stdout, `"receipt":`) != 2 || doneIn(t, file) != 5 {
		t.Errorf("sent again: got error %v, %d events done and\n%s\nwant their receipts", err, doneIn(t, file), stdout)
	}
}

// When somebody ends the command, what was answered and not checked is not
// taken for success: neither in what is printed, nor the next time.
func TestWhatAnInterruptionLeavesUncheckedIsSentAgain(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	s.must("writer", "append", "{}") // a checkpoint is believed, with which the next ones are compared
	file := filepath.Join(t.TempDir(), "progress")
	ctx, cancel := context.WithCancel(t.Context())
	slow := &slowLog{Log: log, after: func(number string) error {
		if number == "4" {
			cancel() // it is answered, and then the line is gone
		}
		return nil
	}}
	stdout, stderr, err := s.appendUntil(ctx, slow, 20, 1, file)
	if !errors.Is(err, context.Canceled) || statusOf(err) != command.Unknown || !strings.Contains(command.HintOf(err), "it goes on behind event 4") {
		t.Errorf("got error %v with hint %q, want that it goes on behind event 4", err, command.HintOf(err))
	}
	if strings.Contains(stderr, "canceled") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "4 events recorded, 0 were there already, 0 refused, 1 could not be checked") {
		t.Errorf("got %q, want one line about all", stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var last entryFile
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 5 || last.Unchecked != "interrupted" {
		t.Errorf("got %d lines, the last %+v, error %v; want 5, and that the last says it was not checked", len(lines), last, err)
	}
	if done := doneIn(t, file); done != 4 {
		t.Errorf("the file remembers %d events, want 4", done)
	}
	stdout, err = s.appendNumbers(log, 20, 4, file)
	if got := s.numbers(stdout); err != nil || len(got) != 16 || got[0] != "4" || strings.Count(stdout, `"duplicate":true`) != 1 {
		t.Errorf("sent again: got %v and error %v, want 4 to 19, one of them again", got, err)
	}
}
