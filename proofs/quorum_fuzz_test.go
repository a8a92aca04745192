package proofs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// refMet is C2SP tlog-policy word by word: a group has witnessed if at least k
// of its members have, each a witness or another group.
func refMet(p *proofs.Policy, name string, cosigned map[string]bool) bool {
	if name == "none" {
		return true
	}
	for _, g := range p.Groups {
		if g.Name == name {
			k := 0
			for _, m := range g.Members {
				if refMet(p, m, cosigned) {
					k++
				}
			}
			return k >= g.Threshold
		}
	}
	return cosigned[name]
}

// subset is the set of the policy's witnesses whose bits are set.
func subset(p *proofs.Policy, bits uint) map[string]bool {
	set := map[string]bool{}
	for i, w := range p.Witnesses {
		set[w.Name] = bits>>i&1 == 1
	}
	return set
}

// checkQuorum holds Met and Intersects to their definitions, over all sets.
func checkQuorum(t *testing.T, p *proofs.Policy) {
	t.Helper()
	sets := uint(1) << len(p.Witnesses)
	var meeting []uint
	for s := range sets {
		want := refMet(p, p.Quorum, subset(p, s))
		if got := p.Met(subset(p, s)); got != want {
			t.Fatalf("Met(%b) = %v, want %v, in\n%s", s, got, want, proofs.FormatPolicy(p))
		}
		if want {
			meeting = append(meeting, s)
		}
	}
	for s := range sets {
		want := !slices.ContainsFunc(meeting, func(m uint) bool { return m&s == 0 })
		if got := p.Intersects(subset(p, s)); got != want {
			t.Fatalf("Intersects(%b) = %v, want %v, in\n%s", s, got, want, proofs.FormatPolicy(p))
		}
	}
}

// policyOf is a policy with up to seven witnesses and groups of groups that
// the choices decide; it has been parsed from its text.
func policyOf(choose func(n int) int) *proofs.Policy {
	p := &proofs.Policy{Quorum: proofs.NoQuorum}
	var free []string
	for i := range 1 + choose(7) {
		w := proofs.PolicyWitness{Name: fmt.Sprintf("w%d", i), Key: fixedWitnessKeys()[i]}
		p.Witnesses = append(p.Witnesses, w)
		free = append(free, w.Name)
	}
	for i := 0; len(free) > 0 && i < 6; i++ {
		n := 1 + choose(len(free))
		g := proofs.PolicyGroup{Name: fmt.Sprintf("g%d", i), Threshold: 1 + choose(n)}
		for range n {
			j := choose(len(free))
			g.Members = append(g.Members, free[j])
			free = slices.Delete(free, j, j+1)
		}
		p.Groups = append(p.Groups, g)
		free = append(free, g.Name)
		if p.Quorum = g.Name; choose(4) == 0 {
			break
		}
	}
	if choose(16) == 0 {
		p.Quorum = proofs.NoQuorum
	}
	return must(proofs.ParsePolicy(proofs.FormatPolicy(p)))
}

func fixedWitnessKeys() (keys [7]proofs.Key) {
	for i := range keys {
		keys[i] = witnessKey(i + 1).Key()
	}
	return keys
}

func TestQuorumsAreWhatTheSpecificationSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		checkQuorum(t, policyOf(random.IntN))
	}
}

func FuzzQuorum(f *testing.F) {
	f.Add([]byte{6, 2, 1, 0, 0, 1, 3, 1, 1, 0, 0, 0, 1})
	f.Add([]byte{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		checkQuorum(t, policyOf(func(n int) int {
			if len(b) == 0 {
				return 0
			}
			c := int(b[0]) % n
			b = b[1:]
			return c
		}))
	})
}

// The time of a verdict is the largest t such that the cosignatures with a
// time at or after t meet the quorum.
func TestTheQuorumsTimeIsTheLargestThatStillMeetsIt(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	text, log := checkpointText(7), seededKey(testOrigin, proofs.Ed25519)
	for range 100 {
		p := policyOf(random.IntN)
		p.Logs = []proofs.PolicyLog{{Key: log.Key()}}
		by, times := []stamped{{log, 0}}, map[string]uint64{}
		for i, w := range p.Witnesses {
			if random.IntN(4) > 0 {
				times[w.Name] = 1 + random.Uint64N(9)
				by = append(by, stamped{witnessKey(i + 1), times[w.Name]})
			}
		}
		want, met := uint64(0), refMet(p, p.Quorum, map[string]bool{})
		for unixTime := uint64(1); unixTime <= 10 && !met; unixTime++ {
			since := map[string]bool{}
			for name, at := range times {
				since[name] = at >= unixTime
			}
			if refMet(p, p.Quorum, since) {
				want = unixTime
			}
		}
		v, err := p.CheckLog(signedAt(text, by...))
		if err != nil || v.Time != want || v.QuorumMet != (met || want > 0) {
			t.Fatalf("time %d, met %v, %v; want %d: %v in\n%s", v.Time, v.QuorumMet, err, want, times, proofs.FormatPolicy(p))
		}
	}
}
