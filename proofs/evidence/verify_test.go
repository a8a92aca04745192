package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// judge verifies a file by the policy of its ledger.
func judge(l *ledger, b []byte) (report *evidence.Report, entries []evidence.EntryReport, err error) {
	report, err = evidence.Verify(bytes.NewReader(b), evidence.Options{Policy: l.policy, Entry: func(e *evidence.EntryReport) error {
		entries = append(entries, *e)
		return nil
	}})
	return report, entries, err
}

func TestASoundFileVerifies(t *testing.T) {
	l, f := sampleFile()
	report, entries, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() {
		t.Fatalf("got error %v, findings %v", err, report)
	}
	want := evidence.Counts{Entries: 3, InLog: 3, Whole: 3, Events: 3, Tagged: 3}
	if report.Counts != want || report.Checkpoints != 2 || report.OwnPolicy || !report.SamePolicy {
		t.Errorf("got %+v, want %+v under the last of 2 checkpoints, by the same policy", report, want)
	}
	if report.Origin != origin || report.Selection != "chosen by a test" || !slices.Equal(report.Runs, []proofs.Run{{First: 6, Last: 8}}) {
		t.Errorf("got origin %q, selection %q, runs %v", report.Origin, report.Selection, report.Runs)
	}
	if report.FirstTime != (startTime+60)*1e6 || report.FirstAfter != startTime || report.LastBefore != startTime+120 {
		t.Errorf("got times %d, %d, %d", report.FirstTime, report.FirstAfter, report.LastBefore)
	}
	e := entries[2]
	if !e.OK() || e.Index != sampleParts || e.Stream != "calls" || e.Settings != sampleSplit || e.After != startTime || e.Before != startTime+120 ||
		string(e.Part.Data) != `{"from":"alice","to":"bob","seconds":61}` || !slices.Equal(e.Part.Subjects, []string{"alice", "bob"}) {
		t.Errorf("got %+v", e)
	}
}

func TestWithoutAPolicyTheReportSaysSo(t *testing.T) {
	l, f := sampleFile()
	report, err := evidence.Verify(bytes.NewReader(l.bytes(f)), evidence.Options{})
	if err != nil || !report.OK() || !report.OwnPolicy || !report.SamePolicy {
		t.Fatalf("got %+v and error %v, want that it agrees with its own policy", report, err)
	}
	if !strings.Contains(strings.Join(report.NotProven(), "\n"), "the policy that names them is from the file itself") {
		t.Errorf("got that not proven is\n%s", strings.Join(report.NotProven(), "\n"))
	}
	other := newLedger()
	text := strings.Replace(string(proofs.FormatPolicy(l.policy)), "quorum w", "quorum none", 1)
	other.policy = must(proofs.ParsePolicy([]byte(text)))
	report, _, err = judge(other, l.bytes(f))
	if err != nil || report.OwnPolicy || report.SamePolicy {
		t.Errorf("by another policy: got %+v and error %v, want that it is another", report, err)
	}
}

// A file of one policy is worth nothing under another one.
func TestAPolicyThatKnowsOthersBelievesNothing(t *testing.T) {
	l, f := sampleFile()
	key := func(name string, typ proofs.KeyType) proofs.Key {
		return must(proofs.GenerateKey(name, typ, rand.NewChaCha8([32]byte{9}))).Key()
	}
	for name, text := range map[string]string{
		"another log":     fmt.Sprintf("log %s\nquorum none\n", key(origin, proofs.Ed25519)),
		"another witness": fmt.Sprintf("log %s\nwitness w %s\nquorum w\n", l.log.Key(), key("witness.example/w", proofs.Ed25519Cosignature)),
	} {
		o := evidence.Options{Policy: must(proofs.ParsePolicy([]byte(text)))}
		if report, err := evidence.Verify(bytes.NewReader(l.bytes(f)), o); !errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("%s: got %+v and error %v, want that it does not verify", name, report, err)
		}
	}
}

// reseal returns lines with an end that counts and hashes them.
func reseal(lines [][]byte) []byte {
	b := bytes.Join(lines[:len(lines)-1], nil)
	sum := sha256.Sum256(b)
	end := must(evidence.ParseLine(lines[len(lines)-1])).End
	end.SHA256 = hex.EncodeToString(sum[:])
	return append(b, must(evidence.FormatLine(evidence.Line{End: end}))...)
}

