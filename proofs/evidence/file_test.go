package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// linesOf returns the lines of a file, each with its newline.
func linesOf(b []byte) [][]byte {
	return bytes.SplitAfter(b, []byte("\n"))[:bytes.Count(b, []byte("\n"))]
}

// readAll reads a file to its end.
func readAll(b []byte) (lines []evidence.Line, err error) {
	r := evidence.NewReader(bytes.NewReader(b))
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
	}
}

func TestWhatIsReadIsWrittenToTheSameBytes(t *testing.T) {
	l, f := sampleFile()
	b := l.bytes(f)
	if again := l.bytes(f); !bytes.Equal(b, again) {
		t.Error("the same file is written to other bytes")
	}
	lines, err := readAll(b)
	if err != nil {
		t.Fatal(err)
	}
	var again []byte
	for _, l := range lines {
		line, err := evidence.FormatLine(l)
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, line...)
	}
	if !bytes.Equal(b, again) {
		t.Errorf("got\n%s\nwant\n%s", again, b)
	}
	if !evidence.Begins(b) || evidence.Begins([]byte(`{"line":"header","format":"cairn/v2 evidence",`)) {
		t.Error("the beginning of a file is not recognised, or that of another is")
	}
	slow := evidence.NewReader(iotest.OneByteReader(bytes.NewReader(b)))
	for i := range lines {
		if _, err := slow.Next(); err != nil {
			t.Fatalf("line %d, byte by byte: %v", i, err)
		}
		if at, size := slow.Place(); !bytes.Equal(b[at:at+int64(size)], must(evidence.FormatLine(lines[i]))) {
			t.Errorf("line %d is not at byte %d", i, at)
		}
	}
}

// Every change of the order or number of lines shows, and every cut.
func TestEveryOtherOrderOfLinesIsFound(t *testing.T) {
	l, f := sampleFile()
	b := l.bytes(f)
	lines := linesOf(b)
	refuse := func(what string, changed [][]byte) {
		t.Helper()
		if bytes.Equal(bytes.Join(changed, nil), b) {
			t.Fatalf("%s: nothing is changed", what)
		}
		if _, err := evidence.Verify(bytes.NewReader(bytes.Join(changed, nil)), evidence.Options{Policy: l.policy}); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it is malformed", what, err)
		}
	}
	for i := range lines {
		refuse("a line is cut out", slices.Delete(slices.Clone(lines), i, i+1))
		refuse("a line is there twice", slices.Insert(slices.Clone(lines), i, lines[i]))
		refuse("the file is cut before a line", lines[:i])
		for j := range i {
			swapped := slices.Clone(lines)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			refuse("two lines are swapped", swapped)
		}
	}
	refuse("something follows", append(slices.Clone(lines), []byte("\n")))
	refuse("a second file follows", append(slices.Clone(lines), lines...))
	for n := 0; n < len(b); n += 5 {
		if _, err := readAll(b[:n]); !errors.Is(err, proofs.ErrMalformed) {
			t.Fatalf("cut to %d of %d bytes: got error %v, want that it is malformed", n, len(b), err)
		}
	}
}

func TestFlippedBitsAreFound(t *testing.T) {
	l, f := sampleFile()
	b := l.bytes(f)
	for i := 0; i < len(b); i += 3 {
		b[i] ^= 1 << (i * 5 % 8)
		_, err := readAll(b)
		b[i] ^= 1 << (i * 5 % 8)
		if !errors.Is(err, proofs.ErrMalformed) {
			t.Fatalf("bit %d of byte %d: got error %v, want that it is malformed", i*5%8, i, err)
		}
	}
}

