package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A slowLog is a ledger on a bad line: before holds back what is sent, or
// loses it, and after does the same with the answers. Batches are known by
// their first event, which is its number.
type slowLog struct {
	client.Log
	before, after func(number string) error

	mu   sync.Mutex
	sent []string // first events
}

func (l *slowLog) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	number := string(events[0].Data)
	l.mu.Lock()
	l.sent = append(l.sent, number)
	l.mu.Unlock()
	if l.before != nil {
		if err := l.before(number); err != nil {
			return nil, err
		}
	}
	results, err := l.Log.Append(ctx, stream, events, wait)
	if err == nil && l.after != nil {
		err = l.after(number)
	}
	return results, err
}

// appendNumbers appends the events 0 to n-1, each a batch, over a log, and
// returns what was printed.
func (s *session) appendNumbers(log client.Log, n, inFlight int, resumeFile string) (stdout string, err error) {
	s.t.Helper()
	stdout, _, err = s.appendUntil(s.t.Context(), log, n, inFlight, resumeFile)
	return stdout, err
}

// appendUntil is appendNumbers until a context ends, and returns what was said
// too.
func (s *session) appendUntil(ctx context.Context, log client.Log, n, inFlight int, resumeFile string) (stdout, stderr string, err error) {
	s.t.Helper()
	var out, talk bytes.Buffer
	p := s.program("writer", &out, &talk)
	p.rand = rand.Reader // each run has other keys
	o := appendFlags{stream: "default", wait: "witnessed", timeout: 1e10, batch: 1, inFlight: inFlight, json: true, resume: resumeFile}
	maker, err := p.eventMaker(o)
	if err != nil {
		s.t.Fatal(err)
	}
	v, _ := s.verifierOf("writer")
	a := &appender{p: p, o: o, log: log, verifier: v, maker: maker, progress: p.progress("appended")}
	if resumeFile != "" {
		if a.resume, err = openResume(resumeFile, o.stream, maker.run); err != nil {
			s.t.Fatal(err)
		}
		maker.run = a.resume.run
	}
	err = a.all(ctx, func(yield func(input, error) bool) {
		for i := range n {
			if !yield(input{fmt.Append(nil, i), fmt.Sprint("line ", i)}, nil) {
				return
			}
		}
	})
	err = a.goOn(errors.Join(err, a.summary()))
	return out.String(), talk.String(), err
}

// numbers returns the payloads of the entries that append --json printed.
func (s *session) numbers(stdout string) (list []string) {
	s.t.Helper()
	for line := range strings.Lines(stdout) {
		var e entryFile
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, s.must("reader", "get", fmt.Sprint(e.Index)))
	}
	return list
}

func TestAnswersAreToldInTheOrderOfTheEvents(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	three := make(chan struct{})
	slow := &slowLog{Log: log, before: func(number string) error {
		if number == "0" {
			<-three
		}
		return nil
	}, after: func(number string) error {
		if number == "3" {
			close(three)
		}
		return nil
	}}
	stdout, err := s.appendNumbers(slow, 6, 4, "")
	if got := s.numbers(stdout); err != nil || fmt.Sprint(got) != "[0 1 2 3 4 5]" {
		t.Errorf("got %v and error %v, want the events in order", got, err)
	}
}

func TestASourceIsAppendedInItsOrderUnlessItIsToldOtherwise(t *testing.T) {
	for args, want := range map[string]int{
		"": 4, "--source a --sequence 0": 1, "--source a --sequence 0 --in-flight 4": 4, "--in-flight 7": 7,
	} {
		var o appendFlags
		f := pflag.NewFlagSet("append", pflag.ContinueOnError)
		o.define(f)
		if err := f.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		if o.complete(f); o.inFlight != want {
			t.Errorf("%q: got %d batches in flight, want %d", args, o.inFlight, want)
		}
	}
}

func TestOnlySoManyBatchesAreUnderWay(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	for _, want := range []int{1, 3} {
		var under, most int
		all := make(chan struct{})
		slow := &slowLog{Log: log}
		slow.before = func(string) error {
			slow.mu.Lock()
			under++
			if under > most {
				if most = under; most == want {
					close(all)
				}
			}
			slow.mu.Unlock()
			<-all // so many are sent before any is answered
			return nil
		}
		slow.after = func(string) error {
			slow.mu.Lock()
			defer slow.mu.Unlock()
			under--
			return nil
		}
		if _, err := s.appendNumbers(slow, 10, want, ""); err != nil || most != want {
			t.Errorf("got %d at once and error %v, want %d", most, err, want)
		}
	}
}

