package witness_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// A court hears every answer that a witness gives about one log, and judges
// whether all of them are of one history.
type court struct {
	histories []history

	mu      sync.Mutex
	answers []statement
}

// A statement is what one cosignature says.
type statement struct {
	history int // which of the histories; those before they part are all 0
	size    uint64
	time    uint64
}

func (c *court) hear(h int, size, time uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size <= c.histories[h].parts {
		h = -1
	}
	c.answers = append(c.answers, statement{h, size, time})
}

// judge returns an error if two cosignatures contradict each other: they are
// of two histories, or the later one is of the smaller tree.
func (c *court) judge() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	sorted := slices.SortedFunc(slices.Values(c.answers), func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.time, b.time))
	})
	believed, time := -1, uint64(0)
	for _, a := range sorted {
		if a.history >= 0 && believed >= 0 && a.history != believed {
			return fmt.Errorf("two histories were cosigned: %+v", sorted)
		}
		if a.time < time || a.time == 0 {
			return fmt.Errorf("the larger tree was cosigned at the earlier time: %+v", sorted)
		}
		believed, time = max(believed, a.history), a.time
	}
	return nil
}

// inOrder returns an error unless sizes and times never go back in the order
// in which the answers were heard.
func (c *court) inOrder() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.answers); i++ {
		if before, a := c.answers[i-1], c.answers[i]; a.size < before.size || a.time < before.time {
			return fmt.Errorf("%+v was cosigned after %+v", a, before)
		}
	}
	return nil
}

// timeOf returns the time that all signatures of an answer have.
func timeOf(keys []proofs.Key, answer []byte, text string) (time uint64, err error) {
	signatures, err := proofs.ParseSignatures(answer)
	if err != nil || len(signatures) != len(keys) {
		return 0, fmt.Errorf("%d signatures, %v, want %d", len(signatures), err, len(keys))
	}
	for i, k := range keys {
		at, err := k.CheckSignature(text, signatures[i])
		if err != nil || i > 0 && at != time {
			return 0, fmt.Errorf("signature %d: time %d, %v", i, at, err)
		}
		time = at
	}
	return time, nil
}
