package proofs_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type policyVector struct {
	title
	Policy octets        `json:"policy"`
	Is     *policyFields `json:"is,omitempty"`
	// Quorums say which witnesses meet the quorum, and which are in every
	// set that meets it.
	Quorums []quorumFields `json:"quorums,omitempty"`
	verdict
}

type policyFields struct {
	Logs      []policyLogFields     `json:"logs"`
	Witnesses []policyWitnessFields `json:"witnesses"`
	Groups    []policyGroupFields   `json:"groups"`
	Quorum    octets                `json:"quorum"`
}

type policyLogFields struct {
	Key string `json:"key"`
	URL octets `json:"url"`
}

type policyWitnessFields struct {
	Name octets `json:"name"`
	Key  string `json:"key"`
	URL  octets `json:"url"`
}

type policyGroupFields struct {
	Name      octets   `json:"name"`
	Threshold int      `json:"threshold"`
	Members   []octets `json:"members"`
}

type quorumFields struct {
	Witnesses  []string `json:"witnesses"`
	Met        bool     `json:"met"`
	Intersects bool     `json:"intersects"`
}

func (v policyVector) judge(t *testing.T) error {
	p, err := proofs.ParsePolicy([]byte(v.Policy))
	if err != nil {
		return err
	}
	wantEqual(t, "policy", fmt.Sprint(fieldsOfPolicy(p)), fmt.Sprint(*v.Is))
	formatted := proofs.FormatPolicy(p)
	again, err := proofs.ParsePolicy(formatted)
	if err != nil || !reflect.DeepEqual(again, p) || !bytes.Equal(proofs.FormatPolicy(again), formatted) {
		t.Errorf("formatted as\n%s: %v", formatted, err)
	}
	for _, q := range v.Quorums {
		names := map[string]bool{}
		for _, name := range q.Witnesses {
			names[name] = true
		}
		wantEqual(t, fmt.Sprintf("Met(%q)", q.Witnesses), p.Met(names), q.Met)
		wantEqual(t, fmt.Sprintf("Intersects(%q)", q.Witnesses), p.Intersects(names), q.Intersects)
	}
	return nil
}

func fieldsOfPolicy(p *proofs.Policy) policyFields {
	f := policyFields{[]policyLogFields{}, []policyWitnessFields{}, []policyGroupFields{}, octets(p.Quorum)}
	for _, l := range p.Logs {
		f.Logs = append(f.Logs, policyLogFields{l.Key.String(), octets(l.URL)})
	}
	for _, w := range p.Witnesses {
		f.Witnesses = append(f.Witnesses, policyWitnessFields{octets(w.Name), w.Key.String(), octets(w.URL)})
	}
	for _, g := range p.Groups {
		members := []octets{}
		for _, m := range g.Members {
			members = append(members, octets(m))
		}
		f.Groups = append(f.Groups, policyGroupFields{octets(g.Name), g.Threshold, members})
	}
	return f
}

func takesPolicy(name, policy string, quorums ...quorumFields) policyVector {
	is := fieldsOfPolicy(must(proofs.ParsePolicy([]byte(policy))))
	return policyVector{title{name}, octets(policy), &is, quorums, accept()}
}

func refusesPolicy(name, policy, why string) policyVector {
	return policyVector{title{name}, octets(policy), nil, nil, malformed(why)}
}

// quorum is what is said of the witnesses, given as one string of names.
func quorum(witnesses string, met, intersects bool) quorumFields {
	return quorumFields{strings.Fields(witnesses), met, intersects}
}

// witnessKey is the key of the witness of these tests with the number.
func witnessKey(number int) proofs.SigningKey {
	return seededKey(fmt.Sprintf("w%d.example", number), proofs.Ed25519Cosignature)
}

// witnessLines define the witnesses 1 to n as w1, w2 and so on.
func witnessLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "witness w%d %s\n", i+1, witnessKey(i+1).Key())
	}
	return b.String()
}

func logLine() string { return "log " + seededKey(testOrigin, proofs.Ed25519).Key().String() + "\n" }

func policyVectors() []policyVector {
	rows := append(policySyntaxVectors(), policyNameVectors()...)
	return append(append(rows, policyKeyVectors()...), policyQuorumVectors()...)
}

