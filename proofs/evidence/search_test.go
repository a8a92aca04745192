package evidence_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// mustSay checks that sentences say something, or that none does.
func mustSay(t *testing.T, sentences []string, want string, not ...string) {
	t.Helper()
	all := strings.Join(sentences, "\n")
	if !strings.Contains(all, want) {
		t.Errorf("got\n%s\nwant %q", all, want)
	}
	for _, n := range not {
		if strings.Contains(all, n) {
			t.Errorf("got\n%s\nwant nothing with %q", all, n)
		}
	}
}

func TestASearchSaysWhatItFound(t *testing.T) {
	l, f := searchedFile()
	report, entries, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() || len(report.Searches) != 1 {
		t.Fatalf("got %+v and error %v", report, err)
	}
	s := report.Searches[0]
	if !slices.Equal(s.Verdict.Hits, []uint64{sampleEvent + 1}) || s.Included != 1 || s.Shown != 1 || s.Tagged != 1 || s.Absent != nil {
		t.Errorf("got %+v", s)
	}
	if entries[0].Found != nil || !slices.Equal(entries[1].Found, []int{1}) || entries[2].Found != nil {
		t.Errorf("got that the entries were found by %v, %v, %v", entries[0].Found, entries[1].Found, entries[2].Found)
	}
	mustSay(t, report.Proven(), `Search 1, action="login" in the stream payments: among entries 0 to 8, when the ledger had 9, 1 event fits, and no other; each entry was looked through.`)
	mustSay(t, report.NotProven(), "Whoever made the file chose its entries, and what its searches ask for.", "the values that search 1 asks for", "not included", "directories")
}

// That there is nothing needs no entry to be shown.
func TestAFileCanShowThatThereIsNothing(t *testing.T) {
	l := sample()
	f := l.file(nil)
	f.searches = []evidence.Search{l.search(asks(2, "mallory", "eve"))}
	report, _, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() || report.Entries != 0 || len(report.Searches[0].Verdict.Hits) != 0 {
		t.Fatalf("got %+v and error %v", report, err)
	}
	mustSay(t, report.Proven(), "The log of the ledger ledger.example/audit signed its checkpoint of 9 entries, which w cosigned.\n"+
		`Search 1, user="mallory" or user="eve" in the stream payments: among entries 0 to 8, when the ledger had 9, no event fits; each entry was looked through.`, "0 entries")
	mustSay(t, report.NotProven(), "That what the events say is true", "no quorum of witnesses")
}

func TestWhatIsFoundAndNotIncludedIsSaid(t *testing.T) {
	l, f := searchedFile()
	f.searches = append(f.searches, l.search(asks(1, "login", "transfer")))
	f.entries = slices.Delete(f.entries, 1, 2) // the login
	report, entries, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() {
		t.Fatalf("got %+v and error %v, want that it is no failure", report, err)
	}
	absent := []proofs.Run{{First: sampleEvent + 1, Last: sampleEvent + 1}}
	for i, included := range []uint64{0, 1} {
		if s := report.Searches[i]; s.Included != included || !slices.Equal(s.Absent, absent) {
			t.Errorf("search %d: got %+v", i+1, s)
		}
	}
	if !slices.Equal(entries[0].Found, []int{2}) {
		t.Errorf("got that the first entry was found by %v", entries[0].Found)
	}
	mustSay(t, report.NotProven(), "What 1 event says that search 1 found: not included are entry 7.")
	mustSay(t, report.NotProven(), "That 1 event has the values that search 2 asks for: their tags stand for them, and are not computed again here.")
}

// A hit may be in the file without its payload.
func TestAHitWithoutItsPayloadIsIncludedAndNotShown(t *testing.T) {
	l, f := searchedFile()
	f.entries[1].Disclosure, f.entries[1].FieldKeys, f.entries[1].Missing = nil, nil, evidence.Forbidden
	report, _, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() {
		t.Fatalf("got %+v and error %v", report, err)
	}
	if s := report.Searches[0]; s.Included != 1 || s.Shown != 0 || s.Tagged != 0 || s.Absent != nil {
		t.Errorf("got %+v", s)
	}
}

