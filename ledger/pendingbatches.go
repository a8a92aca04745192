package ledger

import (
	"slices"
	"sync"
)

// pendingBatches are the batches that are in the journal and not yet in tree
// and vault. They are read from here until then.
type pendingBatches struct {
	mu      sync.RWMutex
	batches []*batch // in order
}

func (p *pendingBatches) add(b *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batches = append(p.batches, b)
}

// remove forgets the batches below an index: they can be read elsewhere now.
func (p *pendingBatches) remove(below uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.batches) && p.batches[n].end() <= below {
		n++
	}
	p.batches = slices.Delete(p.batches, 0, n) // which keeps nothing of them
}

// entry returns an entry of a pending batch.
func (p *pendingBatches) entry(index uint64) (batchEntry, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, b := range p.batches {
		if index >= b.first && index < b.end() {
			return b.entries[index-b.first], true
		}
	}
	return batchEntry{}, false
}