func policySyntaxVectors() []policyVector {
	log, w1, none := logLine(), witnessLines(1), "quorum none\n"
	spaced := "\t " + strings.ReplaceAll(log, " ", " \t \t") + " \t\n   \n\n \t# a comment\n#quorum w9\n" + none
	const octetsWhy = "of control characters only tab and newline are allowed"
	return []policyVector{
		takesPolicy("the least policy is accepted", none),
		takesPolicy("a policy with one log and no witness is accepted", log+none),
		takesPolicy("spaces, tabs, comments and empty lines are accepted", spaced),
		takesPolicy("a # that does not begin a line is no comment", "log "+log[4:len(log)-1]+" https://a.example/#b\n"+none),
		takesPolicy("a # within a word of a witness is no comment", "witness #w"+w1[len("witness w1"):]+"quorum #w\n"),
		takesPolicy("addresses are accepted", log[:len(log)-1]+" https://log.example/\n"+w1[:len(w1)-1]+" https://w.example/\n"+none),
		takesPolicy("lines in another order are accepted", none+w1+log),
		takesPolicy("octets above 0x7F that are not UTF-8 are accepted in comments, names and addresses",
			"# \xff\nwitness \xfe\xa0 "+witnessKey(1).Key().String()+" \x80\nquorum \xfe\xa0\n"),
		refusesPolicy("an empty policy is refused", "", "there is one quorum"),
		refusesPolicy("a last line without a newline is refused", log+"quorum none", "every line ends in a newline"),
		refusesPolicy("a last comment without a newline is refused", none+"# end", "every line ends in a newline"),
		refusesPolicy("carriage returns are refused", "quorum none\r\n", octetsWhy),
		refusesPolicy("a carriage return in a comment is refused", "# comment\r\n"+none, octetsWhy),
		refusesPolicy("a form feed between words is refused", "quorum\fnone\n", octetsWhy),
		refusesPolicy("a zero byte is refused", none+"\x00\n", octetsWhy),
		refusesPolicy("a delete character is refused", "#\x7f\n"+none, octetsWhy),
		refusesPolicy("a no-break space between words is refused", "quorum\u00a0none\n", "only space and tab separate words"),
		refusesPolicy("a keyword in upper case is refused", "Quorum none\n", "keywords are log, witness, group and quorum"),
		refusesPolicy("an unknown keyword is refused", "cosigner a\n"+none, "keywords are log, witness, group and quorum"),
		refusesPolicy("a byte order mark is refused", "\ufeff"+none, "keywords are log, witness, group and quorum"),
		refusesPolicy("a log without a key is refused", "log\n"+none, "a log has a key"),
		refusesPolicy("a word behind the address of a log is refused", log[:len(log)-1]+" https://a.example/ b\n"+none, "nothing follows the address"),
		refusesPolicy("a comment behind a log and its address is refused", log[:len(log)-1]+" https://a.example/ #b\n"+none, "a comment is a line of its own"),
		refusesPolicy("a witness without a key is refused", "witness w1\n"+none, "a witness has a name and a key"),
		refusesPolicy("a witness without a name is refused", "witness "+witnessKey(1).Key().String()+"\n"+none, "a witness has a name and a key"),
		refusesPolicy("a word behind the address of a witness is refused", w1[:len(w1)-1]+" https://a.example/ b\n"+none, "nothing follows the address"),
	}
}