func TestAfterAFailureTheRestIsToldAndNothingMoreIsSent(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	file := filepath.Join(t.TempDir(), "progress")
	cut := errors.New("the line was cut")
	three := make(chan struct{})
	slow := &slowLog{Log: log, before: func(number string) error {
		if number == "1" {
			<-three
		}
		return nil
	}, after: func(number string) error {
		switch number {
		case "1":
			return cut // it is recorded, and nobody hears of it
		case "3":
			close(three)
		}
		return nil
	}}
	stdout, err := s.appendNumbers(slow, 20, 3, file)
	if !errors.Is(err, cut) {
		t.Errorf("got error %v, want %v", err, cut)
	}
	if got := s.numbers(stdout); fmt.Sprint(got) != "[0 2 3]" {
		t.Errorf("got %v, want what was acknowledged: 0, 2 and 3", got)
	}
	slices.Sort(slow.sent)
	if fmt.Sprint(slow.sent) != "[0 1 2 3]" {
		t.Errorf("sent %v, want nothing after the failure", slow.sent)
	}
	r, err := openResume(file, "default", "")
	if err != nil || r.done != 1 {
		t.Fatalf("the file remembers %d events, error %v, want the one before the failure", r.done, err)
	}
	if stdout, err = s.appendNumbers(log, 20, 3, file); err != nil {
		t.Fatal(err)
	}
	again := strings.Count(stdout, `"duplicate":true`)
	if got := s.numbers(stdout); len(got) != 19 || got[0] != "1" || again != 3 {
		t.Errorf("sent again: got %v, %d of them again, want 1 to 19 with three that were there", got, again)
	}
}

func TestNoEventGoesOutBeforeTheNameOfItsRunIsDurable(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	dir := t.TempDir()
	file := filepath.Join(dir, "progress")
	slow := &slowLog{Log: log, before: func(string) error {
		_, err := os.Stat(file)
		return err
	}}
	if _, err := s.appendNumbers(slow, 3, 3, file); err != nil {
		t.Errorf("got error %v, want that the file was there before the first request", err)
	}
	nowhere := filepath.Join(dir, "link")
	if err := os.Symlink("missing", nowhere); err != nil {
		t.Fatal(err)
	}
	slow = &slowLog{Log: log}
	if _, err := s.appendNumbers(slow, 3, 3, filepath.Join(nowhere, "progress")); err == nil || len(slow.sent) > 0 {
		t.Errorf("where the file cannot be written: got error %v and %v sent, want nothing sent", err, slow.sent)
	}
}

func TestAnswersAreToldWhileTheInputIsSilent(t *testing.T) {
	s := newSession(t)
	p := s.program("writer", nil, new(bytes.Buffer))
	in, line := io.Pipe()
	out := &signalBuffer{written: make(chan struct{})}
	p.Stdin, p.Stdout = in, out
	status := make(chan int, 1)
	go func() { status <- p.run(t.Context(), []string{"append", "--ndjson", "-"}) }()
	fmt.Fprintln(line, "{}")
	<-out.written // though more may come
	fmt.Fprintln(line, "{}")
	line.Close()
	if got := <-status; got != command.Yes || strings.Count(out.b.String(), "witnessed\n") != 2 {
		t.Errorf("got status %d and %q, want both events", got, &out.b)
	}
}

// forgeAnswer changes the answer about one event before it is checked.
type forgeAnswer struct {
	client.Log
	forge func(r *client.Appended)
}

func (l forgeAnswer) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	results, err := l.Log.Append(ctx, stream, events, wait)
	if err == nil {
		l.forge(&results[len(results)-1])
	}
	return results, err
}

func TestAppendRefusesForgedAnswers(t *testing.T) {
	s := newSession(t)
	_, log := s.verifierOf("writer")
	first := s.must("writer", "append", "--json", "{}")
	var other entryFile
	if err := json.Unmarshal([]byte(first), &other); err != nil {
		t.Fatal(err)
	}
	receipt := func(r *client.Appended, change func(*proofs.Receipt)) {
		parsed, err := proofs.ParseReceipt(r.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		change(&parsed)
		if r.Receipt, err = proofs.FormatReceipt(parsed); err != nil {
			t.Fatal(err)
		}
	}
	for name, forge := range map[string]func(r *client.Appended){
		"the receipt of another entry": func(r *client.Appended) { r.Receipt = other.Receipt },
		"another entry altogether": func(r *client.Appended) {
			r.Index, r.Leaf, r.Receipt, r.Disclosure = other.Index, other.Leaf, other.Receipt, other.Disclosure
		},
		"another index":                  func(r *client.Appended) { r.Index++ },
		"another index, also in receipt": func(r *client.Appended) { r.Index--; receipt(r, func(p *proofs.Receipt) { p.Index-- }) },
		"a proof that is altered":        func(r *client.Appended) { receipt(r, func(p *proofs.Receipt) { p.Proof[0][0] ^= 1 }) },
		"a checkpoint that is altered": func(r *client.Appended) {
			receipt(r, func(p *proofs.Receipt) { p.Checkpoint = bytes.Replace(p.Checkpoint, []byte("\n"), []byte("\n9"), 1) })
		},
		"no receipt":                  func(r *client.Appended) { r.Receipt, r.Leaf = nil, other.Leaf },
		"no JSON for a receipt":       func(r *client.Appended) { r.Receipt = []byte("x") },
		"neither receipt nor promise": func(r *client.Appended) { r.State, r.Receipt = client.Integrated, nil },
	} {
		if _, err := s.appendNumbers(forgeAnswer{log, forge}, 1, 1, ""); err == nil || statusOf(err) != command.No {
			t.Errorf("%s: got error %v, want that it does not verify", name, err)
		}
	}
}
