package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// entryWithTags appends an event with tags and returns its file as get --json
// --settings prints it.
func (s *session) entryWithTags() []byte {
	s.t.Helper()
	_, err := s.world.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(s.t.Context(), ledger.StreamConfig{Name: "logins", Fields: []ledger.FieldConfig{
		{Name: "actor", Path: "$.actor", Subject: true}, {Name: "action", Path: "$.action"}, {Name: "host", Path: "$.host"},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	index, _, _ := strings.Cut(s.must("writer", "append", "--stream", "logins", "--field", "host=h1", `{"actor":"alice","action":"login"}`), " ")
	return []byte(s.must("reader", "get", "--json", "--settings", index))
}

// verify verifies files given by name and content, after flags.
func (s *session) verify(flags []string, files ...string) (status int, stdout, stderr string) {
	s.t.Helper()
	dir := s.t.TempDir()
	args := append([]string{"verify"}, flags...)
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			s.t.Fatal(err)
		}
		args = append(args, path)
	}
	return s.run("", args...)
}

func TestVerifyComputesTheTagsAgain(t *testing.T) {
	s := newSession(t)
	whole := s.entryWithTags()
	status, stdout, stderr := s.verify(nil, "entry.json", string(whole))
	if status != command.Yes || !strings.Contains(stdout, `T, computed again: 3 values by the settings of stream "logins" in entry`) ||
		!strings.Contains(stdout, "the field keys are those that the log committed to") || strings.Contains(stdout, "not checked") {
		t.Errorf("got status %d and\n%s%s\nwant everything checked", status, stdout, stderr)
	}
}

func TestVerifyRefusesTagsThatAreNotOfThePayload(t *testing.T) {
	s := newSession(t)
	whole := s.entryWithTags()
	tests := []struct {
		name   string
		change func(e *entryFile)
		want   string
	}{
		{"another field key", func(e *entryFile) { e.FieldKeys[1] = bytes.Repeat([]byte{1}, 32) }, "the key of field 1 is not the one that the log committed to"},
		{"a short field key", func(e *entryFile) { e.FieldKeys[1] = []byte{1} }, "the key of field 1 does not have 32 bytes"},
		{"no field key", func(e *entryFile) { delete(e.FieldKeys, 2) }, "there is no key of field 2"},
		{"another payload", func(e *entryFile) { e.Disclosure.Parts[0].Data[2] ^= 1 }, "the payload is not the one that was recorded"},
		{"another tag", func(e *entryFile) { e.Disclosure.Tags[0].Tags[3] ^= 1 }, "the tags are not those that the leaf commits to"},
		{"another leaf", func(e *entryFile) { e.Leaf[20] ^= 1 }, "receipt of entry"},
		{"another index", func(e *entryFile) { e.Index++ }, "its receipt is of entry"},
		{"no receipt", func(e *entryFile) { e.Receipt = nil }, "nothing shows that it is in the log"},
		{"settings without their receipt", func(e *entryFile) { e.Context[0].Receipt = nil }, "nothing shows that it is in the log"},
		{"other settings", func(e *entryFile) {
			e.Context[indexOfKind(t, e.Context, proofs.Settings)].Disclosure.Parts[0].Data[20] ^= 1
		}, "context: entry"},
		{"another bucket's opening", func(e *entryFile) {
			e.Context[indexOfKind(t, e.Context, proofs.BucketOpened)].Leaf[30] ^= 1
		}, "context: receipt of entry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries, err := parseEntryFiles(whole)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&entries[0])
			b, err := json.Marshal(entries[0])
			if err != nil {
				t.Fatal(err)
			}
			status, stdout, stderr := s.verify(nil, "entry.json", string(b))
			if status == command.Yes || !strings.Contains(stderr, tt.want) {
				t.Errorf("got status %d and\n%s%s\nwant a refusal that says %q", status, stdout, stderr, tt.want)
			}
		})
	}
}

func TestVerifyTakesSettingsFromFiles(t *testing.T) {
	s := newSession(t)
	entries, err := parseEntryFiles(s.entryWithTags())
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	context := e.Context
	e.Context = nil
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain.json", string(context[indexOfKind(t, context, proofs.Settings)].Disclosure.Parts[0].Data))
	set := write("set.json", marshal(context[indexOfKind(t, context, proofs.Settings)]))
	opened := write("opened.json", marshal(context[indexOfKind(t, context, proofs.BucketOpened)]))
	other := write("other.json", `{"name":"logins","fields":[{"Number":1,"Name":"actor","Path":"$.action","Subject":true}]}`)
	event := write("event.json", marshal(e))
	tests := []struct {
		name   string
		flags  []string
		status int
		want   string
	}{
		{"none", nil, command.Yes, "not checked  that the tags are those of the payload"},
		{"in JSON", []string{"--settings", plain}, command.Yes, `by the settings of stream "logins" as they were given`},
		{"in JSON, without the bucket's keys", []string{"--settings", plain}, command.Yes, "not checked  that the field keys are right"},
		{"in JSON, with the bucket's keys", []string{"--settings", plain, "--settings", opened}, command.Yes, "the field keys are those that the log committed to"},
		{"in their entry", []string{"--settings", set, "--settings", opened}, command.Yes, `by the settings of stream "logins" in entry`},
		{"that declare other fields", []string{"--settings", other}, command.No, "does not verify"},
		{"that are an event", []string{"--settings", event}, command.Misuse, "only entries that set a stream or open a bucket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := s.verify(tt.flags, "entry.json", marshal(e))
			if status != tt.status || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("got status %d and\n%s%s\nwant status %d and %q", status, stdout, stderr, tt.status, tt.want)
			}
		})
	}
}