func policyNameVectors() []policyVector {
	w := witnessLines(3)
	return []policyVector{
		takesPolicy("a group may be called all, and a member any",
			strings.Replace(w, "w1 ", "any ", 1)+"group all any any\nquorum all\n", quorum("any", true, true), quorum("w2", false, false)),
		takesPolicy("a name may be a number", strings.Replace(w, "w1 ", "2 ", 1)+"group 3 2 2 w2\nquorum 3\n",
			quorum("2 w2", true, true), quorum("2", false, true)),
		takesPolicy("names that differ in case are two", strings.Replace(w, "w2 ", "W1 ", 1)+"quorum W1\n", quorum("w1", false, false)),
		takesPolicy("a name that resembles none is accepted", strings.Replace(w, "w1 ", "None ", 1)+"quorum None\n", quorum("None", true, true)),
		refusesPolicy("a witness called none is refused", strings.Replace(w, "w1 ", "none ", 1)+"quorum none\n", "the name is reserved"),
		refusesPolicy("a group called none is refused", w+"group none any w1\nquorum none\n", "the name is reserved"),
		refusesPolicy("none as a member is refused", w+"group g any w1 none\nquorum g\n", "none is no member"),
		refusesPolicy("two witnesses of one name are refused", strings.Replace(w, "w2 ", "w1 ", 1)+"quorum w1\n", "a name is defined once"),
		refusesPolicy("a group with the name of a witness is refused", w+"group w1 any w2\nquorum w1\n", "a name is defined once"),
		refusesPolicy("two groups of one name are refused", w+"group g any w1\ngroup g any w2\nquorum g\n", "a name is defined once"),
		refusesPolicy("a member that is defined later is refused", "group g any w1\n"+w+"quorum g\n", "names are defined before they are used"),
		refusesPolicy("a group that is defined later is refused", w+"group g any h\ngroup h any w1\nquorum g\n", "names are defined before they are used"),
		refusesPolicy("a group that is its own member is refused", w+"group g any w1 g\nquorum g\n", "names are defined before they are used"),
		refusesPolicy("a quorum that is defined later is refused", "quorum w1\n"+w, "names are defined before they are used"),
		refusesPolicy("the name of a log as quorum is refused", logLine()+"quorum "+testOrigin+"\n", "a quorum is a witness or a group"),
		refusesPolicy("the name of a key as quorum is refused", w+"quorum w1.example\n", "a quorum is named as in the policy"),
		refusesPolicy("a member twice in a group is refused", w+"group g 2 w1 w1\nquorum g\n", "a name is a member once"),
		refusesPolicy("a member of two groups is refused", w+"group g any w1 w2\ngroup h any w1 w3\nquorum g\n", "a name is a member once"),
		refusesPolicy("a group in two groups is refused", w+"group g any w1\ngroup h any g w2\ngroup i any g w3\nquorum h\n", "a name is a member once"),
	}
}

func policyKeyVectors() []policyVector {
	none := "quorum none\n"
	vkey := func(name string, typ proofs.KeyType) string { return seededKey(name, typ).Key().String() }
	// The same public key under another name.
	key := seededKey("a", proofs.Ed25519)
	renamed := must(proofs.ParseSigningKey(renameSecret(key, "b"))).Key().String()
	cosigner := seededKey("a", proofs.Ed25519Cosignature)
	renamedCosigner := must(proofs.ParseSigningKey(renameSecret(cosigner, "b"))).Key().String()
	zeroID := strings.Replace(key.Key().String(), fmt.Sprintf("%08x", key.Key().ID()), "00000000", 1)
	return []policyVector{
		takesPolicy("logs with Ed25519 and ML-DSA-44 keys of one origin are accepted",
			"log "+vkey(testOrigin, proofs.Ed25519)+"\nlog "+vkey(testOrigin, proofs.MLDSA44)+"\n"+none),
		takesPolicy("one key as a log's and as a witness's is accepted",
			"log "+vkey("a", proofs.MLDSA44)+"\nwitness w "+vkey("a", proofs.MLDSA44)+"\nquorum w\n"),
		takesPolicy("witnesses with keys of both types under one key name are accepted",
			"witness e "+vkey("w", proofs.Ed25519Cosignature)+"\nwitness m "+vkey("w", proofs.MLDSA44)+"\ngroup w any e m\nquorum w\n",
			quorum("e", true, false), quorum("m", true, false), quorum("e m", true, true)),
		refusesPolicy("two logs of one public key are refused", "log "+key.Key().String()+"\nlog "+renamed+"\n"+none, "a public key is listed once"),
		refusesPolicy("two witnesses of one public key are refused",
			"witness x "+cosigner.Key().String()+"\nwitness y "+renamedCosigner+"\n"+none, "a public key is listed once"),
		refusesPolicy("a witness with a log's Ed25519 key is refused", "witness x "+key.Key().String()+"\n"+none, "the type is for notes, not for cosignatures"),
		refusesPolicy("a log with an Ed25519 cosignature key is refused", "log "+cosigner.Key().String()+"\n"+none, "the type is for cosignatures"),
		refusesPolicy("a log whose key ID is not that of the key is refused", "log "+zeroID+"\n"+none, "a key ID is computed"),
		refusesPolicy("a log with a key in hexadecimal is refused", "log "+strings.Repeat("ab", 32)+"\n"+none, "a key is a vkey"),
	}
}

