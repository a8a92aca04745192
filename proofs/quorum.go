package proofs

import (
	"fmt"
	"slices"
)

// A Cosignature is a verified signature of a witness on a checkpoint.
type Cosignature struct {
	Witness string // its name in the policy
	Key     Key
	// Time is what the witness says it was, in seconds since 1970, at most
	// 2^63-1. It is 0 where an ML-DSA-44 signature names no time.
	Time uint64
}

// A Verdict is what the signatures of a checkpoint show under a policy.
type Verdict struct {
	Checkpoint Checkpoint
	// LogKeys are the keys of the log that signed, in the policy's order.
	LogKeys []Key
	// Cosignatures are those of the policy's witnesses, in the policy's
	// order. Of several by one witness it is the latest.
	Cosignatures []Cosignature
	// QuorumMet reports whether the cosignatures meet the policy's quorum.
	QuorumMet bool
	// Time is the largest t such that the cosignatures with a time at or
	// after t still meet the quorum: seconds since 1970, 0 where the quorum
	// is none or is not met.
	Time uint64
}

// Check checks a signed checkpoint: one of the policy's logs whose key name is
// the checkpoint's origin has signed it, the cosignatures meet the quorum,
// and no signature by a key of the policy is wrong. Signatures by other keys
// are ignored. The error matches [ErrMalformed] or [ErrNotVerified].
func (p *Policy) Check(signed []byte) (Verdict, error) {
	v, err := p.CheckLog(signed)
	if err != nil {
		return Verdict{}, err
	}
	if !v.QuorumMet {
		var names []string
		for _, c := range v.Cosignatures {
			names = append(names, c.Witness)
		}
		return Verdict{}, fmt.Errorf("%w: quorum %q is not met by the cosignatures of %q", ErrNotVerified, p.Quorum, names)
	}
	return v, nil
}

// CheckLog does what [Policy.Check] does but does not demand the quorum.
func (p *Policy) CheckLog(signed []byte) (Verdict, error) {
	c, err := ParseSignedCheckpoint(signed)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Checkpoint: c.Checkpoint}
	for _, l := range p.Logs {
		_, found, err := checkAll(l.Key, c)
		if err != nil {
			return Verdict{}, err
		}
		if found && l.Key.Name() == c.Origin {
			v.LogKeys = append(v.LogKeys, l.Key)
		}
	}
	times := map[string]uint64{}
	for _, w := range p.Witnesses {
		unixTime, found, err := checkAll(w.Key, c)
		if err != nil {
			return Verdict{}, err
		}
		if found {
			v.Cosignatures = append(v.Cosignatures, Cosignature{w.Name, w.Key, unixTime})
			times[w.Name] = unixTime
		}
	}
	if len(v.LogKeys) == 0 {
		return Verdict{}, fmt.Errorf("%w: no log of the policy has signed a checkpoint of %q", ErrNotVerified, c.Origin)
	}
	v.Time, v.QuorumMet = p.quorumTime(times)
	return v, nil
}

// checkAll checks every signature of c that claims to be by the key.
// It returns whether there is one, and the latest time.
func checkAll(k Key, c SignedCheckpoint) (latest uint64, found bool, err error) {
	for _, s := range c.Note.Signatures {
		if !k.claimed(s) {
			continue
		}
		unixTime, err := k.checkSignature(c, s)
		if err != nil {
			return 0, false, err
		}
		latest, found = max(latest, unixTime), true
	}
	return latest, found, nil
}

// Met reports whether the quorum is met where exactly the witnesses have
// cosigned whose names in the policy are mapped to true. Other names are
// ignored.
func (p *Policy) Met(names map[string]bool) bool {
	times := map[string]uint64{}
	for name, cosigned := range names {
		if cosigned {
			times[name] = 0
		}
	}
	_, met := p.quorumTime(times)
	return met
}

// Intersects reports whether every set of witnesses that meets the quorum
// contains one of the names that are mapped to true: whether the others alone
// cannot meet it. A witness with several keys has several names, and whoever
// heard from it sets all of them. If the quorum is none the answer is no:
// nobody meets it too.
func (p *Policy) Intersects(names map[string]bool) bool {
	others := map[string]bool{}
	for _, w := range p.Witnesses {
		others[w.Name] = !names[w.Name]
	}
	return !p.Met(others)
}

// quorumTime returns whether the witnesses, by name and time, meet the quorum
// and up to which time they do. A group's time is the Threshold'th latest of
// its members'. Groups come after their members, so one pass suffices.
func (p *Policy) quorumTime(witnesses map[string]uint64) (unixTime uint64, met bool) {
	if p.Quorum == NoQuorum {
		return 0, true
	}
	reached := map[string]uint64{}
	for _, w := range p.Witnesses {
		if t, ok := witnesses[w.Name]; ok {
			reached[w.Name] = t
		}
	}
	for _, g := range p.Groups {
		var times []uint64
		for _, name := range g.Members {
			if t, ok := reached[name]; ok {
				times = append(times, t)
			}
		}
		if g.Threshold >= 1 && len(times) >= g.Threshold {
			slices.Sort(times)
			reached[g.Name] = times[len(times)-g.Threshold]
		}
	}
	unixTime, met = reached[p.Quorum]
	return unixTime, met
}
