package proofs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// MaxPolicySize bounds a policy file in bytes: room for several hundred
// ML-DSA-44 keys. C2SP tlog-policy asks for 32 logs, witnesses and groups.
const MaxPolicySize = 1 << 20

// NoQuorum is the quorum of a policy that demands no cosignatures.
const NoQuorum = "none"

// A Policy says which logs are believed, and which witnesses must have
// cosigned what they say (C2SP tlog-policy). It is the one thing that a
// verifier must get from where it trusts.
//
// A policy that was built by hand has been checked only once [ParsePolicy]
// reads what [FormatPolicy] wrote.
type Policy struct {
	// Logs are all believed: a checkpoint needs the signature of one of them.
	Logs []PolicyLog
	// Witnesses and Groups share one space of names. The members of a group
	// are witnesses, and groups that come before it.
	Witnesses []PolicyWitness
	Groups    []PolicyGroup
	// Quorum is the witness or group that must have witnessed a checkpoint,
	// or [NoQuorum].
	Quorum string
}

// A PolicyLog is a key of a log. The key's name is the log's origin; a log
// with several keys has several lines.
type PolicyLog struct {
	Key Key
	URL string // empty where the policy gives none
}

// A PolicyWitness is a key of a witness. A witness with several keys has
// several lines and names, and a group of them with threshold 1 is one vote.
type PolicyWitness struct {
	// Name stands for the witness within the policy only. It is a string of
	// octets, not empty, with neither space, tab nor control character.
	Name string
	Key  Key
	URL  string // empty where the policy gives none
}

// A PolicyGroup has witnessed a checkpoint if at least Threshold of its
// members have.
type PolicyGroup struct {
	Name      string
	Threshold int // 1..len(Members)
	Members   []string
}

// ParsePolicy reads a policy file. An error names the line.
func ParsePolicy(b []byte) (*Policy, error) {
	if len(b) > MaxPolicySize {
		return nil, fmt.Errorf("%w: policy: %d bytes, at most %d are read", ErrMalformed, len(b), MaxPolicySize)
	}
	p := policyParser{defined: map[string]bool{}, member: map[string]bool{}, keys: map[string]bool{}}
	for number := 1; len(b) > 0; number++ {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			return nil, fmt.Errorf("%w: policy: line %d: no newline at its end", ErrMalformed, number)
		}
		if err := p.line(string(line)); err != nil {
			return nil, fmt.Errorf("%w: policy: line %d: %w", ErrMalformed, number, err)
		}
		b = rest
	}
	if p.policy.Quorum == "" {
		return nil, fmt.Errorf("%w: policy: no quorum line", ErrMalformed)
	}
	return &p.policy, nil
}

// A policyParser knows what the lines so far have used up.
type policyParser struct {
	policy  Policy
	defined map[string]bool // names of witnesses and groups
	member  map[string]bool // names that are in a group
	keys    map[string]bool // keyword and public key
}

func (p *policyParser) line(line string) error {
	for i := range len(line) {
		if c := line[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return fmt.Errorf("control character 0x%02x", c)
		}
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 || words[0][0] == '#' {
		return nil
	}
	switch keyword, args := words[0], words[1:]; keyword {
	case "log":
		return p.log(args)
	case "witness":
		return p.witness(args)
	case "group":
		return p.group(args)
	case "quorum":
		return p.quorum(args)
	default:
		return fmt.Errorf("unknown keyword %q", keyword)
	}
}

func (p *policyParser) log(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return fmt.Errorf("not of the form log <vkey> [<url>]")
	}
	k, err := p.key("log", args[0])
	if err != nil {
		return err
	}
	if !k.IsLog() {
		return fmt.Errorf("%v is no type of a log's key", k.Type())
	}
	p.policy.Logs = append(p.policy.Logs, PolicyLog{k, strings.Join(args[1:], "")})
	return nil
}

func (p *policyParser) witness(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return fmt.Errorf("not of the form witness <name> <vkey> [<url>]")
	}
	k, err := p.key("witness", args[1])
	if err != nil {
		return err
	}
	if !k.IsWitness() {
		return fmt.Errorf("%v is no type of a witness's key", k.Type())
	}
	p.policy.Witnesses = append(p.policy.Witnesses, PolicyWitness{args[0], k, strings.Join(args[2:], "")})
	return p.define(args[0])
}

// key reads a vkey whose public key no other line of this keyword has.
func (p *policyParser) key(keyword, vkey string) (Key, error) {
	k, err := parseKey(vkey)
	if err != nil {
		return Key{}, fmt.Errorf("key: %w", err)
	}
	if p.keys[keyword+k.public] {
		return Key{}, fmt.Errorf("the public key of %s is that of another %s", k.Name(), keyword)
	}
	p.keys[keyword+k.public] = true
	return k, nil
}

func (p *policyParser) define(name string) error {
	if name == NoQuorum {
		return fmt.Errorf("the name %s is reserved", NoQuorum)
	}
	if p.defined[name] {
		return fmt.Errorf("the name %q is defined twice", name)
	}
	p.defined[name] = true
	return nil
}

func (p *policyParser) group(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("not of the form group <name> all|any|<k> <members>")
	}
	g := PolicyGroup{Name: args[0], Members: args[2:]}
	switch args[1] {
	case "all":
		g.Threshold = len(g.Members)
	case "any":
		g.Threshold = 1
	default:
		k, err := parseDecimal(args[1], uint64(len(g.Members)))
		if err != nil || k == 0 {
			return fmt.Errorf("threshold %q is not all, any or within 1..%d", args[1], len(g.Members))
		}
		g.Threshold = int(k)
	}
	for _, name := range g.Members {
		if !p.defined[name] {
			return fmt.Errorf("member %q is not defined before", name)
		}
		if p.member[name] {
			return fmt.Errorf("%q is a member for the second time", name)
		}
		p.member[name] = true
	}
	p.policy.Groups = append(p.policy.Groups, g)
	return p.define(g.Name)
}

func (p *policyParser) quorum(args []string) error {
	switch {
	case len(args) != 1:
		return fmt.Errorf("not of the form quorum <name>|%s", NoQuorum)
	case p.policy.Quorum != "":
		return fmt.Errorf("a second quorum")
	case args[0] != NoQuorum && !p.defined[args[0]]:
		return fmt.Errorf("%q is not defined before", args[0])
	}
	p.policy.Quorum = args[0]
	return nil
}

// FormatPolicy writes a policy file without comments, which [ParsePolicy]
// reads as an equal policy: logs, witnesses, groups, quorum. A threshold is
// written as all or any where one of them says the same.
func FormatPolicy(p *Policy) []byte {
	var b []byte
	line := func(words ...string) {
		b = append(b, strings.TrimRight(strings.Join(words, " "), " ")+"\n"...)
	}
	for _, l := range p.Logs {
		line("log", l.Key.String(), l.URL)
	}
	for _, w := range p.Witnesses {
		line("witness", w.Name, w.Key.String(), w.URL)
	}
	for _, g := range p.Groups {
		threshold := strconv.Itoa(g.Threshold)
		switch g.Threshold {
		case len(g.Members):
			threshold = "all"
		case 1:
			threshold = "any"
		}
		line(append([]string{"group", g.Name, threshold}, g.Members...)...)
	}
	line("quorum", p.Quorum)
	return b
}
