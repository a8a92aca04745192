package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// Bounds of answers in bytes.
const (
	maxEntryAnswer = maxServerEvent
	maxReceipt     = 1 << 20
	maxSmallFile   = 1 << 20 // checkpoints and tiles
	maxCall        = 16 << 20
)

const textType = "text/plain"

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// get makes a request that only reads.
func get(path string, query url.Values, accept string, limit int64) *request {
	return &request{
		method: http.MethodGet, path: path, query: query, again: true, limit: limit,
		header: http.Header{"Accept": {accept + ", " + problemType}},
	}
}

// Entry implements [Log].
func (h *HTTP) Entry(ctx context.Context, index uint64) (*Entry, error) {
	var e Entry
	if err := h.json(ctx, get("/v1/entries/"+decimal(index), nil, jsonType, maxEntryAnswer), &e); err != nil {
		return nil, err
	}
	if e.Index != index {
		return nil, fmt.Errorf("entry %d: the server gives entry %d", index, e.Index)
	}
	return &e, nil
}

// Receipt implements [Log].
func (h *HTTP) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	a, err := h.do(ctx, get("/v1/receipts/"+decimal(index), nil, textType, maxReceipt))
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// ReadFile implements [Log]. It needs no token.
func (h *HTTP) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if !isPublicFile(path) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	limit := int64(maxSmallFile)
	if strings.HasPrefix(path, "tile/entries/") {
		limit = proofs.MaxBundleSize
	}
	return h.file(ctx, get("/"+path, nil, "*/*", limit))
}

// isPublicFile reports whether a path may be of the public face: what else is
// at the same address is none of its files.
func isPublicFile(path string) bool {
	dir, place, ok := strings.Cut(path, "/")
	if !ok {
		return path == "checkpoint" || path == "log"
	}
	const canonical = "abcdefghijklmnopqrstuvwxyz0123456789/."
	return (dir == "checkpoints" || dir == "tile") && fs.ValidPath(path) && strings.Trim(place, canonical) == ""
}

// file reads a file, and says of one that is not there that it does not exist.
func (h *HTTP) file(ctx context.Context, r *request) ([]byte, error) {
	a, err := h.do(ctx, r)
	if err != nil {
		return nil, notExist(r, err)
	}
	return a.body, nil
}

// notExist returns what the error of a request for a file says of the file.
func notExist(r *request, err error) error {
	var problem *Problem
	var status *statusError
	if errors.As(err, &problem) && problem.Status == http.StatusNotFound || errors.As(err, &status) && status.status == http.StatusNotFound {
		return fmt.Errorf("%s: %w", r.path, fs.ErrNotExist)
	}
	return err
}

// ProveInclusion returns the proof that the entry at an index is in the tree
// of a published size. It is not checked: see [proofs.CheckInclusion].
func (h *HTTP) ProveInclusion(ctx context.Context, index, size uint64) ([]proofs.Hash, error) {
	return h.proof(ctx, "inclusion", url.Values{"index": {decimal(index)}, "size": {decimal(size)}})
}

// ProveConsistency returns the proof that the tree of a published size
// extends that of a smaller one. It is not checked: see
// [proofs.CheckConsistency].
func (h *HTTP) ProveConsistency(ctx context.Context, from, to uint64) ([]proofs.Hash, error) {
	return h.proof(ctx, "consistency", url.Values{"from": {decimal(from)}, "to": {decimal(to)}})
}

func (h *HTTP) proof(ctx context.Context, kind string, query url.Values) ([]proofs.Hash, error) {
	var answer struct {
		Proof []proofs.Hash `json:"proof"`
	}
	err := h.json(ctx, get("/v1/proofs/"+kind, query, jsonType, maxSmallFile), &answer)
	return answer.Proof, err
}

// KeptCheckpoints yields the paths of the checkpoints that the ledger keeps
// for auditors, in no order, to be read with ReadFile.
func (h *HTTP) KeptCheckpoints(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		res, err := h.send(ctx, get("/checkpoints", nil, textType, 0))
		if err != nil {
			yield("", fmt.Errorf("kept checkpoints: %w", err))
			return
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body) // which bounds a line
		for lines.Scan() {
			place, ok := strings.CutPrefix(lines.Text(), "checkpoints/")
			if _, err := proofs.ParseIndexPath(place); !ok || err != nil {
				yield("", fmt.Errorf("kept checkpoints: %q is not the path of one", lines.Text()))
				return
			}
			if !yield(lines.Text(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("kept checkpoints: %w", err))
		}
	}
}

const jsonType = "application/json"

// Call makes a request for what [Log] does not have: method and path, with its
// query, as in cairn-http(7), in as the JSON of the body if it is not nil, the
// answer's JSON into out if it is not nil. Only a GET is sent again.
func (h *HTTP) Call(ctx context.Context, method, path string, in, out any) error {
	path, rawQuery, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	r := &request{method: method, path: path, query: query, again: method == http.MethodGet, limit: maxCall, header: http.Header{}}
	r.header.Set("Accept", jsonType+", "+problemType)
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		r.body = body
		r.header.Set("Content-Type", jsonType)
	}
	return h.json(ctx, r, out)
}

func (h *HTTP) json(ctx context.Context, r *request, out any) error {
	a, err := h.do(ctx, r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%s %s: the server's answer: %w", r.method, r.path, err)
	}
	return nil
}
