package retain

import "github.com/cairnlog/cairn/proofs"

// Sets of entries are runs that rise, as few as can be (see [proofs.Run]).
// They are shared and never changed: what changes a set makes a new one.

// search returns the place of the first run that ends at an index or behind it.
func search(runs []proofs.Run, index uint64) int {
	low, high := 0, len(runs)
	for low < high {
		if middle := int(uint(low+high) / 2); runs[middle].Last < index {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// touching returns those runs, whole, that have something within [first, last].
func touching(runs []proofs.Run, first, last uint64) []proofs.Run {
	runs = runs[search(runs, first):]
	end := search(runs, last)
	if end < len(runs) && runs[end].First <= last {
		end++
	}
	return runs[:end:end]
}

// Intersect returns what is in both.
func Intersect(a, b []proofs.Run) (both []proofs.Run) {
	if len(a) > len(b) {
		a, b = b, a
	}
	for _, r := range a {
		b = b[search(b, r.First):]
		for _, x := range touching(b, r.First, r.Last) {
			both = append(both, proofs.Run{First: max(r.First, x.First), Last: min(r.Last, x.Last)})
		}
	}
	return both
}

// meets reports whether something is in both.
func meets(a, b []proofs.Run) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	for _, r := range a {
		b = b[search(b, r.First):]
		if len(b) == 0 {
			return false
		}
		if b[0].First <= r.Last {
			return true
		}
	}
	return false
}

// Subtract returns what is in a and not in b.
func Subtract(a, b []proofs.Run) (rest []proofs.Run) {
	for _, r := range a {
		b = b[search(b, r.First):]
		open := true // what begins at r.First is left
		for _, x := range touching(b, r.First, r.Last) {
			if x.First > r.First {
				rest = append(rest, proofs.Run{First: r.First, Last: x.First - 1})
			}
			if x.Last >= r.Last {
				open = false
				break
			}
			r.First = x.Last + 1
		}
		if open {
			rest = append(rest, r)
		}
	}
	return rest
}

// union returns what is in one or the other.
func union(a, b []proofs.Run) []proofs.Run {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := make([]proofs.Run, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next proofs.Run
		if len(b) == 0 || len(a) > 0 && a[0].First <= b[0].First {
			next, a = a[0], a[1:]
		} else {
			next, b = b[0], b[1:]
		}
		if n := len(all); n > 0 && (next.First <= all[n-1].Last || next.First-all[n-1].Last == 1) {
			all[n-1].Last = max(all[n-1].Last, next.Last)
			continue
		}
		all = append(all, next)
	}
	return all
}
