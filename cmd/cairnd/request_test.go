package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

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
	a.wants(a.run("", command.Misuse, "custody set --grace 1000h"), "336h")
	a.wants(a.run("", command.Misuse, "custody set --custodians 3"), "one custodian or two")
	a.wants(a.run("", command.Yes, "custody set --custodians 2 --grace 1s"), "from now on it takes two custodians, with a grace of 1s\n", "hint: .*cairnd custody name NAME NAME\n$")
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
	a.run("", command.Yes, "stream set people --split")
	a.wants(a.run("", command.Misuse, "stream set people --no-fields"+as("carla")), "people seals events in parts.* no field of the stream names any\nhint: .*--split=false\n$")
	asked = a.index(a.run("", command.Yes, "stream set people --no-fields --split=false"+as("carla")), `requested in entry (\d+)`)
	a.wants(a.run("", command.Yes, "request list"), "set stream people: class month, takes entries, no fields +carla")
	a.wants(a.run("", command.Yes, "stream list"), `(?m)^people +month .*actor=`)
	a.wants(a.run("", command.Yes, "request approve "+asked+" --yes --wait"+as("cato")), `asked for +set stream people`, "done: entry")
	a.wants(a.run("", command.Yes, "stream list"), `(?m)^people +month +entries +- *$`)
	a.wants(a.run("", command.Yes, "stream set people --subject actor=actor --json"), `"index": \d+`)
	a.wants(a.run("", command.Unknown, "erase --stream people --subject bob --reason r --yes --wait --timeout 300ms"+as("carla")), "it is not done yet")
	a.wants(a.run("", command.Misuse, "request list --token-file x"), "give --url")
	a.wants(a.run("", command.Misuse, "request list --client-key x --url "+a.url), "belong together")
	a.wants(a.run("", command.No, "request list --url "+a.url), "hint: give the token")
	write(t, tokens["cato"], "mistyped")
	a.wants(a.run("", command.No, "request list"+as("cato")), "hint: the token is mistyped or was revoked")
	a.wants(a.run("", command.No, "request list --url "+a.url+" --token-file "+tokenOf(a, "operator")), "an operator may not")
	a.wants(a.run("", command.Unknown, "request list --url http://127.0.0.1:1"+" --token-file "+tokens["carla"]), "hint: is the server running, and is --url its address")
}

// What was asked for twice is done once, and the other request says so.
func TestARequestThatCannotBeDoneAnyMoreSaysSo(t *testing.T) {
	a := newArchive(t)
	cato := filepath.Join(t.TempDir(), "cato")
	write(t, cato, a.token("cato", "custodian")+"\n")
	as := " --url " + a.url + " --token-file " + cato
	hold := a.index(a.run("", command.Yes, "hold add --stream people --reason r"), `hold (\d+)`)
	a.run("", command.Yes, "custody set --custodians 2")
	var requests []string
	for range 2 {
		requests = append(requests, a.index(a.run("", command.Yes, "hold release "+hold+" --reason r --yes"), `requested in entry (\d+)`))
	}
	a.run("", command.Yes, "request approve "+requests[0]+" --yes --wait"+as)
	second := requests[1]
	moot := `cannot be done any more, and is to be withdrawn: hold ` + hold + ` is released, by entry \d+`
	a.wants(a.run("", command.Yes, "request list"), second+` .*`+moot+`\n$`)
	a.wants(a.run("", command.Yes, "request list --json"), `"moot": \{\s+"why": "hold `+hold+` is released",\s+"entry": \d+\s+\}`)
	a.wants(a.run("", command.No, "request approve "+second+" --yes"+as), `request `+second+` `+moot+`: nothing was done`)
	a.run("", command.Yes, "request withdraw "+second)
	a.wants(a.run("", command.Yes, "request list --json"), `^\[\]\n$`)
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
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
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
