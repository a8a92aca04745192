package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// evidenceSuffix ends the names of files of evidence.
const evidenceSuffix = ".evidence"

// areEvidence tells of each file whether it is one of evidence: by how it
// begins, or by its name where that is damaged. What cannot be read is not.
func (p *program) areEvidence(names []string) (are []bool, all bool) {
	all = true
	for _, name := range names {
		is := strings.HasSuffix(name, evidenceSuffix) || evidence.Begins(p.beginning(name))
		are, all = append(are, is), all && is
	}
	return are, all
}

// beginning returns the first bytes of a file; "-" is the standard input, of
// which nothing is lost.
func (p *program) beginning(name string) []byte {
	const enough = 64
	if name == "-" {
		in := bufio.NewReader(p.Stdin)
		p.Stdin = in
		b, _ := in.Peek(enough)
		return b
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, enough))
	return b
}

// verifyPolicy returns the policy of the verifier. Where all files are of
// evidence there need not be one.
func (p *program) verifyPolicy(o verifyFlags, evidence bool) (*proofs.Policy, error) {
	given := first(p.policy, p.env("CAIRN_POLICY")) != ""
	switch {
	case o.included && given:
		return nil, command.Usage("--trust-included-policy is for those who have no other, and --policy or CAIRN_POLICY gives one")
	case o.included && !evidence:
		return nil, command.Usage("--trust-included-policy is for files of evidence: nothing else has a policy in it")
	case evidence && (o.payload != "" || o.settings != nil):
		return nil, command.Usage("--payload and --settings are for entries: a file of evidence has its own")
	case evidence && !given:
		return nil, nil
	}
	return p.loadPolicy()
}

var errOwnPolicy = errors.New("only the policy in the file says which log and which witnesses to believe, and whoever made the file chose it")

// verifyEvidence judges a file of evidence, of which there is one entry in
// memory, and prints what it shows.
func (p *program) verifyEvidence(name string, policy *proofs.Policy, o verifyFlags) error {
	in := p.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	options, err := p.evidenceOptions(policy, o)
	if err != nil {
		return err
	}
	var few []evidenceEntry
	options.Entry = func(e *evidence.EntryReport) error {
		line := describeEvidenceEntry(name, e)
		if o.json {
			return p.printJSON(formatJSON(line, ""))
		}
		if len(few) < maxShownEntries {
			few = append(few, line)
		}
		return nil
	}
	report, err := evidence.Verify(in, options)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), p.printWrong(finding{File: name, Kind: kindBundle}, err, o.json))
	}
	wrong := p.judgeEvidence(name, report, o)
	f := describeEvidence(name, report)
	if f.Verifies = wrong == nil; wrong != nil {
		f.Error = wrong.Error()
	}
	if o.json {
		err = p.printEvidenceJSON(f, report)
	} else {
		err = printEvidence(p.Stdout, f, few, report)
	}
	return errors.Join(wrong, judgeSearches(name, report), err)
}

// evidenceOptions says by what a file of evidence is judged: a policy, and the
// word of auditors who are believed.
func (p *program) evidenceOptions(policy *proofs.Policy, o verifyFlags) (options evidence.Options, err error) {
	options.Policy = policy
	if options.Auditors, err = o.keys(); err != nil {
		return options, err
	}
	words, err := p.vouchers(o.vouchFlags)
	for _, w := range words {
		options.Attestations = append(options.Attestations, w.note)
	}
	return options, err
}

// printEvidenceJSON prints a line for each search of a file, and one for the file.
func (p *program) printEvidenceJSON(f evidenceFile, r *evidence.Report) error {
	for i, s := range r.Searches {
		if err := p.printJSON(formatJSON(describeEvidenceSearch(f.File, i+1, s), "")); err != nil {
			return err
		}
	}
	return p.printJSON(formatJSON(f, ""))
}