func TestLinesHaveOneForm(t *testing.T) {
	l, f := sampleFile()
	lines := linesOf(l.bytes(f))
	header, first, second, context, event, end := string(lines[0]), string(lines[1]), string(lines[2]), string(lines[3]), string(lines[8]), string(lines[len(lines)-1])
	tests := []struct {
		name, line, old, new string
	}{
		{"white space", event, `,"leaf"`, `, "leaf"`},
		{"a name that is not known", event, `,"leaf"`, `,"other":1,"leaf"`},
		{"a name in other letters", event, `"leaf"`, `"Leaf"`},
		{"a name twice", event, `,"leaf"`, `,"index":6,"leaf"`},
		{"another order of names", event, `"line":"entry","index":6`, `"index":6,"line":"entry"`},
		{"a number with an exponent", event, `"index":6`, `"index":6e0`},
		{"a negative number", event, `"index":6`, `"index":-6`},
		{"an index beyond 2^63-1", event, `"index":6`, `"index":9223372036854775808`},
		{"a leaf that is null", event, `"leaf":"`, `"leaf":null,"was":"`},
		{"a proof that is null", event, `"proof":[`, `"proof":null,"was":[`},
		{"a leaf that is none", event, `"leaf":"AQ`, `"leaf":"Ag`},
		{"a member that is empty", event, `"disclosure"`, `"missing":"","disclosure"`},
		{"a disclosure that is null", event, `"disclosure":{`, `"disclosure":null,"was":{`},
		{"an escape that need not be", event, `"line":"entry"`, `"line":"\u0065ntry"`},
		{"a line that is not known", event, `"line":"entry"`, `"line":"search"`},
		{"a carriage return", event, "}\n", "}\r\n"},
		{"no newline", event, "}\n", "}"},
		{"two lines in one", event, "}\n", "}\n{}\n"},
		{"something missing, and all is there", event, `}],"tags":`, `}],"tags":`},
		{"a word for what is missing that is not known", event, `"field_keys":`, `"missing":"lost","field_keys":`},
		{"reasons that do not rise", event, "}\n", `,"because":[2,1]}` + "\n"},
		{"reasons that are an empty list", event, "}\n", `,"because":[]}` + "\n"},
		{"field keys that do not rise", event, `"field":2`, `"field":1`},
		{"a field key that is too short", event, `"field":2,"key":"`, `"field":2,"key":"","was":"`},
		{"context with a word for what is missing", context, "}\n", `,"missing":"gone"}` + "\n"},
		{"an event as context", event, `"line":"entry"`, `"line":"context"`},
		{"another format", header, `cairn/v1 evidence`, `cairn/v2 evidence`},
		{"an origin that is empty", header, origin, ``},
		{"an origin with a control character", header, origin, `a\u0007`},
		{"a selection with a newline", header, `by a test`, `by\na test`},
		{"a policy with a comment", header, `quorum w\n`, `# mine\nquorum w\n`},
		{"a policy that is none", header, `quorum w\n`, ``},
		{"a checkpoint that is none", first, `\n\n— `, `\n— `},
		{"a hash that is none", second, `"consistency":["`, `"consistency":["A`},
		{"a hash in capitals", end, `"sha256":"`, `"sha256":"A`},
	}
	for _, tt := range tests {
		changed := strings.Replace(tt.line, tt.old, tt.new, 1)
		if tt.old == tt.new {
			changed = strings.Replace(changed, "}\n", `,"missing":"gone"}`+"\n", 1)
		}
		if changed == tt.line {
			t.Errorf("%s: %q is not in %s", tt.name, tt.old, tt.line)
		}
		if _, err := evidence.ParseLine([]byte(changed)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it is malformed", tt.name, err)
		}
	}
	for _, line := range lines {
		if _, err := evidence.ParseLine(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestTheWriterRefusesWhatWouldNotBeReadBack(t *testing.T) {
	l, sound := sampleFile()
	for name, change := range map[string]func(*file){
		"no checkpoint":                  func(f *file) { f.checkpoints = nil },
		"no entry":                       func(f *file) { f.entries = nil },
		"checkpoints that do not rise":   func(f *file) { slices.Reverse(f.checkpoints) },
		"entries that do not rise":       func(f *file) { slices.Reverse(f.entries) },
		"an entry twice":                 func(f *file) { f.entries[1] = f.entries[0] },
		"context that does not rise":     func(f *file) { slices.Reverse(f.context) },
		"an entry beyond the checkpoint": func(f *file) { f.entries[2].Index = sampleSize },
		"an event as context":            func(f *file) { f.context = append(f.context, l.asContext(sampleEvent)) },
		"a selection too long":           func(f *file) { f.selection = strings.Repeat("x", evidence.MaxSelection+1) },
		"nothing shown, and no word why": func(f *file) { f.entries[0].Disclosure = nil },
		"a word why, and all is shown":   func(f *file) { f.entries[0].Missing = evidence.LeftOut },
		"too many reasons": func(f *file) {
			for i := range uint64(evidence.MaxBecause + 1) {
				f.entries[0].Because = append(f.entries[0].Because, i)
			}
		},
		"a proof too long": func(f *file) { f.entries[0].Proof = make([]proofs.Hash, 65) },
	} {
		f := sound.clone()
		change(&f)
		if _, err := l.write(f); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it is malformed", name, err)
		}
	}
	if _, err := evidence.FormatLine(evidence.Line{}); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a line of nothing: got error %v", err)
	}
}

// What cannot be read is another thing than what is wrong.
func TestAnErrorOfTheReaderBelowIsNoVerdict(t *testing.T) {
	broken := errors.New("the disk is broken")
	l, f := sampleFile()
	b := l.bytes(f)
	_, err := evidence.Verify(io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(broken)), evidence.Options{Policy: l.policy})
	if !errors.Is(err, broken) || errors.Is(err, proofs.ErrMalformed) || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("got error %v, want %v alone", err, broken)
	}
}

// A short line must not make much of memory.
func TestALineOfAnEntryIsBounded(t *testing.T) {
	for _, repeated := range []string{"{},", "1,"} {
		line := `{"line":"entry","index":1,"because":[` + strings.Repeat(repeated, 1<<20) + "1]}\n"
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := evidence.ParseLine([]byte(line))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, proofs.ErrMalformed) {
			t.Fatalf("got error %v", err)
		}
		allocated := int64(after.TotalAlloc - before.TotalAlloc)
		if allocated > int64(2*len(line)) {
			t.Errorf("a line of %d bytes takes %d", len(line), allocated)
		}
	}
}