// Whoever changes a byte can hash again. What the log signed still shows it:
// everything but the header. A cosignature of an earlier checkpoint can be
// made one of nobody; then nobody attests the time.
func TestAForgerWhoHashesAgainIsFound(t *testing.T) {
	l, f := sampleFile()
	lines := linesOf(l.bytes(f))
	rng := rand.New(rand.NewPCG(1, 2))
	judged := 0
	for i := 1; i < len(lines)-1; i++ {
		for range 60 {
			at, bit := rng.IntN(len(lines[i])), rng.IntN(7)
			changed := slices.Clone(lines)
			changed[i] = bytes.Clone(lines[i])
			changed[i][at] ^= 1 << bit
			if _, err := evidence.ParseLine(changed[i]); err != nil {
				continue
			}
			judged++
			report, _, err := judge(l, reseal(changed))
			if err == nil && report.OK() && report.FirstAfter > 0 {
				t.Errorf("line %d: bit %d of byte %d (%q) is flipped, and it verifies", i, bit, at, lines[i][at])
			}
		}
	}
	if judged < 100 {
		t.Errorf("only %d flips were in the form of a file", judged)
	}
}

func TestWhatDoesNotVerifyIsFound(t *testing.T) {
	l, sound := sampleFile()
	other := sample()
	other.now += 1000
	other.event(1, 1, `{"action":"login","user":"eve"}`)
	other.publish()
	first := func(f *file) *evidence.Entry { return &f.entries[0] }
	tests := []struct {
		name   string
		change func(*file)
		want   string // in the finding or error
		fatal  bool   // nothing else is reported
	}{
		{"an entry at another index", func(f *file) { first(f).Index = 3 }, "entry 3: does not verify: inclusion", false},
		{"a proof of another entry", func(f *file) { first(f).Proof = f.entries[1].Proof }, "entry 6: does not verify: inclusion", false},
		{"a leaf of another entry", func(f *file) { first(f).Leaf = f.entries[1].Leaf }, "entry 6: does not verify: inclusion", false},
		{"a disclosure of another entry", func(f *file) { first(f).Disclosure = f.entries[1].Disclosure }, "it is not what the leaf commits to", false},
		{"another payload", func(f *file) { show(first(f)).Data = []byte(`{"action":"transfer","user":"alice","amount":13}`) }, "the payload is not the one that was recorded", false},
		{"another appender", func(f *file) {
			show(first(f)).Head = must(proofs.FormatPartHead(proofs.Part{MediaType: "application/json", Appender: "eve"}))
		}, "the payload is not the one that was recorded", false},
		{"other tags", func(f *file) { show(first(f)); first(f).Disclosure.Tags[0].Tags[5] ^= 1 }, "the tags are not those that the leaf commits to", false},
		{"another field key", func(f *file) {
			first(f).FieldKeys = slices.Clone(first(f).FieldKeys)
			first(f).FieldKeys[0].Key = make([]byte, 32)
		}, "the key of field 1 is not the one that the log committed to", false},
		{"a reason that is none", func(f *file) { first(f).Because = []uint64{sampleClass} }, "entry 1 says nothing about it", false},
		{"a reason that the file does not have", func(f *file) { first(f).Because = []uint64{5000} }, "entry 5000 says nothing about it", false},
		{"gone without a reason", func(f *file) { f.entries[0] = l.gone(sampleEvent) }, "entry 6: does not verify: it is gone, and no published entry says why", false},
		{"context that is not in the log", func(f *file) { f.context[0].Leaf = f.context[1].Leaf }, "entry 1: does not verify: inclusion", false},
		{"settings with other names", func(f *file) { show(&f.context[1]).Data[9] ^= 1 }, "entry 2: does not verify: disclosure", false},
		{"a checkpoint of another history", func(f *file) { f.checkpoints[0] = checkpoint{6, []byte(forked(l))} }, "checkpoints of size 6 and 9: does not verify: consistency", true},
		{"a last checkpoint without its quorum", func(f *file) { f.checkpoints[1].note = uncosigned(f.checkpoints[1].note) }, `the quorum "w" of the policy has not cosigned the last checkpoint`, true},
		{"a checkpoint with a bad signature", func(f *file) { f.checkpoints[0].note = damaged(f.checkpoints[0].note) }, "does not verify", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sound.clone()
			tt.change(&f)
			slices.SortFunc(f.entries, func(a, b evidence.Entry) int { return int(a.Index) - int(b.Index) })
			report, _, err := judge(l, l.bytes(f))
			switch {
			case tt.fatal && (!errors.Is(err, proofs.ErrNotVerified) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got error %v, want that it does not verify: %s", err, tt.want)
			case !tt.fatal && (err != nil || report.Wrong != 1 || !strings.Contains(report.Findings[0].String(), tt.want)):
				t.Errorf("got error %v and %+v, want one finding with %q", err, report, tt.want)
			}
		})
	}
}

// show returns the first part that an entry shows, in a disclosure of its own.
func show(e *evidence.Entry) *proofs.DisclosedPart {
	d := *e.Disclosure
	d.Parts, d.Tags = slices.Clone(d.Parts), slices.Clone(d.Tags)
	d.Parts[0].Data = bytes.Clone(d.Parts[0].Data)
	for i := range d.Tags {
		d.Tags[i].Tags = bytes.Clone(d.Tags[i].Tags)
	}
	e.Disclosure = &d
	return &d.Parts[0]
}

