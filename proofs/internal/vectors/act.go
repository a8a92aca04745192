package main

import (
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// An actVector is an act as it is written.
type actVector struct {
	Name string `json:"name"`
	Act  string `json:"act"`
	verdict
}

func sampleAct() proofs.Act {
	return proofs.Act{
		What: proofs.ActRead, Who: "carol", Role: "reader", From: "192.0.2.7", Because: "case 4711: <who> & when",
		Stream: "audit", Entries: []proofs.Run{{First: 5, Last: 5}, {First: 7, Last: 9}}, Results: 4,
		Query: `action = "transfer"`, Subject: "alice@example.com", Object: "token 3",
		Settings: []byte(`{"name":"audit","fields":[]}`), Request: 40, Outcome: proofs.OutcomeDone, Detail: "two of them are erased",
	}
}

func actVectors() []actVector {
	accept := func(name string, a proofs.Act) actVector {
		return actVector{name, string(must(proofs.FormatAct(a))), ok()}
	}
	short := proofs.Act{What: proofs.ActStart, Outcome: proofs.OutcomeDone}
	vectors := []actVector{
		accept("an act with all there can be", sampleAct()),
		accept("an act of the ledger itself", short),
		accept("attempts that were refused", proofs.Act{What: proofs.ActRefused, Who: "mallory", Results: 1000, Outcome: proofs.OutcomeRefused, Detail: "no token"}),
		accept("an act with characters that JSON escapes", proofs.Act{What: "read", Because: "\"\\\b\f\n\r\t\x00\x1f\x7f<>&é\u2028\u2029", Outcome: proofs.OutcomeFailed}),
		accept("an act of a word that is not known yet", proofs.Act{What: "teleport-away", Outcome: proofs.OutcomeDone}),
		accept("an act with the longest texts there can be", longAct()),
	}
	return append(vectors, refusedActs(vectors[0].Act)...)
}

func longAct() proofs.Act {
	long := func(n int) string { return strings.Repeat("x", n) }
	return proofs.Act{
		What: long(32), Who: long(255), Role: long(255), From: long(255), Because: long(1024), Stream: long(255),
		Query: long(2048), Subject: long(1024), Object: long(255), Outcome: proofs.OutcomeDone, Detail: long(1024),
	}
}

func refusedActs(act string) []actVector {
	replace := func(name, why, old, new string) actVector {
		if !strings.Contains(act, old) {
			panic("there is no " + old + " in the act")
		}
		return actVector{name, strings.Replace(act, old, new, 1), malformed(why)}
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	refuse := func(name, why, act string) actVector { return actVector{name, act, malformed(why)} }
	var runs []string
	for i := range proofs.MaxActRuns + 1 {
		runs = append(runs, fmt.Sprintf(`{"first":%d,"last":%[1]d}`, 2*i))
	}
	return []actVector{
		refuse("an act of no bytes", "it is not JSON", ""),
		refuse("an act that is null", "it is an object", "null"),
		refuse("an act that says nothing", "it says what was done and how that ended", "{}"),
		refuse("an act that is cut off", "a brace is missing", act[:len(act)-1]),
		refuse("an act with white space", "there is none", act+"\n"),
		refuse("an act with a byte after its end", "nothing may follow", act+"}"),
		replace("an act with a name that has capitals", "names are lower case", `"who"`, `"Who"`),
		replace("an act with a name twice", "each name is once there", `{"what"`, `{"what":"read","what"`),
		replace("an act with an unknown name", "it is not in the format", `{"what"`, `{"when":1,"what"`),
		replace("an act whose members are in another order", "there is one order", `"who":"carol","role":"reader"`, `"role":"reader","who":"carol"`),
		replace("an act with a member that is empty", "what is empty is left out", `"who":"carol"`, `"who":""`),
		replace("an act with results that are 0", "what is empty is left out", `"results":4`, `"results":0`),
		replace("an act with a number as another spells it", "there is one form", `"results":4`, `"results":4.0`),
		replace("an act with an escape that is not needed", "there is one form", "carol", `\u0063arol`),
		replace("an act with < as it is", "it is escaped", `\u003c`, "<"),
		replace("an act with half of a surrogate pair", "no text has one", "carol", `\ud800`),
		replace("an act of a word with capitals", "a word is of a-z and hyphens", `"what":"read"`, `"what":"Read"`),
		replace("an act of a word that begins with a hyphen", "a word begins with a letter", `"what":"read"`, `"what":"-read"`),
		replace("an act of a word of 33 letters", "32 is the limit", `"what":"read"`, `"what":"`+long(33)+`"`),
		replace("an act without a word", "it says what was done", `"what":"read"`, `"what":""`),
		replace("an act with an outcome that there is not", "an outcome is done, refused or failed", `"outcome":"done"`, `"outcome":"pending"`),
		replace("an act without an outcome", "it says how it ended", `"outcome":"done"`, `"outcome":""`),
		replace("an act by a name of 256 bytes", "255 is the limit", "carol", long(256)),
		replace("an act for a reason of 1025 bytes", "1024 is the limit", "case 4711:", long(1025)),
		replace("an act about a query of 2049 bytes", "2048 is the limit", "action", long(2049)),
		replace("an act on runs that do not rise", "runs rise", `"first":7`, `"first":4`),
		replace("an act on a run right behind another", "they are one run", `"first":7`, `"first":6`),
		replace("an act on more runs than fit", "256 is the limit", `{"first":5,"last":5},{"first":7,"last":9}`, strings.Join(runs, ",")),
		replace("an act with settings that are no object", "settings are an object", `"settings":{"name":"audit","fields":[]}`, `"settings":[]`),
		replace("an act with settings that have white space", "there is none", `{"name":"audit","fields":[]}`, `{"name": "audit","fields":[]}`),
		replace("an act with a name in its settings twice", "each name is once there", `{"name":"audit","fields":[]}`, `{"name":"audit","name":"x"}`),
		replace("an act that is longer than any may be", "65536 bytes is the limit", `{"name":"audit","fields":[]}`, `{"name":"`+long(proofs.MaxAct)+`"}`),
	}
}