// judgeEvidence returns why a report is not an answer of yes.
func (p *program) judgeEvidence(name string, r *evidence.Report, o verifyFlags) error {
	switch {
	case !r.OK():
		return fmt.Errorf("%s: %w: %d findings, the first: %v", name, proofs.ErrNotVerified, r.Wrong, r.Findings[0])
	case r.OwnPolicy && !o.included:
		return command.Hinted(fmt.Errorf("%s: %w", name, errOwnPolicy),
			"give the policy that you have from whom you trust with --policy; or let the one in the file decide, with --trust-included-policy")
	case o.required && slices.ContainsFunc(r.Searches, vouchesForNone):
		return fmt.Errorf("%s: %w", name, errNotAudited)
	}
	return nil
}

// maxShownEntries is how many entries are shown to people one by one.
const maxShownEntries = 20

// printEvidence prints for people what a file shows.
func printEvidence(w io.Writer, f evidenceFile, few []evidenceEntry, r *evidence.Report) error {
	var b bytes.Buffer
	switch {
	case f.Verifies && r.OwnPolicy:
		fmt.Fprintf(&b, "%s: evidence verifies by the policy in it\n", command.Escape(f.File))
	case f.Verifies:
		fmt.Fprintf(&b, "%s: evidence verifies\n", command.Escape(f.File))
	case r.OK():
		fmt.Fprintf(&b, "%s: evidence agrees with itself\n", command.Escape(f.File))
	default:
		fmt.Fprintf(&b, "%s: evidence does not verify\n", command.Escape(f.File))
	}
	t := command.NewTable(&b)
	t.Row("  entries", fmt.Sprintf("%d of %s", r.Entries, r.Origin))
	if r.Entries > 0 {
		t.Row("  payloads", shownIn(r.Counts))
	}
	if r.Selection != "" {
		t.Row("  chosen", r.Selection+" (says the maker)")
	}
	t.Row("  checkpoint", fmt.Sprintf("size %d, root %s, the last of %d that extend one another", f.Size, f.Root, f.Checkpoints))
	t.Row("  signed", "by "+strings.Join(f.LogKeys, ", "))
	t.Row("  witnessed", witnessed(f.Witnesses, f.CosignedAt))
	t.Row("  policy", policyOf(r))
	if err := t.Flush(); err != nil {
		return err
	}
	if err := printEvidenceSearches(&b, r.Searches); err != nil {
		return err
	}
	if r.Entries > 0 {
		printEvidenceEntries(&b, few, r.Entries)
	}
	if !r.OK() {
		fmt.Fprintln(&b, "\nWrong:")
		printList(&b, f.findings())
	}
	fmt.Fprintln(&b, "\nProven"+ifBelieved(r)+":")
	printList(&b, f.Proven)
	fmt.Fprintln(&b, "\nNot proven:")
	printList(&b, f.NotProven)
	_, err := w.Write(b.Bytes())
	return err
}

func ifBelieved(r *evidence.Report) string {
	if r.OwnPolicy {
		return ", if the policy in the file may be believed"
	}
	return ""
}

func policyOf(r *evidence.Report) string {
	switch {
	case r.OwnPolicy:
		return "the one in the file"
	case r.SamePolicy:
		return "yours, which is the one in the file too"
	}
	return "yours; the one in the file is another"
}

func printEvidenceEntries(b *bytes.Buffer, few []evidenceEntry, total uint64) {
	fmt.Fprintln(b)
	t := command.NewTable(b)
	for _, e := range few {
		stream := e.Leaf.Kind
		if e.StreamName != "" {
			stream = e.StreamName
		}
		t.Row(fmt.Sprintf("  %d", e.Index), e.Leaf.Time, stream, e.text())
	}
	t.Flush()
	if more := total - uint64(len(few)); more > 0 {
		fmt.Fprintf(b, "  … and %d more, which --json shows\n", more)
	}
}

func printList(b *bytes.Buffer, list []string) {
	for _, s := range list {
		fmt.Fprintf(b, "  - %s\n", command.Escape(s))
	}
}
