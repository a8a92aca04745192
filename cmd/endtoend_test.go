package cmd_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestRealEventsThroughTheRealPrograms does what a new user would do: three
// witnesses and a ledger with a policy of two of them, as processes; two sets
// of real audit events; everything read back and verified; witnesses that
// stop; a ledger's directory brought back from the past.
func TestRealEventsThroughTheRealPrograms(t *testing.T) {
	s := newSite(t)
	sets := []eventSet{
		{zip: "cloudtrail-s3-exfiltration.zip", key: "eventID"},
		{zip: "windows-persistence.zip", key: "Hostname,Channel,RecordNumber"},
	}
	if testing.Short() {
		sets = sets[:1]
	}
	past := filepath.Join(s.dir, "past")
	var want [][]byte
	for i, set := range sets {
		file, lines := s.unpack(set.zip)
		out := s.cairn(0, s.writer, "append", "--ndjson", file, "--idempotency-field", set.key)
		s.wants(out, fmt.Sprintf("%d events recorded, 0 were there already, 0 refused", len(lines)))
		out = s.cairn(0, s.writer, "append", "--ndjson", file, "--idempotency-field", set.key)
		s.wants(out, fmt.Sprintf("0 events recorded, %d were there already, 0 refused", len(lines)))
		want = append(want, lines...)
		if i == 0 {
			s.ledger.stop()
			s.copyLedger(past)
			s.startLedger()
		}
	}
	indices := s.readBack(want)
	s.cairn(0, s.reader, "audit")
	export := filepath.Join(s.dir, "export")
	s.cairn(0, s.auditor, "export", "--vault", export)
	s.verifyOffline(indices, export)
	s.findFlippedBits(export)
	s.startLedger()
	s.witnessesStop()
	s.pastIsRefused(past)
}

// TestEntryOnAnIdleLedgerIsWitnessedAtOnce: there is no interval at whose end
// things are witnessed. One of a second would show in the median.
func TestEntryOnAnIdleLedgerIsWitnessedAtOnce(t *testing.T) {
	s := newSite(t, `heartbeat = "1h"`)
	s.ledger.awaitReady()
	log, err := client.Dial(s.ledger.url, client.Options{Token: s.writer})
	if err != nil {
		t.Fatal(err)
	}
	var took []time.Duration
	for i := range 9 {
		time.Sleep(50 * time.Millisecond) // for the ledger to become idle
		start := time.Now()
		got, err := log.Append(t.Context(), "default", []client.Event{{Data: fmt.Appendf(nil, `{"n":%d}`, i)}}, client.Witnessed)
		if err != nil || got[0].Err != nil || got[0].State != client.Witnessed {
			t.Fatalf("append: got %+v and error %v", got, err)
		}
		if published := s.ledger.metric("cairn_size_published"); published <= float64(got[0].Index) {
			t.Errorf("entry %d was answered when %v entries were published", got[0].Index, published)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 500*time.Millisecond {
		t.Errorf("an entry took %v to be witnessed, and one in two longer: %v", median, took)
	}
	t.Logf("median %v of %v", took[len(took)/2], took)
}

type eventSet struct{ zip, key string }

// unpack unpacks a set of events and returns the file and its lines.
func (s *site) unpack(name string) (string, [][]byte) {
	s.Helper()
	z, err := zip.OpenReader(filepath.Join("..", "testdata", "events", name))
	if err != nil {
		s.Fatal(err)
	}
	defer z.Close()
	f, err := z.File[0].Open()
	if err != nil {
		s.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		s.Fatal(err)
	}
	file := filepath.Join(s.dir, strings.TrimSuffix(name, ".zip")+".ndjson")
	s.write(file, string(data))
	var lines [][]byte
	for line := range bytes.Lines(data) {
		lines = append(lines, bytes.TrimRight(line, "\r\n"))
	}
	return file, lines
}

// readBack follows the log from its start and compares every payload with
// what was sent, byte for byte; batches that were under way together may be in
// another order. It returns the indices of the events.
func (s *site) readBack(want [][]byte) (indices []uint64) {
	s.Helper()
	missing := make(map[string]int)
	for _, line := range want {
		missing[string(line)]++
	}
	log, err := client.Dial("http://"+s.address, client.Options{Token: s.reader})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	for e, err := range log.Tail(ctx, client.TailQuery{Stream: "default"}) {
		if err != nil {
			s.Fatalf("after %d events: %v", len(indices), err)
		}
		leaf, err := proofs.ParseLeaf(e.Leaf)
		if err != nil {
			s.Fatal(err)
		}
		if err := e.Disclosure.Check(leaf); err != nil {
			s.Fatalf("entry %d: %v", e.Index, err)
		}
		got := e.Disclosure.Parts[0].Data
		if missing[string(got)]--; missing[string(got)] < 0 {
			s.Fatalf("entry %d: got %.100q, which was not sent so often", e.Index, got)
		}
		if indices = append(indices, e.Index); len(indices) == len(want) {
			break
		}
	}
	return indices
}

// verifyOffline verifies the receipts of a random sample, and the export,
// with the server stopped.
func (s *site) verifyOffline(indices []uint64, export string) {
	s.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	var receipts []string
	for range 20 {
		index := indices[rng.IntN(len(indices))]
		receipt := filepath.Join(s.dir, fmt.Sprintf("%d.tlog-proof", index))
		s.cairn(0, s.reader, "prove", "inclusion", fmt.Sprint(index), "-o", receipt)
		receipts = append(receipts, receipt)
	}
	if status := s.ledger.stop(); status != 0 {
		s.Errorf("cairnd serve: got exit status %d at SIGTERM, want 0: %s", status, s.ledger.talk)
	}
	for _, receipt := range receipts {
		s.wants(s.run(0, "cairn", "verify", "--policy", s.policyFile(), receipt), "verifies")
	}
	s.flip(receipts[0])
	s.run(1, "cairn", "verify", "--policy", s.policyFile(), receipts[0])
	s.run(0, "cairn", "audit", "--policy", s.policyFile(), export)
}

// findFlippedBits flips one bit in a file of each kind and lets the auditor
// find it.
func (s *site) findFlippedBits(export string) {
	s.Helper()
	for _, dir := range []string{"checkpoint", "tile/0", "tile/entries", "vault"} {
		path := firstFile(s.T, filepath.Join(export, filepath.FromSlash(dir)))
		before, err := os.ReadFile(path)
		if err != nil {
			s.Fatal(err)
		}
		s.flip(path)
		out := s.run(1, "cairn", "audit", "--policy", s.policyFile(), export)
		name, err := filepath.Rel(export, path)
		if err != nil {
			s.Fatal(err)
		}
		s.wants(out, filepath.ToSlash(name))
		s.write(path, string(before))
	}
}

func firstFile(t *testing.T, path string) (first string) {
	t.Helper()
	err := filepath.WalkDir(path, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			first = path
			return filepath.SkipAll
		}
		return err
	})
	if err != nil || first == "" {
		t.Fatalf("%s: there is no file (%v)", path, err)
	}
	return first
}

