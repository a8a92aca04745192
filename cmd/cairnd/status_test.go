package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// threeWitnesses returns a policy of three witnesses, of which the first has
// two keys.
func threeWitnesses(t *testing.T, quorum string) *proofs.Policy {
	t.Helper()
	var lines strings.Builder
	for _, name := range []string{"a+1", "a+2", "b", "c"} {
		key, err := proofs.GenerateKey(name[:1]+".example", proofs.Ed25519Cosignature, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "witness %s %s\n", name, key.Key())
	}
	lines.WriteString("group a any a+1 a+2\ngroup two 2 a b c\nquorum " + quorum + "\n")
	p, err := proofs.ParsePolicy([]byte(lines.String()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStatusSaysWhoMustLook(t *testing.T) {
	sizes := client.Sizes{Sequenced: 9, Integrated: 9, Signed: 9, Published: 9}
	behind := client.Sizes{Sequenced: 9, Integrated: 9, Signed: 9, Published: 8}
	said := func(troubles ...string) (w []ledger.WitnessInfo) {
		for i, trouble := range troubles {
			w = append(w, ledger.WitnessInfo{Name: []string{"a+1+a+2", "b", "c"}[i], Trouble: trouble})
		}
		return w
	}
	const down = "connection refused"
	for name, c := range map[string]struct {
		status ledger.Status
		quorum string
		want   []string
		judged string
	}{
		"all is well":           {ledger.Status{Ready: true, Sizes: sizes, Witness: said("", "", "")}, "two", []string{"takes entries; everything is witnessed\n"}, ""},
		"one witness is down":   {ledger.Status{Ready: true, Sizes: sizes, Witness: said("", down, "")}, "two", []string{"takes entries; everything is witnessed\n", "witness     b: connection refused\n", "witness     a+1+a+2: cosigns\n"}, ""},
		"entries are under way": {ledger.Status{Ready: true, Sizes: behind, Witness: said("", "", "")}, "two", []string{"takes entries; some wait for the next checkpoint\n"}, ""},
		"two witnesses are down": {ledger.Status{Ready: true, Sizes: behind, Witness: said(down, down, "")}, "two",
			[]string{"takes entries; the quorum of witnesses does not cosign, so nothing more is published\n"}, "the quorum of witnesses does not cosign"},
		"its key is away": {ledger.Status{Ready: true, Sizes: behind, Witness: said("", "", ""), Paused: "ssh-agent /run/a: it has no key, or is locked"}, "two",
			[]string{"takes entries; signing pauses until the key can be used again\n", "signing     ssh-agent /run/a: it has no key, or is locked\n"}, "nothing more is signed"},
		"its vault cannot be read": {ledger.Status{Ready: true, Sizes: sizes, Witness: said("", "", ""), Unread: "input/output error"}, "two",
			[]string{"vault       input/output error\n"}, "the vault cannot be read"},
		"two were not heard of":       {ledger.Status{Ready: true, Sizes: sizes, Witness: said("")}, "two", []string{"the quorum of witnesses does not cosign"}, "the quorum of witnesses does not cosign"},
		"nobody witnesses":            {ledger.Status{Ready: true, Sizes: sizes}, "none", []string{"takes entries; nobody witnesses them: the policy's quorum is none\n"}, ""},
		"it waits":                    {ledger.Status{Sizes: sizes, ClockAhead: 7}, "two", []string{"waits for its witnesses after the start\n", "clock       7s ahead of the witnesses'\n"}, "the ledger takes no entries"},
		"it has stopped":              {ledger.Status{Stopped: "disk full", Sizes: sizes}, "two", []string{"stopped: disk full\n"}, "the ledger takes no entries"},
		"its clock is far ahead":      {ledger.Status{Sizes: sizes, ClockAhead: 90, Witness: said("", "", "")}, "two", []string{"takes no entries: its clock is 1m30s ahead of the witnesses'\n"}, "the ledger takes no entries"},
		"its clock is far behind":     {ledger.Status{Sizes: sizes, ClockAhead: -61, Witness: said("", "", "")}, "two", []string{"takes no entries: its clock is 1m1s behind the witnesses'\n"}, "the ledger takes no entries"},
		"its clock is a little ahead": {ledger.Status{Ready: true, Sizes: sizes, ClockAhead: 5, Witness: said("", "", "")}, "two", []string{"everything is witnessed\n", "5s ahead of the witnesses'\n"}, ""},
	} {
		h := healthOf(httpapi.Status{Status: c.status}, threeWitnesses(t, c.quorum), local.KeyStateInfo{Destroys: true})
		var out strings.Builder
		if err := h.print(&out, time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: got\n%swant %q in it", name, out.String(), want)
			}
		}
		judged := ""
		if err := h.judge(); err != nil {
			judged = err.Error()
		}
		if judged != c.judged {
			t.Errorf("%s: got error %q, want %q", name, judged, c.judged)
		}
		if matters := strings.Contains(out.String(), "\nclock "); matters != (c.status.ClockAhead != 0) {
			t.Errorf("%s: got that the clock is shown: %v", name, matters)
		}
	}
}