// renameSecret is the signing key of the same seed under another name.
func renameSecret(k proofs.SigningKey, name string) string {
	id := refKeyID(name, k.Key().Type(), k.Key().Public())
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, id, seedOf(k))
}

func policyQuorumVectors() []policyVector {
	w := witnessLines(6)
	group := func(threshold string) string { return w + "group g " + threshold + " w1 w2 w3\nquorum g\n" }
	const thresholdWhy = "a threshold is all, any or a decimal within 1..n"
	nested := w + "group x 2 w1 w2 w3\ngroup y any w4 w5 w6\ngroup xy all x y\nquorum xy\n"
	rows := []policyVector{
		takesPolicy("no quorum is met by nobody, and nobody intersects it", w+"quorum none\n", quorum("", true, false), quorum("w1 w2 w3 w4 w5 w6", true, false)),
		takesPolicy("one witness is a quorum", w+"quorum w2\n", quorum("w2", true, true), quorum("w1 w3", false, false), quorum("", false, false)),
		takesPolicy("all of a group are a quorum", group("all"), quorum("w1 w2", false, true), quorum("w1 w2 w3", true, true), quorum("w4", false, false)),
		takesPolicy("any of a group is a quorum", group("any"), quorum("w3", true, false), quorum("w1 w2", true, false), quorum("w1 w2 w3", true, true), quorum("w4 w5", false, false)),
		takesPolicy("two of three are a quorum", group("2"), quorum("w1", false, false), quorum("w1 w3", true, true), quorum("w1 w4", false, false)),
		takesPolicy("one of one is a quorum", w+"group g 1 w1\nquorum g\n", quorum("w1", true, true)),
		takesPolicy("a witness that no group has does not count", group("3"), quorum("w1 w2 w4 w5 w6", false, true)),
		takesPolicy("groups of groups are counted by group", nested, quorum("w1 w2 w3", false, true), quorum("w1 w4 w5 w6", false, true),
			quorum("w1 w2 w4", true, true), quorum("w4 w5", false, false), quorum("w1 w4", false, false), quorum("w2 w3", false, true)),
		takesPolicy("a group that the quorum does not use does not count", w+"group x any w1 w2\ngroup y any w3 w4\nquorum x\n",
			quorum("w3 w4", false, false), quorum("w1 w3", true, false)),
		takesPolicy("the quorum may be a group that is a member elsewhere", w+"group x all w1 w2\ngroup y any x w3\nquorum x\n",
			quorum("w3", false, false), quorum("w1 w2", true, true)),
		refusesPolicy("a policy without a quorum is refused", logLine()+w, "there is one quorum"),
		refusesPolicy("two quorums are refused", w+"quorum w1\nquorum w1\n", "there is one quorum"),
		refusesPolicy("none and a quorum are refused", w+"quorum none\nquorum w1\n", "there is one quorum"),
		refusesPolicy("a quorum of two names is refused", w+"quorum w1 w2\n", "a quorum is one name"),
		refusesPolicy("a quorum of no name is refused", w+"quorum\n", "a quorum is one name"),
		refusesPolicy("a group without members is refused", w+"group g all\nquorum g\n", "a group has a member at least"),
		refusesPolicy("a group without a threshold is refused", w+"group g w1 w2\nquorum g\n", thresholdWhy),
	}
	for _, k := range []string{"0", "4", "-1", "+1", "01", "1.0", "0x1", "18446744073709551617", "ALL", "one", "%"} {
		rows = append(rows, refusesPolicy("the threshold "+strconv.Quote(k)+" of three is refused", group(k), thresholdWhy))
	}
	return rows
}
