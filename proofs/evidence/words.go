package evidence

import (
	"fmt"
	"strings"
	"time"
)

// What a report says in plain words.

// Proven returns in sentences what the file shows to whoever believes the
// policy that it was judged by.
func (r *Report) Proven() []string {
	c := r.Verdict.Checkpoint
	list := []string{
		fmt.Sprintf("%s in the ledger %s, as it was when the log signed its checkpoint of %s%s.",
			count(r.InLog, "entry is", "entries are"), c.Origin, count(c.Size, "entry", "entries"), r.cosigned()),
	}
	if r.Entries == 0 {
		list[0] = fmt.Sprintf("The log of the ledger %s signed its checkpoint of %s%s.", c.Origin, count(c.Size, "entry", "entries"), r.cosigned())
	}
	for i, s := range r.Searches {
		if said := s.proven(i + 1); said != "" {
			list = append(list, said)
		}
	}
	say := func(n uint64, format string, args ...any) {
		if n > 0 {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	say(r.Whole, "%s what was recorded, byte for byte.", count(r.Whole, "payload is", "payloads are"))
	say(r.Partly, "Of %s, what is shown is what was recorded; the rest is not shown.", count(r.Partly, "payload", "payloads"))
	say(r.Tagged, "The tags of %s those of the payload, by settings and keys that the ledger had committed to before; and in what parts, about whom, is as the settings demand.", count(r.Tagged, "event are", "events are"))
	say(r.Gone, "%s something for a reason that the ledger published.", count(r.Gone, "entry lacks", "entries lack"))
	say(r.LastBefore, "The quorum of witnesses had seen all of them by %s.", utc(r.LastBefore))
	say(r.FirstAfter, "It had seen none of them by %s.", utc(r.FirstAfter))
	if long := r.longest(); long > 1 {
		list = append(list, fmt.Sprintf("No entry is left out within a run of indices; the longest has %d.", long))
	}
	return list
}

// NotProven returns in sentences what somebody may think that the file shows,
// and it does not.
func (r *Report) NotProven() []string {
	var list []string
	if r.OwnPolicy {
		list = append(list, "That the log and the witnesses may be believed: the policy that names them is from the file itself, and whoever made the file chose it.")
	}
	chose := "its entries"
	if len(r.Searches) > 0 {
		chose = "its entries, and what its searches ask for"
	}
	list = append(list,
		"That what the events say is true. They were recorded so; whoever recorded them may have been wrong, or lied.",
		fmt.Sprintf("That nothing else was recorded about the matter. Whoever made the file chose %s.", chose),
		"That an event happened when its entry was made. The time of an entry is that of the ledger's clock, and witnesses attest only when they saw it.",
	)
	say := func(n uint64, format string, args ...any) {
		if n > 0 {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	say(r.Disabled, "What %s in full: it is disabled, says the maker of the file, by an erasure that is approved and not done.", count(r.Disabled, "entry holds", "entries hold"))
	say(r.Forbidden, "What %s in full: the maker of the file says that it may not read it.", count(r.Forbidden, "entry holds", "entries hold"))
	say(r.LeftOut, "What %s in full: the maker of the file chose not to show it.", count(r.LeftOut, "entry holds", "entries hold"))
	say(r.Gone, "That what is gone was allowed to go in every respect, and that no hold was passed over: an audit of the whole ledger shows that.")
	say(r.Possibly, "That it is for this reason that %s whom it named: an erasure does not say which entries of the ledger's own it concerns.",
		count(r.Possibly, "entry of the ledger's own does not say any more", "entries of the ledger's own do not say any more"))
	say(r.Events-r.Tagged, "That the tags of %s those of the payload: the file lacks what it takes to compute them again.", count(r.Events-r.Tagged, "event are", "events are"))
	say(r.Tagged, "That what concerns a person is sealed under the person's key, so that an erasure closes it: only the ledger has the keys.")
	if r.LastBefore == 0 && r.Entries > 0 {
		list = append(list, "When the entries were made: no quorum of witnesses attests a time.")
	}
	for i, s := range r.Searches {
		list = append(list, s.notProven(i+1, r.Verdict.Checkpoint.Size)...)
	}
	if len(r.Searches) > 0 {
		list = append(list, "That no settings which a search leaves out give its names to other fields.")
	}
	say(uint64(r.NotBelieved), "What %s of directories: no auditor who is believed has signed it.", count(uint64(r.NotBelieved), "attestation of the file says", "attestations of the file say"))
	return list
}

func (r *Report) cosigned() string {
	var names []string
	for _, c := range r.Verdict.Cosignatures {
		names = append(names, c.Witness)
	}
	if len(names) == 0 {
		return ", which nobody cosigned: the policy demands no witnesses"
	}
	return ", which " + strings.Join(names, ", ") + " cosigned"
}

// longest returns the length of the longest run.
func (r *Report) longest() (n uint64) {
	for _, run := range r.Runs {
		n = max(n, run.Last-run.First+1)
	}
	return n
}

// String returns in a sentence what was published.
func (c Closing) String() string {
	var b strings.Builder
	if c.What == "erasure" {
		fmt.Fprintf(&b, "entry %d announced the erasure of what concerns one person", c.Announced)
	} else {
		fmt.Fprintf(&b, "entry %d announced that its bucket expired", c.Announced)
	}
	if c.Possible {
		b.WriteString(", whom this one may have named")
	}
	switch {
	case c.Days > 0 && c.Aged:
		fmt.Fprintf(&b, ", after the %d days of its class (entry %d), by cosigned checkpoints", c.Days, c.Settings)
	case c.Days > 0:
		fmt.Fprintf(&b, ", after the %d days of its class (entry %d); that they were over is not shown", c.Days, c.Settings)
	case c.Approval > 0:
		fmt.Fprintf(&b, ", asked for in entry %d and approved by another in entry %d", c.Request, c.Approval)
	case c.Request > 0:
		fmt.Fprintf(&b, ", asked for in entry %d; that another approved is not shown", c.Request)
	}
	if len(c.Holds) > 0 {
		fmt.Fprintf(&b, "; held by %v", joinIndices(c.Holds))
		if c.Effective > 0 {
			fmt.Fprintf(&b, " until entry %d released the last", c.Effective)
		}
	}
	switch {
	case c.Effective == 0:
		b.WriteString("; so it is kept")
	case c.Done > 0:
		fmt.Fprintf(&b, "; by entry %d the keys are destroyed", c.Done)
	default:
		b.WriteString("; that the keys are destroyed is not recorded yet")
	}
	return b.String()
}

func joinIndices(list []uint64) string {
	var words []string
	for _, index := range list {
		words = append(words, fmt.Sprintf("entry %d", index))
	}
	return strings.Join(words, ", ")
}

// count returns a number with its word: "1 entry", "2 entries".
func count(n uint64, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// utc writes a time in seconds since 1970.
func utc(t uint64) string { return time.Unix(int64(t), 0).UTC().Format("2006-01-02 15:04:05 UTC") }
