package ledger

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// An IndexInfo is how far the search index has come.
type IndexInfo struct {
	Next      uint64 `json:"next"`      // the entries below it can be found, but for those of what is missing
	Missing   int    `json:"missing"`   // parts that are to be built again, of what a segment has of a bucket
	Documents uint64 `json:"documents"` // events that are at rest in it
	Files     int    `json:"files"`     // that they are in
	Outlines  int    `json:"outlines"`  // of the rows of directories, by segment and bucket: where there is none, proofs take longer
	Bytes     uint64 `json:"bytes"`     // that files and outlines have

	Anew    string `json:"anew,omitempty"`    // why it was begun anew, if it was since the start
	Trouble string `json:"trouble,omitempty"` // why it does not follow; it is tried again
}

// info returns how far the index has come; nil: the ledger keeps none.
func (in *indexer) info() *IndexInfo {
	if in.l.cfg.Search == nil {
		return nil
	}
	info := new(IndexInfo)
	in.say(func() { info.Anew, info.Trouble = in.anew, in.trouble })
	if x := in.view(); x != nil {
		s := x.Stats()
		info.Next, info.Missing, info.Documents, info.Files, info.Bytes = s.Next, s.Missing, s.Documents, s.Files, s.Bytes
		info.Outlines = s.Outlines
	}
	return info
}

// gauges returns what is read of the index when somebody asks.
func (in *indexer) gauges() (all []prometheus.Collector) {
	if in.l.cfg.Search == nil {
		return nil
	}
	for _, g := range []struct {
		name, help string
		value      func(*IndexInfo) float64
	}{
		{"entries", "Entries that the search index has come to.", func(i *IndexInfo) float64 { return float64(i.Next) }},
		{"behind_entries", "Published entries that the search index has not come to.", func(i *IndexInfo) float64 { return float64(in.published() - min(i.Next, in.published())) }},
		{"missing_parts", "Parts of the search index that are to be built again.", func(i *IndexInfo) float64 { return float64(i.Missing) }},
		{"documents", "Events at rest in the search index.", func(i *IndexInfo) float64 { return float64(i.Documents) }},
		{"outlines", "Outlines of directories in the search index, by which proofs are made fast.", func(i *IndexInfo) float64 { return float64(i.Outlines) }},
		{"bytes", "Bytes of the files of the search index.", func(i *IndexInfo) float64 { return float64(i.Bytes) }},
		{"trouble", "1 where the search index does not follow, and is tried again.", func(i *IndexInfo) float64 {
			if i.Trouble != "" {
				return 1
			}
			return 0
		}},
	} {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "cairn", Name: "search_index_" + g.name, Help: g.help}, func() float64 { return g.value(in.info()) }))
	}
	return all
}

// RebuildIndex begins the search index anew, and returns before it has caught
// up: what is not in it yet is not found meanwhile. It is recorded.
func (s *Session) RebuildIndex(ctx context.Context) (*IndexInfo, error) {
	act := s.Act(proofs.ActIndexRebuild)
	act.Object = "search index"
	if err := s.caller.check(); err != nil {
		return nil, err
	}
	if err := s.l.ready(ctx); err != nil {
		return nil, err
	}
	if err := s.Record(ctx, act, s.l.rebuildIndex(ctx)); err != nil {
		return nil, err
	}
	return s.l.indexer.info(), nil
}

func (l *Ledger) rebuildIndex(ctx context.Context) error {
	if l.cfg.Search == nil {
		return client.NewProblem(client.NotNow, "the ledger keeps no search index", "have it keep one, by the table search of cairn.toml, and start it again")
	}
	if err := l.indexer.rebuild(context.WithoutCancel(ctx)); err != nil { // half begun it would be none
		return l.asProblem(err)
	}
	return nil
}
