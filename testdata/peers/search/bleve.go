package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// blevePeer is bleve with its index scorch: fields are keywords (numbers are
// numbers too, for ranges), the text is words with their positions.
func blevePeer() Peer {
	return Peer{
		Name: "bleve",
		What: "bleve v2.6.3: scorch, fields as keywords (numbers also as numbers), text with positions, nothing stored, safe batches, merged to one segment",
		Open: openBleve,
	}
}

const messageField, timeField = "message", "time"

type bleveIndex struct {
	index bleve.Index
	path  string
	next  uint64
}

func openBleve(dir string, declared []searchtest.Declaration) (Index, error) {
	m, err := bleveMapping(declared)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "index.bleve")
	index, err := bleve.NewUsing(path, m, scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, err
	}
	return &bleveIndex{index: index, path: path}, nil
}

func bleveMapping(declared []searchtest.Declaration) (mapping.IndexMapping, error) {
	m := bleve.NewIndexMapping()
	err := m.AddCustomAnalyzer("words", map[string]any{
		"type": custom.Name, "tokenizer": unicode.Name, "token_filters": []string{lowercase.Name},
	})
	if err != nil {
		return nil, err
	}
	number := bleve.NewNumericFieldMapping()
	number.Store, number.IncludeInAll = false, false
	keyword := bleve.NewKeywordFieldMapping()
	keyword.Store, keyword.IncludeInAll, keyword.IncludeTermVectors, keyword.SkipFreqNorm = false, false, false, true
	words := bleve.NewTextFieldMapping()
	words.Analyzer, words.Store, words.IncludeInAll, words.DocValues = "words", false, false, false
	document := bleve.NewDocumentStaticMapping()
	document.AddFieldMappingsAt(messageField, words)
	document.AddFieldMappingsAt(timeField, number)
	for _, d := range declared {
		document.AddFieldMappingsAt(d.Name, keyword)
		if d.Kind == searchtest.Number {
			document.AddFieldMappingsAt(asNumber(d.Name), number)
		}
	}
	m.DefaultMapping = document
	return m, nil
}

// asNumber is the name of a number's second field.
func asNumber(name string) string { return name + "_number" }

func (x *bleveIndex) Add(documents []searchtest.Document) error {
	batch := x.index.NewBatch()
	for _, d := range documents {
		fields := map[string]any{messageField: d.Text, timeField: float64(d.Time)}
		for _, f := range d.Fields {
			fields[f.Name] = f.Value
			if f.Kind == searchtest.Number {
				fields[asNumber(f.Name)] = f.Number
			}
		}
		if err := batch.Index(fmt.Sprintf("%08x", x.next), fields); err != nil {
			return err
		}
		x.next++
	}
	return x.index.Batch(batch)
}

func (x *bleveIndex) Settle() error {
	advanced, err := x.index.Advanced()
	if err != nil {
		return err
	}
	s, ok := advanced.(*scorch.Scorch)
	if !ok {
		return errors.New("bleve's index is not scorch")
	}
	return s.ForceMerge(context.Background(), nil)
}

func (x *bleveIndex) Query(q Query) ([]uint64, error) {
	request := bleve.NewSearchRequestOptions(conditions(q), 0, 0, false)
	request.Score = "none"
	switch q.Kind {
	case Newest, Words, Prefix:
		request.Size = newest
		request.SortBy([]string{"-_id"}) // as by time, and several times as fast
	case Facet:
		request.AddFacet("", bleve.NewFacetRequest(q.Facet, top))
	case Histogram:
		request.AddFacet("", timeFacet(q.Span))
	}
	result, err := x.index.Search(request)
	if err != nil {
		return nil, err
	}
	return bleveAnswer(q, result)
}

// conditions is a query's conditions in bleve's terms.
func conditions(q Query) query.Query {
	if q.Prefix != "" {
		p := bleve.NewPrefixQuery(q.Prefix)
		p.SetField(messageField)
		return p
	}
	var all []query.Query
	term := func(value, field string) {
		t := bleve.NewTermQuery(value)
		t.SetField(field)
		all = append(all, t)
	}
	for _, f := range q.Where {
		term(f.Value, f.Name)
	}
	for _, w := range q.Words {
		term(w, messageField)
	}
	if len(all) == 1 {
		return all[0]
	}
	return bleve.NewConjunctionQuery(all...)
}

// timeFacet counts by time; the ranges are named by the bins' numbers.
func timeFacet(s Span) *bleve.FacetRequest {
	facet := bleve.NewFacetRequest(timeField, bins)
	for i := range bins {
		low, high := float64(s.Start+uint64(i)*s.Width), float64(s.Start+uint64(i+1)*s.Width)
		facet.AddNumericRange(strconv.Itoa(i), &low, &high)
	}
	return facet
}

func bleveAnswer(q Query, r *bleve.SearchResult) ([]uint64, error) {
	var all []uint64
	switch q.Kind {
	case Count:
		return []uint64{r.Total}, nil
	case Facet:
		for _, t := range r.Facets[""].Terms.Terms() {
			all = append(all, uint64(t.Count))
		}
		return all, nil
	case Histogram:
		all = make([]uint64, bins)
		for _, n := range r.Facets[""].NumericRanges {
			i, err := strconv.Atoi(n.Name)
			if err != nil {
				return nil, err
			}
			all[i] = uint64(n.Count)
		}
		return all, nil
	}
	for _, h := range r.Hits {
		number, err := strconv.ParseUint(h.ID, 16, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, number)
	}
	return all, nil
}

func (x *bleveIndex) Size() (int64, error) { return sizeOf(x.path) }

func (x *bleveIndex) Close() error { return x.index.Close() }