// The range of a query is told with it, and what was not looked through.
func TestTheRangeOfASearchIsSaid(t *testing.T) {
	l, f := sampleFile()
	q := asks(1, "login")
	q.First, q.End, q.From, q.Until = 1, 8, startTime*1e6, (startTime+3600)*1e6
	f.searches = []evidence.Search{l.search(q)}
	report, _, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() {
		t.Fatalf("got %+v and error %v", report, err)
	}
	mustSay(t, report.Proven(), `action="login" in the stream payments, from entry 1 on, before entry 8, `+
		"recorded at 2026-11-23 12:00:00 UTC or later, recorded before 2026-11-23 13:00:00 UTC: among entries 1 to 7, when the ledger had 9, 1 event fits, and no other")

	s := &searched{ledger: l}
	f.searches[0] = asSearch(s.prove(asks(1, "login"), l.checkpoints[1], false))
	report, _, err = judge(l, l.bytes(f))
	if err != nil || !report.OK() || !report.Searches[0].SeesNothing() {
		t.Fatalf("got %+v and error %v", report, err)
	}
	mustSay(t, report.NotProven(), "What search 1 would find in entries 0 to 8, not looked through.")
	mustSay(t, report.Proven(), "", "Search 1")
}

// A search may be older than the file, which tells what came later.
func TestASearchUnderAnEarlierCheckpointIsTold(t *testing.T) {
	l, f := sampleFile()
	early := l.checkpoints[0]
	until := asks(1, "login")
	until.Until = startTime * 1e6 // when the last entry before it was made
	for _, tt := range []struct {
		q    proofs.SearchQuery
		want string
	}{
		{asks(1, "login"), "What search 1 would find in entries 6 to 8, not looked through."},
		{until, ""},
	} {
		f.searches = []evidence.Search{asSearch((&searched{ledger: l}).prove(tt.q, early, true))}
		report, entries, err := judge(l, l.bytes(f))
		if err != nil || !report.OK() || entries[1].Found != nil {
			t.Fatalf("got %+v and error %v", report, err)
		}
		mustSay(t, report.Proven(), "when the ledger had 6")
		if mustSay(t, report.NotProven(), tt.want); tt.want == "" {
			mustSay(t, report.NotProven(), "", "not looked through")
		}
	}
}

func TestWhatASearchCouldNotReadIsSaid(t *testing.T) {
	l, f := sampleFile()
	s := &searched{ledger: l, unread: map[uint64]bool{sampleEvent: true}}
	f.searches = []evidence.Search{asSearch(s.prove(asks(1, "login"), l.checkpoints[1], true))}
	report, _, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() || report.Searches[0].Verdict.Complete {
		t.Fatalf("got %+v and error %v", report, err)
	}
	mustSay(t, report.Proven(), "1 event fits, and no other; each entry was looked through; but for entry 6, which the ledger could not read and which may fit too.")
}

