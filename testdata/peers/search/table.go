package main

import (
	"fmt"
	"io"
	"time"
)

// table writes figures as a table in Markdown, with a column for each peer.
// Behind the others' medians is how many times the first peer's they are.
func table(w io.Writer, plan plan, figures []figure) {
	row := func(name string, cell func(f figure) string) {
		fmt.Fprintf(w, "| %s |", name)
		for _, f := range figures {
			fmt.Fprintf(w, " %s |", cell(f))
		}
		fmt.Fprintln(w)
	}
	row("", func(f figure) string { return f.Peer })
	row("---", func(figure) string { return "---" })
	row("documents/s added", func(f figure) string { return fmt.Sprintf("%.0f", float64(f.Documents)/f.Adding.Seconds()) })
	row("processor time a document, µs", func(f figure) string { return fmt.Sprint(f.CPU.Microseconds() / int64(f.Documents)) })
	row("settling, s", func(f figure) string { return fmt.Sprintf("%.1f", f.Settling.Seconds()) })
	row("bytes at rest a document", func(f figure) string { return fmt.Sprint(f.Size / int64(f.Documents)) })
	row("memory, MB", func(f figure) string { return fmt.Sprint(f.Memory / 1e6) })
	for _, k := range kinds() {
		row(fmt.Sprintf("%s (%s): p50 / p95, ms", k, typical(plan, k)), func(f figure) string {
			return latency(f.Latencies[k], figures[0].Latencies[k], len(plan.queries)/len(kinds()))
		})
	}
}

// latency is the cell of one kind's latencies: how much they are, compared with
// the first peer's, and how many of the queries they are where not all were
// asked.
func latency(own, first []time.Duration, all int) string {
	p50, p95 := percentile(own, 50), percentile(own, 95)
	cell := fmt.Sprintf("%s / %s", milliseconds(p50), milliseconds(p95))
	if &own[0] != &first[0] {
		cell += fmt.Sprintf(" (×%s)", ratio(float64(p50)/float64(percentile(first, 50))))
	}
	if len(own) < all {
		cell += fmt.Sprintf(" of %d", len(own))
	}
	return cell
}

func ratio(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// typical says how large the answers of a kind of queries are: the median, and
// the 95th of a hundred.
func typical(plan plan, k Kind) string {
	var sizes []time.Duration // percentile takes them for durations
	for i, q := range plan.queries {
		if q.Kind != k {
			continue
		}
		size := uint64(len(plan.answers[i]))
		if k == Count || k == Facet || k == Histogram {
			size = 0
			for _, n := range plan.answers[i] {
				size += n
			}
		}
		sizes = append(sizes, time.Duration(size))
	}
	return fmt.Sprintf("%d, %d documents", percentile(sizes, 50), percentile(sizes, 95))
}