// forked returns a checkpoint that the same log and witness signed, of another
// history.
func forked(l *ledger) string {
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: origin, Size: 6, Root: proofs.Hash{1}}))
	n := proofs.Note{Text: text}
	for _, k := range []proofs.SigningKey{l.log, l.witness} {
		n.Signatures = append(n.Signatures, must(k.SignCheckpoint(text, l.now)))
	}
	return string(proofs.FormatNote(n))
}

func uncosigned(note []byte) []byte {
	n := must(proofs.ParseNote(note))
	n.Signatures = n.Signatures[:1]
	return proofs.FormatNote(n)
}

func damaged(note []byte) []byte {
	n := must(proofs.ParseNote(note))
	n.Signatures[0].Bytes[0] ^= 1
	return proofs.FormatNote(n)
}

// What a file leaves out is no lie, and is named.
func TestWhatIsLeftOutIsNamed(t *testing.T) {
	l, sound := sampleFile()
	hide := func(f *file, word evidence.Missing) {
		e := &f.entries[0]
		e.Disclosure, e.FieldKeys, e.Missing = nil, nil, word
	}
	tests := []struct {
		name   string
		change func(*file)
		counts evidence.Counts
		tagged string // why the tags of the first entry are not known
	}{
		{"a payload that the maker may not read", func(f *file) { hide(f, evidence.Forbidden) },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 2, Tagged: 2, Forbidden: 1}, "not all of the payload and the tags is shown"},
		{"a payload that the maker left out", func(f *file) { hide(f, evidence.LeftOut) },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 2, Tagged: 2, LeftOut: 1}, "not all of the payload and the tags is shown"},
		{"the settings of a stream", func(f *file) { f.context = slices.Delete(f.context, 1, 2) },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 3, Tagged: 1}, "the file does not have the settings of its stream"},
		{"the names in the settings", func(f *file) { f.context[1].Disclosure = nil },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 3, Tagged: 1}, "the file does not show the settings of its stream, in entry 2"},
		{"the entry that opened the bucket", func(f *file) { f.context = slices.Delete(f.context, 3, 4) },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 3, Tagged: 1}, "the file does not have the entry that opened its bucket"},
		{"the key of a field", func(f *file) { f.entries[0].FieldKeys = f.entries[0].FieldKeys[:1] },
			evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 3, Tagged: 2}, "the file does not have the key of the field user"},
		{"one of several parts", func(f *file) {
			e := &f.entries[2]
			show(e)
			e.Disclosure.Parts[1] = proofs.DisclosedPart{SealedHash: e.Disclosure.Parts[1].SealedHash, Binding: e.Disclosure.Parts[1].Binding}
			e.Missing = evidence.LeftOut
		}, evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 2, Partly: 1, Tagged: 2, LeftOut: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sound.clone()
			tt.change(&f)
			report, entries, err := judge(l, l.bytes(f))
			if err != nil || !report.OK() || report.Counts != tt.counts {
				t.Fatalf("got %+v and error %v, want %+v", report, err, tt.counts)
			}
			if got := entries[0].NotTagged; got != tt.tagged {
				t.Errorf("got that the tags are not known because %q, want %q", got, tt.tagged)
			}
			if tt.counts.Partly > 0 && string(entries[2].Part.Data) != `{"from":null,"to":"bob","seconds":61}` {
				t.Errorf("got %s", entries[2].Part.Data)
			}
		})
	}
}

// A time that the witnesses contradict is the log's lie.
func TestATimeBeyondTheCosignaturesIsFound(t *testing.T) {
	l := sample()
	l.now += 3600
	index := l.event(1, 1, `{"action":"login","user":"eve"}`)
	l.now -= 3600
	l.publish()
	report, _, err := judge(l, l.bytes(l.file(nil, l.entry(index))))
	if err != nil || report.Wrong != 1 || !strings.Contains(report.Findings[0].Detail, "newer than cosignatures on it") {
		t.Errorf("got %+v and error %v", report, err)
	}
	back := l.event(1, 1, `{"action":"login","user":"eve"}`)
	l.now += 7200
	l.publish()
	report, _, err = judge(l, l.bytes(l.file(nil, l.entry(index), l.entry(back))))
	if err != nil || report.Wrong != 2 || !strings.Contains(report.Findings[1].Detail, "older than an entry before it") {
		t.Errorf("got %+v and error %v", report, err)
	}
}

// Checkpoints without a quorum prove nothing about time, and those around them do.
func TestTimesComeFromQuorumsAlone(t *testing.T) {
	l := sample()
	l.checkpoints[0].note = uncosigned(l.checkpoints[0].note)
	_, entries, err := judge(l, l.bytes(l.file(nil, l.entry(sampleEvent))))
	if err != nil || entries[0].After != 0 || entries[0].Before != startTime+120 {
		t.Errorf("got %+v and error %v, want no time after which it was made", entries, err)
	}
}