// Who cheats with a search is caught, in the search that it is about.
func TestACheatedSearchIsFound(t *testing.T) {
	l, sound := searchedFile()
	before := sample() // the same ledger, and then another one
	before.now += 1000
	before.event(1, 1, `{"action":"login","user":"eve"}`)
	later := before.publish()
	proof := func(f *file) proofs.SearchProof { return must(proofs.ParseSearchProof(f.searches[0].Proof)) }
	change := func(change func(*proofs.SearchProof)) func(*file) {
		return func(f *file) {
			p := proof(f)
			change(&p)
			f.searches[0] = asSearch(p)
		}
	}
	tests := []struct {
		name   string
		change func(*file)
		want   string
	}{
		{"of another log", func(f *file) { f.searches[0] = otherLog().search(asks(1, "login")) }, "does not verify"},
		{"under a checkpoint that nobody cosigned", change(func(p *proofs.SearchProof) { p.Checkpoint = uncosigned(p.Checkpoint) }), "does not verify"},
		{"of a later history, which the file does not have", func(f *file) { f.searches[0] = before.search(asks(1, "login")) }, "its checkpoint, of size 10, is none of the file: nothing shows that it is of the same history"},
		{"of a forked history", func(f *file) { f.searches[0] = fork().search(asks(1, "login")) }, "its checkpoint is of another history: the log has signed two trees of size 9"},
		{"without the tags of its hit", change(func(p *proofs.SearchProof) { p.Tail = slices.Delete(p.Tail, 1, 2) }), "the tags of entry 7 are not shown"},
		{"with a hit that is taken out of the tree", change(func(p *proofs.SearchProof) { p.Entries = slices.Delete(p.Entries, 7, 8) }), "does not verify"},
		{"for another stream", change(func(p *proofs.SearchProof) { p.Query.Stream = 2 }), "does not verify"},
		{"that says to have stopped earlier", change(func(p *proofs.SearchProof) { p.Stop = 7 }), "does not verify"},
		{"for a later range", change(func(p *proofs.SearchProof) { p.Start = 8 }), "does not verify"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sound.clone()
			f.searches = append(f.searches, f.searches[0])
			tt.change(&f)
			report, entries, err := judge(l, l.bytes(f))
			if err != nil || report.Wrong != 1 || report.Findings[0].Search != 1 || !strings.Contains(report.Findings[0].String(), tt.want) {
				t.Fatalf("got error %v and %+v, want one finding with %q", err, report, tt.want)
			}
			if s := report.Searches[0]; s.OK() || s.Verdict.Hits != nil {
				t.Errorf("got %+v of a search that does not verify", s)
			}
			if !slices.Equal(entries[1].Found, []int{2}) {
				t.Errorf("got that the login was found by %v, want by the sound search alone", entries[1].Found)
			}
			mustSay(t, report.Proven(), "Search 2, ", "Search 1, ")
		})
	}
	if later.size != sampleSize+1 {
		t.Errorf("got a later checkpoint of size %d", later.size)
	}
}

// otherLog is the sample as a log with another key has it.
func otherLog() *ledger {
	l := sample()
	l.log = must(proofs.GenerateKey(origin, proofs.Ed25519, rand.NewChaCha8([32]byte{7})))
	l.publish()
	return l
}

// fork is a sample with another event, of the same size.
func fork() *ledger {
	l := sample()
	l.entries, l.checkpoints = l.entries[:sampleParts], l.checkpoints[:1]
	for level := range l.nodes {
		l.nodes[level] = l.nodes[level][:sampleParts>>level]
	}
	l.event(1, 1, `{"action":"login","user":"eve"}`)
	l.publish()
	return l
}

// A query that was changed is another search, which the proof has to answer, and
// the file says which.
func TestAChangedQueryIsToldOrFound(t *testing.T) {
	l, sound := searchedFile()
	p := must(proofs.ParseSearchProof(sound.searches[0].Proof))
	p.Query.Terms[0].Values[0].Value = []byte("logout") // each tag is shown: that none fits is true
	f := sound.clone()
	f.searches[0] = asSearch(p)
	report, _, err := judge(l, l.bytes(f))
	if err != nil || !report.OK() {
		t.Fatalf("got %+v and error %v", report, err)
	}
	mustSay(t, report.Proven(), `Search 1, action="logout" in the stream payments: among entries 0 to 8, when the ledger had 9, no event fits`, "login")

	s, f := directedWorld() // rows are shown of one value alone
	p = must(proofs.ParseSearchProof(f.searches[0].Proof))
	p.Query.Terms[0].Values[0].Value = []byte("logout")
	f.searches[0] = asSearch(p)
	report, _, err = judge(s.ledger, s.bytes(f))
	if err != nil || report.Wrong != 1 || report.Findings[0].Search != 1 {
		t.Errorf("got %+v and error %v, want a finding", report, err)
	}
}

