package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
)

// entry answers with an entry and its payload.
func (a *API) entry(c *call) error {
	index, err := parseNumber("index", c.PathValue("index"))
	if err != nil {
		return err
	}
	if err := a.enterEntry(c.Context()); err != nil {
		return err
	}
	held := a.most
	defer func() { a.entries.Release(held) }()
	e, err := c.session().Entry(c.Context(), index)
	if err != nil {
		return err
	}
	body, err := formatJSON(e)
	if err != nil {
		return err
	}
	// It was opened. What is left is the answer, for as long as it is taken.
	if n := int64(cap(body)); n < held {
		a.entries.Release(held - n)
		held = n
	}
	// A browser shall save it, never show it: what it holds came from anywhere.
	c.w.Header().Set("Content-Disposition", "attachment")
	return c.answer(http.StatusOK, jsonType, body)
}

// entryWait is how long an entry waits for others to be opened.
const entryWait = time.Second

// enterEntry takes room for opening any entry.
func (a *API) enterEntry(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, entryWait)
	defer cancel()
	if a.entries.Acquire(ctx, a.most) != nil {
		return overloaded()
	}
	return nil
}

// receipt answers with the tlog-proof of an entry.
func (a *API) receipt(c *call) error {
	index, err := parseNumber("index", c.PathValue("index"))
	if err != nil {
		return err
	}
	receipt, err := c.session().Receipt(c.Context(), index)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%d.tlog-proof"`, index))
	return c.answer(http.StatusOK, textType, receipt)
}

// vault answers with the sealed records of a bundle's entries, one after the
// other: in memory there is one. In the place of one that is damaged is a
// notice; where the server cannot read at all the connection is cut.
func (a *API) vault(c *call) error {
	b, err := proofs.ParseBundlePath("tile/entries/" + c.PathValue("place"))
	if err != nil {
		return client.NewProblem(client.NotFound, "there is no such bundle", "")
	}
	h := c.w.Header()
	h.Set("Content-Type", binaryType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", "attachment")
	out := bufio.NewWriterSize(c.w, writePiece)
	var d damage
	defer func() { a.tellDamage(c, d) }()
	index := b.Index * proofs.TileWidth
	for record, err := range c.session().SealedRecords(c.Context(), b) {
		if errors.Is(err, storage.ErrCorrupt) {
			d.add(err)
			record, err = audit.FormatNotice(index), nil
		}
		if err == nil {
			err = audit.WriteRecord(out, record)
		}
		if err != nil || c.Method == http.MethodHead {
			return err
		}
		index++
	}
	return out.Flush()
}

// damage is what one request found damaged.
type damage struct {
	records int
	first   error
}

func (d *damage) add(err error) {
	if d.records++; d.first == nil {
		d.first = err
	}
}

// tellDamage tells the operator, in one line of the log, however much there is.
func (a *API) tellDamage(c *call, d damage) {
	if d.records == 0 {
		return
	}
	a.metrics.damage.Add(float64(d.records))
	a.log.Error("sealed records are damaged", slog.String("request", c.w.id), slog.Int("records", d.records), slog.String("first", d.first.Error()))
}

// inclusion answers with the proof that an entry is in the tree of a
// published size: the last if none is given.
func (a *API) inclusion(c *call) error {
	index, err := c.number("index")
	if err != nil {
		return err
	}
	size, err := c.publishedSize("size")
	if err != nil {
		return err
	}
	proof, err := a.ledger.ProveInclusion(c.Context(), index, size)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Index uint64        `json:"index"`
		Size  uint64        `json:"size"`
		Proof []proofs.Hash `json:"proof"`
	}{index, size, orEmpty(proof)})
}

// consistency answers with the proof that the tree of a published size
// extends that of a smaller one.
func (a *API) consistency(c *call) error {
	from, err := c.number("from")
	if err != nil {
		return err
	}
	to, err := c.publishedSize("to")
	if err != nil {
		return err
	}
	proof, err := a.ledger.ProveConsistency(c.Context(), from, to)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		From  uint64        `json:"from"`
		To    uint64        `json:"to"`
		Proof []proofs.Hash `json:"proof"`
	}{from, to, orEmpty(proof)})
}

// publishedSize reads a parameter that is a size, by default the last that
// was published.
func (c *call) publishedSize(name string) (uint64, error) {
	if !c.query.Has(name) {
		return c.api.ledger.Status().Sizes.Published, nil
	}
	return c.number(name)
}

// orEmpty makes an empty array of what would be null in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
