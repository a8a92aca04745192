package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// How long caches may keep a public file.
const (
	cacheForever = "public, max-age=31536000, immutable" // tiles and bundles, full or partial, never change
	cacheSeconds = "public, max-age=2"                   // checkpoints follow each other
)

const (
	textType   = "text/plain; charset=utf-8"
	binaryType = "application/octet-stream"
)

// checkpoint serves the latest published checkpoint (C2SP tlog-tiles).
func (a *API) checkpoint(c *call) error {
	return c.file("checkpoint", textType, cacheSeconds)
}

// keptCheckpoints lists the checkpoints that are kept for auditors, a path in
// each line, in no order. The list is as long as the ledger is old, so clients
// must take it quickly.
func (a *API) keptCheckpoints(c *call) error {
	c.w.rate = listRate
	h := c.w.Header()
	h.Set("Cache-Control", cacheSeconds)
	out := bufio.NewWriterSize(c.w, writePiece)
	for path, err := range a.ledger.KeptCheckpoints(c.Context()) {
		if err != nil {
			return err
		}
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", textType)
		}
		if _, err := out.WriteString(path + "\n"); err != nil || c.Method == http.MethodHead {
			return err
		}
	}
	h.Set("Content-Type", textType)
	return out.Flush()
}

// keptCheckpoint serves a checkpoint that is kept for auditors.
func (a *API) keptCheckpoint(c *call) error {
	return c.file("checkpoints/"+c.PathValue("place"), textType, cacheForever)
}

// tile serves a tile (C2SP tlog-tiles). The ledger parses the path strictly,
// and has no file for any other spelling of it.
func (a *API) tile(c *call) error {
	return c.file("tile/"+c.PathValue("place"), binaryType, cacheForever)
}

// bundle serves an entry bundle.
func (a *API) bundle(c *call) error {
	return c.file("tile/entries/"+c.PathValue("place"), binaryType, cacheForever)
}

// info serves what the log says about itself.
func (a *API) info(c *call) error {
	return c.file("log", "application/json", cacheSeconds)
}

// file answers with a public file.
func (c *call) file(path, mediaType, caching string) error {
	data, err := c.api.ledger.ReadFile(c.Context(), path)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", caching)
	sum := sha256.Sum256(data)
	tag := hex.EncodeToString(sum[:16])
	if strings.HasPrefix(path, "tile/entries/") {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(c.Header.Values("Accept-Encoding")) {
			// Another encoding is another representation (RFC 9110 §8.8.3).
			tag += "-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	if noneMatch(c.Header.Values("If-None-Match"), `"`+tag+`"`) {
		h.Del("Content-Encoding")
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if h.Get("Content-Encoding") == "gzip" {
		if data, err = compress(data); err != nil {
			return err
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(data) // whoever asked is gone: there is nobody to tell
	return nil
}

func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// noneMatch reports whether an If-None-Match names the tag or everything. Its
// comparison is the weak one (RFC 9110 §13.1.2).
func noneMatch(values []string, tag string) bool {
	for item := range listItems(values) {
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding takes gzip (RFC 9110
// §12.5.3): by name, not by "*", and not with a weight of zero.
func acceptsGzip(values []string) bool {
	for item := range listItems(values) {
		coding, weight, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !ok || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// listItems yields the items of a header that is a list, in one line or more.
func listItems(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range values {
			for item := range strings.SplitSeq(v, ",") {
				if item = strings.TrimSpace(item); item != "" && !yield(item) {
					return
				}
			}
		}
	}
}