// A proof that was cut off is no line of a file.
func TestASearchThatIsCutOffIsMalformed(t *testing.T) {
	l, f := searchedFile()
	proof := f.searches[0].Proof
	for _, n := range []int{0, 1, len(proof) / 2, len(proof) - 1} {
		f.searches[0].Proof = proof[:n]
		if _, err := l.write(f); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%d of %d bytes: got error %v, want that it is malformed", n, len(proof), err)
		}
	}
	f.searches[0].Proof = append(slices.Clone(proof), 0)
	if _, err := l.write(f); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("with a byte behind it: got error %v, want that it is malformed", err)
	}
}

// What rests on directories says so, until an auditor who is believed has made
// them again.
func TestAnAuditorVouchesForTheDirectoriesOfASearch(t *testing.T) {
	s, f := directedWorld()
	key := func(seed byte) proofs.SigningKey {
		return must(proofs.GenerateKey("auditor.example", proofs.Ed25519, rand.NewChaCha8([32]byte{seed})))
	}
	auditor, stranger := key(1), key(2)
	last := s.checkpoints[len(s.checkpoints)-1]
	word := proofs.Attestation{Origin: origin, Size: last.size, Time: s.now, Directories: []proofs.MadeDirectory{{Hash: s.small[0]}}}
	sign := func(k proofs.SigningKey, a proofs.Attestation) []byte { return must(k.SignAttestation(a)) }
	other := word
	other.Directories = []proofs.MadeDirectory{{Hash: proofs.Hash{1}}}
	const unsure = "1 event fits, and no other, if the directory is honest that entry 8192 commits to."
	tests := []struct {
		name        string
		inFile      []byte
		given       []byte
		auditors    []proofs.Key
		audited     bool
		notBelieved int
	}{
		{"nobody", nil, nil, nil, false, 0},
		{"a word in the file", sign(auditor, word), nil, []proofs.Key{stranger.Key(), auditor.Key()}, true, 0},
		{"a word from elsewhere", nil, sign(auditor, word), []proofs.Key{auditor.Key()}, true, 0},
		{"nobody is believed", sign(auditor, word), nil, nil, false, 1},
		{"somebody else is believed", sign(stranger, word), nil, []proofs.Key{auditor.Key()}, false, 1},
		{"a word of other directories", sign(auditor, other), nil, []proofs.Key{auditor.Key()}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := f.clone()
			if tt.inFile != nil {
				f.audits = []evidence.Attestation{{Note: string(tt.inFile)}}
			}
			o := evidence.Options{Policy: s.policy, Auditors: tt.auditors}
			if tt.given != nil {
				o.Attestations = [][]byte{tt.given}
			}
			report, err := evidence.Verify(bytes.NewReader(s.bytes(f)), o)
			if err != nil || !report.OK() || report.NotBelieved != tt.notBelieved {
				t.Fatalf("got %+v and error %v", report, err)
			}
			if a := report.Searches[0].Audited; (a != nil) != tt.audited || tt.audited && (a.Size != last.size || a.Time != s.now) {
				t.Errorf("got %v", a)
			}
			if tt.audited {
				mustSay(t, report.Proven(), "1 event fits, and no other, by 1 directory, audited to 8193 by auditor.example+", unsure)
				mustSay(t, report.NotProven(), "", "leave nothing out")
			} else {
				mustSay(t, report.Proven(), unsure)
				mustSay(t, report.NotProven(), "That the directories on which search 1 rests leave nothing out: no auditor who is believed says so.")
			}
		})
	}
	o := evidence.Options{Policy: s.policy, Auditors: []proofs.Key{auditor.Key()}, Attestations: [][]byte{[]byte("no note")}}
	if _, err := evidence.Verify(bytes.NewReader(s.bytes(f)), o); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("an attestation that is none: got error %v", err)
	}
}

