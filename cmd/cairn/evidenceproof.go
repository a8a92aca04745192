package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// An evidenceSearches is what export is to prove of searches, and what it has
// proven.
type evidenceSearches struct {
	asked        []client.CompleteQuery
	now          bool // also of what no directory has yet
	include      bool // the events that are found are entries of the file
	attestations []evidence.Attestation
	files        []string // that the attestations are from

	proofs  [][]byte
	answers []*searchAnswer // verified, of the proofs
}

// searchesAskedFor reads what to search for from the flags of export.
func (p *program) searchesAskedFor(o exportFlags, c choice) (s evidenceSearches, err error) {
	s.now, s.include = o.now, o.hits
	switch n := len(o.searches); {
	case n == 0 && (o.now || !o.hits || o.attestations != nil):
		return s, command.Usage("--now, --hits and --attestation are about what --search asks for")
	case n > evidence.MaxSearches || len(o.attestations) > evidence.MaxAttestations:
		return s, command.Usage("a file of evidence has at most %d searches and %d attestations", evidence.MaxSearches, evidence.MaxAttestations)
	case n > 0 && c.timed && c.stream == "" && c.runs == nil:
		return s, command.Hinted(command.Usage("--since and --until choose events beside those that --search finds"),
			"write after: and before: in the query; or choose the others of a --stream or by their indices")
	}
	for _, text := range o.searches {
		asked, err := p.provableSearch(text, o.now, c)
		if err != nil {
			return s, err
		}
		s.asked = append(s.asked, asked)
	}
	for _, name := range o.attestations {
		b, err := p.readFile(name, proofs.MaxNoteSize)
		if err != nil {
			return s, fmt.Errorf("attestation: %w", err)
		}
		if _, err := attestationIn(b); err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		s.attestations, s.files = append(s.attestations, evidence.Attestation{Note: string(b)}), append(s.files, name)
	}
	return s, nil
}

// provableSearch reads a query of which everything can be proven: what search
// would judge here, on payloads, is in no proof. It names its stream where --stream
// chooses all events of one.
func (p *program) provableSearch(text string, now bool, c choice) (asked client.CompleteQuery, err error) {
	q, err := p.parseQuery([]string{text})
	if err != nil {
		return asked, err
	}
	provable, err := query.Prove(q)
	switch {
	case err != nil:
		return asked, queryError(err)
	case c.stream != "" && provable.Stream == "":
		return asked, command.Hinted(command.Usage("--stream chooses events beside those that --search finds, and the query names no stream"),
			"write stream:%s in the query, in place of --stream or beside it", c.stream)
	}
	question, err := p.askedFor([]string{text}, searchFlags{now: now})
	if err == nil && question.hasRest() {
		err = command.Usage("at most %d conditions with %d values can be proven at once", proofs.MaxTerms, proofs.MaxSearchValues)
	}
	return question.CompleteQuery, err
}

// attestationIn reads an attestation, whoever signed it.
func attestationIn(b []byte) (proofs.Attestation, error) {
	note, err := proofs.ParseNote(b)
	if err != nil {
		return proofs.Attestation{}, err
	}
	return proofs.ParseAttestation(note.Text)
}

// prove has the ledger prove what is asked for, and verifies that.
func (s *evidenceSearches) prove(ctx context.Context, p *program, from *source) error {
	if len(s.asked) == 0 {
		return nil
	}
	v, err := p.verifier(ctx, from)
	if err != nil {
		return err
	}
	for _, asked := range s.asked {
		b, answer, err := p.proveComplete(ctx, from.log, v, asked)
		switch {
		case err != nil:
			return fmt.Errorf("search: %w", err)
		case answer.seesNothing():
			return command.Hinted(fmt.Errorf("search %s: %w", answer.query(), errNothingSeen), hintNow)
		case len(b) > evidence.MaxSearchProof:
			return command.Hinted(fmt.Errorf("search %s: a proof of %d bytes, and a file of evidence takes %d", answer.query(), len(b), evidence.MaxSearchProof),
				"ask for less; or keep it in a file of its own: cairn search --complete -o FILE")
		}
		s.proofs, s.answers = append(s.proofs, b), append(s.answers, answer)
	}
	return s.areCovered(p)
}

// areCovered says which attestations count for none of the searches.
func (s *evidenceSearches) areCovered(p *program) error {
	for i, a := range s.attestations {
		word, err := attestationIn([]byte(a.Note))
		if err != nil {
			return err
		}
		covers := func(x *searchAnswer) bool { return len(x.verdict.Directories) > 0 && word.Covers(x.verdict) }
		if !slices.ContainsFunc(s.answers, covers) {
			p.Say("%s is not about all directories that a search rests on, as they are now", s.files[i])
		}
	}
	return nil
}

// hits returns the events that are to be entries of the file.
func (s *evidenceSearches) hits() (runs []proofs.Run) {
	for _, a := range s.answers {
		if s.include {
			runs = append(runs, proofs.RunsOf(a.verdict.Hits)...)
		}
	}
	return proofs.JoinRuns(runs)
}

// checkpoints returns the signed checkpoints of the proofs, by their sizes.
func (s *evidenceSearches) checkpoints() map[uint64][]byte {
	notes := make(map[uint64][]byte)
	for _, a := range s.answers {
		notes[a.verdict.Checkpoint.Size] = a.proof.Checkpoint
	}
	return notes
}

// write writes the searches, and the attestations.
func (s *evidenceSearches) write(out *evidence.Writer) error {
	for _, b := range s.proofs {
		if err := out.Search(evidence.Search{Proof: b}); err != nil {
			return err
		}
	}
	for _, a := range s.attestations {
		if err := out.Attestation(a); err != nil {
			return err
		}
	}
	return nil
}

// selection says in words what was searched for.
func (s *evidenceSearches) selection() (words []string) {
	for _, a := range s.answers {
		said := "events that a search for " + a.query() + " finds"
		if !s.include {
			said = "a search for " + a.query()
		}
		words = append(words, said)
	}
	return words
}

// end says what the searches found, and returns what they leave open.
func (s *evidenceSearches) end(p *program, file string, r *evidence.Report, asJSON bool) error {
	more := false
	for i, found := range r.Searches {
		if found.OK() && !asJSON {
			p.Say("search %d, %s: %s; complete %s", i+1, s.answers[i].query(), foundIn(found), s.answers[i].complete())
		}
		more = more || found.Verdict.More
	}
	if more && !s.now {
		p.Hint(hintNow)
	}
	return judgeSearches(file, r)
}
