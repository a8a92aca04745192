package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// streams returns the streams as the ledger lists them.
func (s *session) streams() string {
	s.t.Helper()
	log, err := client.Dial(s.env["CAIRN_URL"], client.Options{Token: s.env["auditor"]})
	if err != nil {
		s.t.Fatal(err)
	}
	var list json.RawMessage
	if err := log.Call(s.t.Context(), http.MethodGet, "/v1/streams", nil, &list); err != nil {
		s.t.Fatal(err)
	}
	return string(list)
}

func (s *session) setStream(c ledger.StreamConfig) {
	s.t.Helper()
	if _, _, err := s.world.Ledger.As(ledger.Caller{Name: "operator"}).SetStream(s.t.Context(), c); err != nil {
		s.t.Fatal(err)
	}
}

// without returns the file of an entry with what says how its tags were made
// taken away, and that apart.
func without(t *testing.T, whole []byte) (event string, context []entryFile) {
	t.Helper()
	entries, err := parseEntryFiles(whole)
	if err != nil {
		t.Fatal(err)
	}
	context, entries[0].Context = entries[0].Context, nil
	b, err := json.Marshal(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b), context
}

// writeFiles writes files given by name and content, and returns their paths.
func writeFiles(t *testing.T, files ...string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestVerifyTakesTheListOfStreams(t *testing.T) {
	s := newSession(t)
	event, context := without(t, s.entryWithTags())
	opened, err := json.Marshal(context[indexOfKind(t, context, proofs.BucketOpened)])
	if err != nil {
		t.Fatal(err)
	}
	list := s.streams()
	var each []json.RawMessage
	if err := json.Unmarshal([]byte(list), &each); err != nil || len(each) != 2 {
		t.Fatalf("got %s and error %v, want two streams", list, err)
	}
	index, _, _ := strings.Cut(s.must("writer", "append", `{"n":1}`), " ")
	plain, _ := without(t, []byte(s.must("reader", "get", "--json", index)))
	changed := func(change func(*entryFile)) string {
		entries, err := parseEntryFiles([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		change(&entries[0])
		b, err := json.Marshal(entries[0])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	keyless, nameless := changed(func(e *entryFile) { e.FieldKeys = nil }), changed(func(e *entryFile) { e.Stream = "" })
	const checked = `T, computed again: 3 values by the settings of stream "logins" as they were given`
	tests := []struct {
		name     string
		settings []string // contents of files
		event    string
		status   int
		want     string
	}{
		{"the list", []string{list}, event, command.Yes, checked},
		{"the list, and the entry that opened the bucket", []string{list, string(opened)}, event, command.Yes, "the field keys are those that the log committed to"},
		{"the list with white space", []string{" \n" + strings.ReplaceAll(list, ",", ",\n  ")}, event, command.Yes, checked},
		{"one stream of it", []string{string(each[1])}, event, command.Yes, checked},
		{"each stream in a file", []string{string(each[0]), string(each[1])}, event, command.Yes, checked},
		{"the list, of a stream without fields", []string{list}, plain, command.Yes, `T, computed again: 0 values by the settings of stream "default" as they were given`},
		{"a list without the stream", []string{"[" + string(each[0]) + "]"}, event, command.Misuse, `--settings has no stream "logins": it has "default"`},
		{"an entry without field keys", []string{list}, keyless, command.Unknown, "the file has no field keys\nhint: cairn get --json prints the entry with them"},
		{"an entry without its stream's name", []string{list}, nameless, command.Misuse, "the file does not say which stream entry"},
		{"an entry without its stream's name, with that stream alone", []string{string(each[1])}, nameless, command.Yes, checked},
		{"an empty list", []string{"[]"}, event, command.Misuse, `--settings has no stream "logins"`},
		{"a stream twice", []string{list, list}, event, command.Misuse, `--settings has stream "logins" twice`},
		{"a list of something else", []string{`[{"id":"x"}]`}, event, command.No, "malformed: stream settings"},
		{"a list that is cut off", []string{list[:40]}, event, command.No, "malformed: stream settings"},
		{"a list with one name twice", []string{`[{"name":"logins","name":"logins","fields":[]}]`}, event, command.No, "malformed: stream settings"},
		{"a list with more fields than the entry has keys", []string{`[{"name":"logins","fields":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]}]`}, event, command.Misuse,
			`stream "logins" declares 4 fields in --settings, and 3 at entry`},
		{"fields that are declared twice", []string{`[{"name":"logins","fields":[{"name":"a"},{"name":"a"},{"name":"c"}]}]`}, event, command.No, "malformed: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var flags []string
			for _, content := range tt.settings {
				flags = append(flags, "--settings", writeFiles(t, "streams.json", content)[0])
			}
			status, stdout, stderr := s.verify(flags, "entry.json", tt.event)
			if status != tt.status || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("got status %d and\n%s%s\nwant status %d and %q", status, stdout, stderr, tt.status, tt.want)
			}
		})
	}
}

// The ledger lists what holds now. An entry from before is not accused, and
// it is said where its own settings are.
func TestVerifySaysThatTheListIsOfNow(t *testing.T) {
	s := newSession(t)
	event, _ := without(t, s.entryWithTags())
	same := []ledger.FieldConfig{{Name: "actor", Path: "$.actor", Subject: true}, {Name: "action", Path: "$.action"}, {Name: "host", Path: "$.host"}}
	for name, c := range map[string]struct {
		fields []ledger.FieldConfig
		status int
	}{
		"fewer fields": {same[:1], command.Misuse},
		"other fields": {[]ledger.FieldConfig{same[0], same[1], {Name: "action2", Path: "$.action"}}, command.Unknown},
	} {
		s.setStream(ledger.StreamConfig{Name: "logins", Fields: c.fields})
		status, stdout, stderr := s.verify([]string{"--settings", writeFiles(t, "streams.json", s.streams())[0]}, "entry.json", event)
		if status != c.status || !strings.Contains(stderr, "hint: a list of streams says what holds now; what an entry was recorded under is printed by: cairn get --json --settings ") {
			t.Errorf("%s: got status %d and\n%s%s\nwant status %d and where the settings are", name, status, stdout, stderr, c.status)
		}
	}
	// A field that was dropped and is declared again has the number it had.
	s.setStream(ledger.StreamConfig{Name: "logins", Fields: []ledger.FieldConfig{same[2], same[0], same[1]}})
	status, stdout, stderr := s.verify([]string{"--settings", writeFiles(t, "streams.json", s.streams())[0]}, "entry.json", event)
	if status != command.Yes || !strings.Contains(stdout, "T, computed again") {
		t.Errorf("declared again: got status %d and\n%s%s", status, stdout, stderr)
	}
}

func TestAListOfStreamsVerifiesNothingAlone(t *testing.T) {
	s := newSession(t)
	status, _, stderr := s.verify(nil, "streams.json", s.streams())
	if status != command.Misuse || !strings.Contains(stderr, "settings verify nothing alone: give them with --settings beside an entry") {
		t.Errorf("got status %d and %q", status, stderr)
	}
}
