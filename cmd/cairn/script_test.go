package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/storage"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cairn": main})
}

// TestScripts runs the real command against a real server in this process.
// Each script has a ledger of its own; beside testscript's commands it has
//
//	exits STATUS cairn …    runs a command that must exit so
//	stopserver              stops the server
//	silence on|off          makes the witness silent, or speak again
//	sensitive STREAM        adds a stream whose readers must say why
//	meetings                adds a stream of that name, whose events are sealed in parts
//	erase STREAM SUBJECT    erases a data subject
//	cloudtrail FILE         writes the events of testdata/events, one a line
//	readback LINES ANSWERS  reads every entry of append --json again, byte for byte
//	flip FILE BYTE          flips a bit of a byte; negative: from the end
//	forge DIR SIZE HISTORY  writes a ledger that signs any history
//	promise FILE INDEX      writes a promise of it
//
// and the environment CAIRN_URL, CAIRN_POLICY, CAIRN_TOKEN (of a writer),
// ONESTREAM (of one for the stream cloudtrail alone), READER, DEFAULTREADER (of
// the stream default alone), AUDITOR, and EXPIRED (of a reader).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      cmdExits,
			"stopserver": cmdStopServer,
			"silence":    cmdSilence,
			"sensitive":  cmdSensitive,
			"meetings":   cmdMeetings,
			"erase":      cmdErase,
			"cloudtrail": cmdCloudTrail,
			"readback":   cmdReadBack,
			"flip":       cmdFlip,
			"forge":      cmdForge,
			"promise":    cmdPromise,
		},
	})
}

// A server is a ledger that a script uses.
type server struct {
	world *ledgertest.World
	http  *httptest.Server
}

func setup(env *testscript.Env) error {
	ctx := context.Background()
	world, dir, err := makeLedger(ctx, env.WorkDir)
	if err != nil {
		return err
	}
	if err := issueTokens(ctx, env, world.Tokens); err != nil {
		return err
	}
	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: world.Tokens})
	if err != nil {
		return err
	}
	identities, err := identity.New(identity.Options{Tokens: tokens})
	if err != nil {
		return err
	}
	api, err := httpapi.New(httpapi.Config{Ledger: world.Ledger, Identities: identities})
	if err != nil {
		return err
	}
	s := &server{world: world, http: httptest.NewServer(api.Handler(httpapi.Every))}
	env.Values["server"] = s
	env.Defer(func() {
		api.EndTails()
		s.http.Close()
		if err := world.Close(); err != nil {
			panic(err)
		}
	})
	if err := addStream(ctx, world.Ledger); err != nil {
		return err
	}
	env.Setenv("CAIRN_URL", s.http.URL)
	env.Setenv("CAIRN_POLICY", filepath.Join(dir, "policy"))
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("GORACE", "atexit_sleep_ms=20") // else a program with the race detector takes a second to end
	return nil
}

// issueTokens issues the tokens of the environment, an hour ago.
func issueTokens(ctx context.Context, env *testscript.Env, register storage.Register) error {
	then := time.Now().Add(-time.Hour)
	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: register, Clock: func() time.Time { return then }})
	if err != nil {
		return err
	}
	for name, g := range map[string]identity.Grant{
		"CAIRN_TOKEN": {Name: "app", Role: identity.Writer, Streams: []string{identity.EveryStream}},
		"ONESTREAM":   {Name: "one", Role: identity.Writer, Streams: []string{"cloudtrail"}},
		"READER":      {Name: "alice", Role: identity.Reader, Streams: []string{identity.EveryStream}},
		"AUDITOR":     {Name: "audit", Role: identity.Auditor},

		"DEFAULTREADER": {Name: "dora", Role: identity.Reader, Streams: []string{"default"}},
		"EXPIRED":       {Name: "eve", Role: identity.Reader, Streams: []string{"default"}, Expires: then.Add(time.Minute)},
	} {
		token, _, err := tokens.Issue(ctx, g)
		if err != nil {
			return err
		}
		env.Setenv(name, token)
	}
	return nil
}

// makeLedger makes a ledger in a directory below dir. A command that another
// script starts at this moment holds its locks too, from fork to exec; then
// it makes the next one.
func makeLedger(ctx context.Context, dir string) (world *ledgertest.World, place string, err error) {
	for i := range 20 {
		place = filepath.Join(dir, fmt.Sprintf("ledger%d", i))
		world, err = ledgertest.Make(ctx, place, local.Config{KeyState: local.KeyState{Places: []string{"here", "there"}}})
		if !errors.Is(err, storage.ErrLocked) {
			break
		}
	}
	return world, place, err
}

// addStream adds the stream "cloudtrail", which declares two fields.
func addStream(ctx context.Context, l *ledger.Ledger) error {
	_, err := l.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(ctx, ledger.StreamConfig{Name: "cloudtrail", Fields: []ledger.FieldConfig{
		{Name: "event", Path: "$.eventName"}, {Name: "user", Path: "$.userIdentity.userName", Subject: true},
	}})
	return err
}

func cmdStopServer(ts *testscript.TestScript, _ bool, _ []string) {
	s := ts.Value("server").(*server)
	s.http.CloseClientConnections()
	s.http.Listener.Close()
}

func cmdSilence(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value("server").(*server).world.Witness.Silence(len(args) == 1 && args[0] == "on")
}

func cmdSensitive(ts *testscript.TestScript, _ bool, args []string) {
	l := ts.Value("server").(*server).world.Ledger
	_, err := l.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(context.Background(), ledger.StreamConfig{Name: args[0], Reason: true})
	ts.Check(err)
}

// cmdCloudTrail writes the events of the committed sample.
func cmdCloudTrail(ts *testscript.TestScript, _ bool, args []string) {
	events, err := cloudTrail()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), events, 0o600))
}

func cloudTrail() ([]byte, error) {
	z, err := zip.OpenReader("../../testdata/events/cloudtrail-s3-exfiltration.zip")
	if err != nil {
		return nil, err
	}
	defer z.Close()
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, ".json") {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(r)
		}
	}
	return nil, errors.New("the sample has no events")
}

// cmdFlip flips the lowest bit of a byte of a file.
func cmdFlip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// cmdExits runs a command and demands an exit status.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// cmdReadBack reads the entries that append --json reported, with get, and
// compares each with its line.
func cmdReadBack(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	answers := strings.Split(strings.TrimSuffix(ts.ReadFile(args[1]), "\n"), "\n")
	if len(lines) != len(answers) {
		ts.Fatalf("%d answers for %d events", len(answers), len(lines))
	}
	get := []string{"get", "--json"}
	for i, answer := range answers {
		var a entryFile
		ts.Check(json.Unmarshal([]byte(answer), &a))
		index := strconv.FormatUint(a.Index, 10)
		get = append(get, index)
		if i%20 == 0 { // some also as they are
			ts.Check(ts.Exec("cairn", "get", index, "-o", "payload"))
			if got := ts.ReadFile("payload"); got != lines[i] {
				ts.Fatalf("entry %d: got %q, want %q", a.Index, got, lines[i])
			}
		}
	}
	ts.Check(ts.Exec("cairn", get...))
	entries, err := parseEntryFiles([]byte(ts.ReadFile("stdout")))
	ts.Check(err)
	for i, e := range entries {
		if got := string(e.Disclosure.Parts[0].Data); got != lines[i] {
			ts.Fatalf("entry %d: got %q, want %q", e.Index, got, lines[i])
		}
	}
}