// flip flips one bit in the middle of a file.
func (s *site) flip(path string) {
	s.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	data[len(data)/2] ^= 1
	s.write(path, string(data))
}

// witnessesStop stops two of the three witnesses: nothing is published, but
// entries are still integrated. When they are back nothing is lost.
func (s *site) witnessesStop() {
	s.Helper()
	s.witnesses[0].stop()
	s.witnesses[2].stop()
	s.wants(s.cairn(0, s.writer, "append", "--wait", "integrated", "--idempotency-key", "while-down", `{"while":"down"}`), "integrated")
	out := s.runEnv(3, []string{"CAIRN_URL=http://" + s.address, "CAIRN_POLICY=" + s.policyFile(), "CAIRN_TOKEN=" + s.writer},
		"cairn", "append", "--timeout", "2s", "--idempotency-key", "never-witnessed", `{"never":"witnessed"}`)
	if strings.Contains(out, "witnessed  ") {
		s.Errorf("an entry was reported as witnessed without a quorum: %s", out)
	}
	s.wants(s.run(1, "cairnd", "status", "--dir", s.ledgerDir()), "the quorum of witnesses does not cosign")
	if published, integrated := s.ledger.metric("cairn_size_published"), s.ledger.metric("cairn_size_integrated"); published >= integrated {
		s.Errorf("metrics: %v entries are published and %v integrated, want fewer published", published, integrated)
	}
	s.witnesses[0].start()
	s.witnesses[2].start()
	for _, key := range []string{"while-down", "never-witnessed"} {
		data := map[string]string{"while-down": `{"while":"down"}`, "never-witnessed": `{"never":"witnessed"}`}[key]
		s.wants(s.cairn(0, s.writer, "append", "--idempotency-key", key, data), "was there")
	}
}

func (s *site) copyLedger(to string) {
	s.Helper()
	if err := os.CopyFS(to, os.DirFS(s.ledgerDir())); err != nil {
		s.Fatal(err)
	}
	for _, key := range []string{"log.key", "secrets.key"} {
		if err := os.Chmod(filepath.Join(to, "keys", key), 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// pastIsRefused serves the directory of an earlier time: it signs nothing,
// says why, and ends with status 1.
func (s *site) pastIsRefused(past string) {
	s.Helper()
	s.ledger.stop()
	out := s.run(1, "cairnd", "serve", "--dir", past)
	s.wants(out, "has cosigned size")
	s.startLedger()
	s.cairn(0, s.writer, "append", `{"after":"the past"}`)
	s.cairn(0, s.reader, "audit")
}
