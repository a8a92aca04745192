package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

// An archive is a served ledger that can destroy keys, with a stream "people"
// of three events about alice, alice and bob.
type archive struct {
	*testing.T
	dir, url string
	indices  []uint64
}

func newArchive(t *testing.T) *archive {
	a := &archive{T: t, dir: filepath.Join(t.TempDir(), "ledger")}
	a.run("", command.Yes, "init --origin example.com/l --key-place keystate --key-place keystate2")
	a.url = serve(t, a.dir, "--listen", "127.0.0.1:0")
	a.run("", command.Yes, "retention add month --days 30 --period day")
	a.run("", command.Yes, "stream add people --class month --subject actor=actor --field n=n")
	a.append("alice", "alice", "bob")
	return a
}

// append appends events about subjects.
func (a *archive) append(subjects ...string) {
	a.Helper()
	log, err := client.Dial(a.url, client.Options{Token: a.token("app", "writer", "--stream", "people")})
	if err != nil {
		a.Fatal(err)
	}
	for i, subject := range subjects {
		got, err := log.Append(a.Context(), "people", []client.Event{{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d}`, subject, i)}}, client.Witnessed)
		if err != nil || got[0].Err != nil {
			a.Fatal(err, got)
		}
		a.indices = append(a.indices, got[0].Index)
	}
}

func (a *archive) token(name, role string, more ...string) string {
	a.Helper()
	status, stdout, talk := cairnd(a.T, append([]string{"token", "issue", name, "--role", role, "--dir", a.dir}, more...)...)
	if status != command.Yes {
		a.Fatal(talk)
	}
	return strings.TrimSpace(stdout)
}

// run runs a command with a standard input and demands an exit status. It
// returns all that was said. N stands for the index of a request or hold, as
// it was said last.
func (a *archive) run(stdin string, want int, line string) string {
	a.Helper()
	var out, talk bytes.Buffer
	status := run(a.Context(), append(words(line), "--dir", a.dir), strings.NewReader(stdin), &out, &talk)
	if status != want {
		a.Fatalf("cairnd %s: got exit status %d, want %d: %s%s", line, status, want, &out, &talk)
	}
	return out.String() + talk.String()
}

// words splits a command line; what is in quotes stays together.
func words(line string) (all []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

func (a *archive) wants(said string, patterns ...string) {
	a.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(said) {
			a.Errorf("got %q, want %q", said, pattern)
		}
	}
}

// index returns the index that a pattern has found.
func (a *archive) index(said, pattern string) string {
	a.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(said)
	if m == nil {
		a.Fatalf("got %q, want %q", said, pattern)
	}
	return m[1]
}

// gone checks which of the events are gone.
func (a *archive) gone(want ...bool) {
	a.Helper()
	log, err := client.Dial(a.url, client.Options{Token: a.token("alice", "reader", "--stream", "*")})
	if err != nil {
		a.Fatal(err)
	}
	for i, index := range a.indices {
		_, err := log.Entry(a.Context(), index)
		if (err != nil) != want[i] {
			a.Errorf("event %d: got %v, want that it is gone: %v", i, err, want[i])
		}
	}
}

func TestWhatIsErasedIsShownFirst(t *testing.T) {
	a := newArchive(t)
	const erase = "erase --stream people --reason 'ticket 42' --subject "
	a.wants(a.run("", command.Yes, erase+"alice --dry-run"), `(?m)^concerned +2 entries: \d+-?,? ?\d+$`, "nothing was erased")
	a.wants(a.run("", command.Yes, erase+"alice --dry-run --json"), `"entries": 2`)
	a.wants(a.run("", command.Misuse, erase+"alice"), "nobody can be asked here", "hint: give --yes")
	a.wants(a.run("", command.No, erase+"nobody --yes"), "nothing that stream people has concerns that subject", "spelt")
	a.wants(a.run("", command.No, strings.Replace(erase, "people", "nowhere", 1)+"alice"), "no such stream")
	a.wants(a.run("", command.Misuse, "erase --stream people --subject alice"), "--reason")
	a.wants(a.run("", command.Misuse, "erase --subject alice --reason r"), "--stream")
	a.wants(a.run("", command.Misuse, "erase --stream people --reason r"), "--subject")
	a.wants(a.run("", command.Misuse, "erase --stream people --reason r --subject-file -"), "--yes")
	a.gone(false, false, false)

	held := a.index(a.run("", command.Yes, fmt.Sprintf("hold add --entries %d --reason 'case 7'", a.indices[1])), `hold (\d+) keeps 1 entry: \d+`)
	a.wants(a.run("", command.Yes, "hold list"), held+` +1 entry: \d+ +local operator +case 7`)
	a.wants(a.run("", command.Yes, "hold list --json"), `"hold": `+held)
	a.wants(a.run("", command.Yes, "status"), `(?m)^holds +1, see: cairnd hold list$`, `(?m)^custody +one custodian$`)

	said := a.run("alice\n", command.Yes, "erase --stream people --subject-file - --reason 'ticket 42' --yes --wait")
	a.wants(said, `(?m)^held +1 entry of them by hold `+held+`, until that is over$`, "done: what entry \\d+ announced is destroyed")
	if strings.Contains(said, "alice") {
		t.Errorf("the subject is named: %s", said)
	}
	a.gone(true, false, false)
	a.wants(a.run("", command.Misuse, "hold release "+held), "--reason")
	a.wants(a.run("", command.No, "hold release 1 --reason r --yes"), "there is no hold 1")
	a.wants(a.run("", command.Yes, "hold release "+held+" --reason settled --yes --wait --json"), `"done": true`)
	a.gone(true, true, false)
	a.wants(a.run("", command.Yes, "hold list --json"), `^\[\]\n$`)
}

// At a terminal somebody is asked, and only yes is yes.
func TestWhoSitsAtATerminalIsAsked(t *testing.T) {
	a := newArchive(t)
	for _, answer := range []string{"\n", "n\n", "", "yes\n"} {
		var out, talk bytes.Buffer
		p, want := newProgram(strings.NewReader(answer), &out, &talk), command.No
		p.terminal = func(any) bool { return true }
		if answer == "yes\n" {
			want = command.Yes
		}
		if status := p.run(t.Context(), words("erase --stream people --subject bob --reason r --wait --dir "+a.dir)); status != want {
			t.Errorf("to %q: got exit status %d and %s, want %d", answer, status, &talk, want)
		}
		a.wants(talk.String(), `^erase for good what concerns the subject in 1 entry of stream people\? \[y/N\] `)
		if want == command.No {
			a.gone(false, false, false)
		}
	}
	a.gone(false, false, true)
}

func TestTwoCustodiansThroughTheirTokens(t *testing.T) {
	a := newArchive(t)
	tokens := make(map[string]string)
	for _, name := range []string{"carla", "cato"} {
		tokens[name] = filepath.Join(t.TempDir(), name)
		write(t, tokens[name], a.token(name, "custodian")+"\n")
	}
	as := func(name string) string { return " --url " + a.url + " --token-file " + tokens[name] }
	a.wants(a.run("", command.Yes, "custody"), "^one custodian\n$")
	a.wants(a.run("", command.Misuse, "custody set"), "--custodians")
	a.wants(a.run("", command.Misuse, "custody set --grace 1000h"), "720h")
	a.wants(a.run("", command.Misuse, "custody set --custodians 3"), "one custodian or two")
	a.wants(a.run("", command.Yes, "custody set --custodians 2 --grace 1s"), "from now on it takes two custodians, with a grace of 1s")
	a.wants(a.run("", command.Yes, "custody --json"), `"custodians": 2,\s+"grace": 1`)

	asked := a.index(a.run("", command.Yes, "erase --stream people --subject alice --reason r --yes"), `requested in entry (\d+): another custodian has to approve it\nhint: .*cairnd request approve \d+ --url URL --token-file FILE\n$`)
	a.gone(false, false, false)
	a.wants(a.run("", command.No, "request approve "+asked+" --yes"), "who asked cannot approve it", "hint: another identity than local operator, .*tokens of two custodians, with --url and --token-file")
	a.wants(a.run("", command.Yes, "request withdraw "+asked), "request \\d+ is withdrawn")
	a.wants(a.run("", command.No, "request approve "+asked+" --yes"+as("carla")), "withdrawn")

	asked = a.index(a.run("", command.Yes, "erase --stream people --subject alice --reason r --yes --json"+as("carla")), `"requested": (\d+)`)
	a.wants(a.run("", command.Yes, "request list"+as("cato")), asked+` +erase subject "alice" in stream people +carla +r +waits for another custodian`)
	a.wants(a.run("", command.Yes, "status"), `(?m)^request +`+asked+`, erasure: waits for another custodian$`)
	a.wants(a.run("", command.No, "request approve "+asked+" --yes"+as("carla")), "who asked cannot approve it")
	a.wants(a.run("", command.No, "request withdraw "+asked+as("cato")), "only who asked or approved can withdraw that")
	a.wants(a.run("", command.Yes, "request approve "+asked+" --yes --wait"+as("cato")), `asked for +erase subject "alice" in stream people`, `by +carla`, "approved in entry \\d+; it is done after 20", "done: entry \\d+ used the request")
	a.gone(true, true, false)

	asked = a.index(a.run("", command.Yes, "retention set month --days 7 --yes"+as("carla")), `requested in entry (\d+)`)
	a.wants(a.run("", command.Yes, "request list"), "keep entries of class month for 7 days")
	a.wants(a.run("", command.Yes, "request approve "+asked+" --yes"), "approved in entry")
	a.wants(a.run("", command.Yes, "request withdraw "+asked), "the approval of request \\d+ is withdrawn")
	a.wants(a.run("", command.Yes, "request withdraw "+asked+as("carla")), "request \\d+ is withdrawn")
	a.wants(a.run("", command.Unknown, "erase --stream people --subject bob --reason r --yes --wait --timeout 300ms"+as("carla")), "it is not done yet")
	a.wants(a.run("", command.Misuse, "request list --token-file x"), "give --url")
	a.wants(a.run("", command.Misuse, "request list --client-key x --url "+a.url), "belong together")
	a.wants(a.run("", command.No, "request list --url "+a.url), "hint: give the token")
	a.wants(a.run("", command.No, "request list --url "+a.url+" --token-file "+tokenOf(a, "operator")), "an operator may not")
	a.wants(a.run("", command.Unknown, "request list --url http://127.0.0.1:1"+" --token-file "+tokens["carla"]), "hint: is the server running, and is --url its address")
}

// A request that is withdrawn while somebody waits for it was declined.
func TestWhoWaitsHearsThatARequestIsWithdrawn(t *testing.T) {
	a := newArchive(t)
	a.run("", command.Yes, "custody set --custodians 2")
	waits := make(chan string)
	go func() {
		var talk bytes.Buffer
		status := run(t.Context(), append(words("erase --stream people --subject alice --reason r --yes --wait"), "--dir", a.dir), strings.NewReader(""), io.Discard, &talk)
		waits <- fmt.Sprint(status, " ", &talk)
	}()
	asked := regexp.MustCompile(`(?m)^(\d+) +erase subject "alice"`)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if m := asked.FindStringSubmatch(a.run("", command.Yes, "request list")); m != nil {
			a.run("", command.Yes, "request withdraw "+m[1])
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was requested")
		}
	}
	a.wants(<-waits, `^1 `, `requested in entry \d+`, `request \d+ was withdrawn in entry \d+: nothing was done\n$`)
	a.gone(false, false, false)
}

func TestAHoldKeepsWhatItsFlagsSay(t *testing.T) {
	a := newArchive(t)
	of := func(i int) string { return fmt.Sprint(a.indices[i]) }
	a.wants(a.run("", command.Yes, "hold add --stream people --subject alice --reason r"), `hold \d+ keeps 2 entries: `+of(0)+`.*`+of(1))
	a.wants(a.run("alice\n", command.Yes, "hold add --stream people --subject-file - --field n=1 --reason r"), `keeps 1 entry: `+of(1)+`\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --field n=2 --entries 1,3-4 --reason r"), `keeps 4 entries: 1, 3-4, `+of(2)+`\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --reason r"), `keeps all of stream people\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --subject nobody --reason r"), `keeps nothing\n`, `hint: .*cairnd hold release \d+`)
	a.wants(a.run("", command.Yes, "status --json"), `"holds": \[(\s+\d+,){4}\s+\d+\s+\]`)
	for line, want := range map[string]string{
		"hold add --stream people":                                         "--reason",
		"hold add --reason r":                                              "--stream or --entries",
		"hold add --subject alice --reason r":                              "--stream or --entries",
		"hold add --stream people --field n --reason r":                    `"n" is not NAME=VALUE`,
		"hold add --stream people --field colour=r --reason r":             `declares no field "colour"`,
		"hold add --entries 5-4 --reason r":                                "is not an index or two",
		"hold add --entries 4000000 --reason r":                            "there are no entries 4000000",
		"hold release x --reason r --yes":                                  "not the index of an entry",
		"hold release 1 --reason r":                                        "nobody can be asked here",
		"hold add --stream people --reason r --subject a --subject-file b": "one of them",
		"hold add --stream people --reason r --subject-file -":             "names nobody",
	} {
		a.wants(a.run("", command.Misuse, line), want)
	}
	a.wants(a.run("", command.No, "hold add --stream nowhere --reason r"), `there is no stream "nowhere"`, "hint: .*cairnd stream list")
	a.wants(a.run("", command.No, "hold release 1 --reason r --yes"), "there is no hold 1\n", "hint: .*cairnd hold list")
	a.wants(a.run("", command.No, "request approve 1 --yes"), "entry 1 asks for nothing\n", "hint: .*cairnd request list")
}

// The status is asked for every minute, and says what is pending.
func TestNothingIsRecordedOfAStatus(t *testing.T) {
	a := newArchive(t)
	a.run("", command.Yes, "custody set --custodians 2")
	a.run("", command.Yes, "hold add --stream people --reason 'case 7'")
	a.run("", command.Yes, "erase --stream people --subject alice --reason 'ticket 42' --yes")
	sequenced := func() string { return a.index(a.run("", command.Yes, "status"), `(?m)^sequenced +(\d+)$`) }
	before := sequenced()
	a.wants(a.run("", command.Yes, "status --json"), `"custodians": 2`, `"holds": \[\s+\d+`, `"kind": "erasure"`, `"closings": \[\]`)
	said := a.run("", command.Yes, "status")
	if after := sequenced(); after != before {
		t.Errorf("the ledger grew from %s to %s entries", before, after)
	}
	for _, private := range []string{"alice", "case 7", "ticket 42", "people"} {
		if strings.Contains(said, private) {
			t.Errorf("got %q in %s", private, said)
		}
	}
}

// An operator has a token, and need not sit at the server.
func TestStreamsAndTokensAreAdministeredByURL(t *testing.T) {
	a := newArchive(t)
	operator := " --url " + a.url + " --token-file " + tokenOf(a, "operator")
	a.run("", command.Yes, "stream add mail --class month"+operator)
	a.wants(a.run("", command.Yes, "stream list"+operator), "(?m)^mail +month")
	a.wants(a.run("", command.Yes, "token issue app --role writer --stream mail"+operator), `(?m)^cairn_`)
	a.wants(a.run("", command.Yes, "token list"+operator), `app +writer +mail`)
	custodian := " --url " + a.url + " --token-file " + tokenOf(a, "custodian")
	a.wants(a.run("", command.No, "token issue carla --role custodian"+operator), "custodian")
	a.wants(a.run("", command.Yes, "token issue carla --role custodian"+custodian), `(?m)^cairn_`)
	a.wants(a.run("", command.No, "stream add letters"+custodian), "a custodian may not")
}

// tokenOf returns a file with a token of a role.
func tokenOf(a *archive, role string) string {
	path := filepath.Join(a.TempDir(), role)
	write(a.T, path, a.token(role, role))
	return path
}

func TestRetentionIsChangedAndShown(t *testing.T) {
	a := newArchive(t)
	a.wants(a.run("", command.Yes, "retention status"), `(?m)^people +month +30 +1 +3 +never$`, `\(the ledger's own\)`, "hint: nobody attests the time, so nothing expires")
	a.wants(a.run("", command.Yes, "retention status --json"), `"stream": "people",\s+"class": "month",\s+"days": 30`)
	a.wants(a.run("", command.Yes, "retention run"), "0 buckets have reached the age")
	a.wants(a.run("", command.Yes, "retention set month --days 60"), "class month keeps entries for 60 days")
	a.wants(a.run("", command.Misuse, "retention set month --days 1"), "nobody can be asked")
	a.wants(a.run("", command.Yes, "retention set month --days 1 --yes --json"), "keeps entries for 1 day", `"index": \d+`)
	a.wants(a.run("", command.Misuse, "retention set month"), "--days")
	a.wants(a.run("", command.No, "retention set nothing --days 1"), "there is no class")
	a.wants(a.run("", command.Yes, "retention list"), `(?m)^month +1 +day$`)
	a.run("", command.Yes, "hold add --stream people --reason r")
	a.wants(a.run("", command.Yes, "retention status"), `(?m)^people +month .* not before hold \d+ is over$`)
	operator := " --url " + a.url + " --token-file " + tokenOf(a, "operator")
	a.wants(a.run("", command.Yes, "retention status"+operator), `(?m)^people +month`)
	a.wants(a.run("", command.No, "hold list"+operator), "an operator may not read holds and erasures")
}

func TestNothingIsErasedWhereTheKeysHaveOnePlace(t *testing.T) {
	dir := serveNew(t)
	for _, args := range []string{"stream add people --subject actor=actor", "custody"} {
		if status, _, talk := cairnd(t, append(words(args), "--dir", dir)...); status != command.Yes {
			t.Fatal(talk)
		}
	}
	status, _, talk := cairnd(t, append(words("retention run"), "--dir", dir)...)
	if status != command.No || !strings.Contains(talk, "the key state has one place only") || !strings.Contains(talk, "hint: make an empty directory on another disk") {
		t.Errorf("got exit status %d and %q, want what it needs", status, talk)
	}
}

func TestPendingIsShownInFewWords(t *testing.T) {
	p := ledger.Pending{Custody: ledger.CustodyConfig{Custodians: 2, Grace: 86400}}
	now := time.Unix(1_700_000_000, 0)
	for i := range 10 {
		p.Requests = append(p.Requests, ledger.PendingRequest{Request: uint64(i), Kind: "erasure", Approved: 7, From: uint64(now.UnixMicro()) + 1e6})
		p.Closings = append(p.Closings, ledger.ClosingInfo{Closing: uint64(i), Kind: "release", Hold: 3, Waits: ledger.WaitsForKeys, Trouble: "why"})
	}
	var b bytes.Buffer
	table := command.NewTable(&b)
	printPending(table, p, now)
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"two custodians, with a grace of 24h\n", "7, erasure: approved in entry 7, done after 2023-11-14T22:13:21Z", "2 more, see: cairnd request list",
		"release of hold 3, announced in entry 7: waits, because keys cannot be destroyed: why", "2 more, see: cairnd retention status",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %s, want %q in it", &b, want)
		}
	}
	if strings.Count(b.String(), "\n") > 20 {
		t.Errorf("got %s", &b)
	}
}

func TestEntriesAreGivenAndShownAsRuns(t *testing.T) {
	for text, want := range map[string]string{"7": "7", "1-3,5,9-9": "1-3, 5, 9", "3-1": "", "5,5": "", "5,4": "", "x": "", "": "", "1-": "", "-1": ""} {
		runs, err := parseRuns([]string{text})
		if got := describeRuns(runs); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	runs, err := parseRuns(strings.Fields("1 3 5 7 9 11 13 15 17-20 30"))
	if got := describeRuns(runs); err != nil || got != "1, 3, 5, 7, 9, 11, 13, 15 and 5 more" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestASubjectIsReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "subject")
	p := &program{reason: "r"}
	for text, want := range map[string]string{"alice\n": "alice", "alice b\r\n": "alice b", " alice": " alice"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if e, err := p.erasure(eraseFlags{stream: "people", subject: subject{file: path}}); err != nil || e.Subject != want {
			t.Errorf("%q: got %q, %v, want %q", text, e.Subject, err, want)
		}
	}
	if _, err := p.erasure(eraseFlags{stream: "people", subject: subject{file: path + "x"}}); err == nil || command.IsUsage(err) {
		t.Errorf("a file that is not there: got %v", err)
	}
}