func TestVerifySaysWhatIsHidden(t *testing.T) {
	s := newSession(t)
	entries, err := parseEntryFiles(s.entryWithTags())
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	p := &e.Disclosure.Parts[0]
	p.Opening, p.Head, p.Data = nil, nil, nil
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := s.verify(nil, "entry.json", string(b))
	if status != command.Yes || !strings.Contains(stdout, "not checked  1 parts of the payload: they are not shown") ||
		!strings.Contains(stdout, "not checked  that the tags are those of the payload: not all of both is shown") {
		t.Errorf("got status %d and\n%s%s\nwant that the payload is not checked", status, stdout, stderr)
	}
	if status, _, stderr := s.verify([]string{"--payload", "/dev/null"}, "entry.json", string(b)); status == command.Yes {
		t.Errorf("with a payload that cannot be checked: got status %d and %s", status, stderr)
	}
}

func indexOfKind(t *testing.T, entries []entryFile, kind proofs.Kind) int {
	t.Helper()
	for i, e := range entries {
		if leaf, err := proofs.ParseLeaf(e.Leaf); err == nil && leaf.Kind == kind {
			return i
		}
	}
	t.Fatalf("there is no entry of kind %v", kind)
	return 0
}

func TestVerifyMatchesReceiptsWithEntries(t *testing.T) {
	s := newSession(t)
	entries, err := parseEntryFiles(s.entryWithTags())
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	receipt := string(e.Receipt)
	e.Receipt, e.Context = nil, nil
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := s.verify(nil, "entry.json", string(b), "4.tlog-proof", receipt)
	if status != command.Yes || strings.Count(stdout, " verifies\n") != 2 {
		t.Errorf("got status %d and\n%s%s\nwant both verified", status, stdout, stderr)
	}
	if status, _, _ := s.verify(nil, "entry.json", string(b)); status != command.Unknown {
		t.Errorf("without the receipt: got status %d, want %d", status, command.Unknown)
	}
}

func TestVerifyJudgesEveryFile(t *testing.T) {
	s := newSession(t)
	s.must("writer", "append", "{}") // so that something is published
	receipt := s.must("", "prove", "receipt", "1")
	status, stdout, stderr := s.verify([]string{"--json"}, "a", "noise", "b.tlog-proof", receipt, "c", "{}")
	var verdicts []bool
	for line := range strings.Lines(stdout) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, f.Verifies)
	}
	if status != command.No || len(verdicts) != 3 || verdicts[0] || !verdicts[1] || verdicts[2] {
		t.Errorf("got status %d and verdicts %v\n%s%s\nwant %d and that only the second verifies", status, verdicts, stdout, stderr, command.No)
	}
}

// One entry that cannot be told hides neither those that do not verify nor
// those that do.
func TestVerifyJudgesEveryEntryOfAFile(t *testing.T) {
	s := newSession(t)
	entries, err := parseEntryFiles(s.entryWithTags())
	if err != nil {
		t.Fatal(err)
	}
	whole, unknown, wrong := entries[0], entries[0], entries[0]
	unknown.Receipt = nil
	wrong.Leaf = bytes.Clone(whole.Leaf)
	wrong.Leaf[20] ^= 1
	var file strings.Builder
	for _, e := range []entryFile{unknown, wrong, whole} {
		if err := json.NewEncoder(&file).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	status, stdout, stderr := s.verify(nil, "entries.json", file.String())
	if status != command.No || strings.Count(stdout, "entry verifies\n") != 1 || !strings.Contains(stderr, "nothing shows that it is in the log") || !strings.Contains(stderr, "does not verify") {
		t.Errorf("got status %d and\n%s%s\nwant one that verifies, one that does not, and one that cannot be told", status, stdout, stderr)
	}
	status, stdout, _ = s.verify([]string{"--json"}, "entries.json", file.String())
	if status != command.No || strings.Count(stdout, `"verifies":true`) != 1 || strings.Count(stdout, `"verifies":false,"error":"`) != 2 {
		t.Errorf("got status %d and\n%s\nwant a line for each entry", status, stdout)
	}
}

func FuzzVerify(f *testing.F) {
	policy, err := proofs.ParsePolicy([]byte("quorum none\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("a", []byte(`{"index":1,"leaf":"AAAA","disclosure":{"id":"","parts":[],"tags":[]}}`))
	f.Add("a.tlog-proof", []byte("c2sp.org/tlog-proof@v1\nindex 1\n\n"))
	f.Add("a", []byte("cairn/v1 audit state\n"))
	f.Add("a", []byte("cairn/v1 promised entry\nindex 0\nleaf AA==\n\n"))
	f.Add("a", []byte(`{"what":"fork","old":"","new":""}`))
	f.Add("a", []byte("example.com\n1\n"+proofs.EmptyRoot().String()+"\n\n— example.com AAAA\n"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		j := &judge{policy: policy, receipts: map[uint64]proofs.Receipt{}}
		emitted := false
		err := j.judge(name, b, func(f finding, wrong error) error {
			if emitted = true; wrong == nil {
				t.Errorf("%q verifies under a policy that believes nobody: %+v", b, f)
			}
			return nil
		})
		if err != nil || !emitted {
			t.Errorf("%q: got error %v, and a verdict: %v", b, err, emitted)
		}
	})
}