// An entry of the file convicts directories that leave it out.
func TestADirectoryThatLeavesAnEntryOutIsConvicted(t *testing.T) {
	s, f := directedWorld(sampleEvent + 1)
	report, entries, err := judge(s.ledger, s.bytes(f))
	if err != nil || report.Wrong != 1 || !strings.Contains(report.Findings[0].String(), "entry 7: does not verify: search 1 does not find it, and it has what is asked for") {
		t.Fatalf("got %+v and error %v, want one finding", report, err)
	}
	if !entries[0].OK() || entries[1].OK() {
		t.Errorf("got %+v", entries)
	}
	f.entries = f.entries[:1]
	if report, _, err := judge(s.ledger, s.bytes(f)); err != nil || !report.OK() {
		t.Errorf("without the entry: got %+v and error %v, want that the file cannot tell", report, err)
	}
}

// Hits that the directory has, and the proof does not, are missed.
func TestAHitThatIsRemovedIsFound(t *testing.T) {
	s, f := directedWorld()
	p := must(proofs.ParseSearchProof(f.searches[0].Proof))
	p.Hits = nil
	f.searches[0] = asSearch(p)
	report, _, err := judge(s.ledger, s.bytes(f))
	if err != nil || report.Wrong != 1 || report.Findings[0].Search != 1 {
		t.Errorf("got %+v and error %v, want a finding", report, err)
	}
}

func TestSearchesHaveTheirPlace(t *testing.T) {
	l, f := searchedFile()
	f.audits = []evidence.Attestation{{Note: string(must(must(proofs.GenerateKey("a.example", proofs.Ed25519, rand.NewChaCha8([32]byte{}))).SignAttestation(proofs.Attestation{Origin: origin})))}}
	lines := linesOf(l.bytes(f))
	if _, _, err := judge(l, bytes.Join(lines, nil)); err != nil {
		t.Fatal(err)
	}
	const search, attestation = 3, 4 // behind a header and two checkpoints
	move := func(from, to int) [][]byte {
		return slices.Insert(slices.Delete(slices.Clone(lines), from, from+1), to, lines[from])
	}
	for what, changed := range map[string][][]byte{
		"a search before the last checkpoint": move(search, 2),
		"a search behind an attestation":      move(search, attestation),
		"an attestation behind the context":   move(attestation, attestation+1),
		"a search that is cut out":            slices.Delete(slices.Clone(lines), search, search+1),
	} {
		if _, _, err := judge(l, reseal(changed)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it is malformed", what, err)
		}
	}
	for name, change := range map[string]func(*file){
		"context without an entry":        func(f *file) { f.entries = nil },
		"an attestation without a search": func(f *file) { f.searches = nil },
		"too many searches":               func(f *file) { f.searches = slices.Repeat(f.searches, evidence.MaxSearches+1) },
		"too many attestations":           func(f *file) { f.audits = slices.Repeat(f.audits, evidence.MaxAttestations+1) },
		"an attestation that is none":     func(f *file) { f.audits[0].Note = string(l.checkpoints[0].note) },
	} {
		f := f.clone()
		change(&f)
		if _, err := l.write(f); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it is malformed", name, err)
		}
	}
}

// A proof too long is refused before it is read.
func TestALineOfASearchIsBounded(t *testing.T) {
	line := func(proof int) []byte {
		return []byte(`{"line":"search","proof":"` + strings.Repeat("A", base64.StdEncoding.EncodedLen(proof)) + "\"}\n")
	}
	for n, want := range map[int]bool{evidence.MaxSearchProof + 1: true, 300: false} {
		_, err := evidence.ParseLine(line(n))
		if !errors.Is(err, proofs.ErrMalformed) || strings.Contains(err.Error(), "bytes are more than") != want {
			t.Errorf("%d bytes: got error %v, want that it is too long: %v", n, err, want)
		}
	}
}
