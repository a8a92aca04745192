package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// VaultRecords yields the sealed record of each of a bundle's entries, in their
// order: empty where the ledger holds none, and a notice ([audit.ParseNotice])
// in the place of one that it holds damaged. It needs an auditor's token.
// Nothing is checked but that each has at most [audit.MaxRecord] bytes; a record
// is valid until the next. The error is the last and matches fs.ErrNotExist where
// the ledger has no such bundle, but not where its address serves no bundles. What a broken connection left out is asked for
// again.
func (h *HTTP) VaultRecords(ctx context.Context, b proofs.Bundle) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		place := strings.TrimPrefix(b.Path(), "tile/entries/")
		v := &vaultFile{h: h, request: get("/v1/vault/"+place, nil, "*/*", 0), width: b.Width}
		err := h.persist(ctx, v.request, func() (onward bool, err error) {
			before := v.done
			err = v.read(ctx, yield)
			return v.done > before, err
		})
		if err == nil {
			return
		}
		var p *Problem
		if !errors.As(err, &p) || p.Code() != NoSuchPath {
			err = notExist(v.request, err)
		}
		yield(nil, err)
	}
}

// A vaultFile is the records of a bundle while they are read.
type vaultFile struct {
	h       *HTTP
	request *request
	width   int // records that it has
	done    int // those that were yielded
}

// read yields the records that were not yet yielded, over one connection. It
// returns nil when there are no more or the caller wants none.
func (v *vaultFile) read(ctx context.Context, yield func([]byte, error) bool) error {
	res, err := v.h.send(ctx, v.request)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	records := audit.NewRecordReader(cutBody{res.Body})
	for i := range v.width {
		record, err := records.Next()
		if err != nil {
			return err
		}
		if i < v.done {
			continue
		}
		v.done++
		if !yield(record, nil) {
			return nil
		}
	}
	return records.End()
}

var errBodyCut = errors.New("the server's answer was cut off")

// A cutBody is a body that tells the end of the connection from its own: a
// server that breaks off has not sent a file that is too short.
type cutBody struct{ io.Reader }

func (c cutBody) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errBodyCut
	}
	return n, err
}
