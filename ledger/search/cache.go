package search

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// A cache holds opened blocks and directories of files up to a number of
// bytes, and lets go of those that were not used for longest.
type cache struct {
	limit int

	mu    sync.Mutex
	used  int
	held  map[cacheKey]*list.Element
	order list.List // of *cached, the last used first
}

type cacheKey struct {
	file   fileName
	number uint32 // of the block
}

type cached struct {
	key   cacheKey
	value any
	cost  int
}

const cachedCost = 200 // bytes that it takes to hold something

func newCache(limit int) *cache {
	return &cache{limit: limit, held: make(map[cacheKey]*list.Element)}
}

func (c *cache) find(key cacheKey) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.held[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).value, true
}

// add holds a value, unless its file is gone.
func (c *cache) add(key cacheKey, value any, cost int, gone *atomic.Bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.held[key]; ok || gone.Load() { // two have read it, or nobody may
		return
	}
	c.held[key] = c.order.PushFront(&cached{key, value, cost + cachedCost})
	c.used += cost + cachedCost
	for c.used > c.limit {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	v := c.order.Remove(e).(*cached)
	delete(c.held, v.key)
	c.used -= v.cost
}

// forget lets go of all that is of a file, which is gone.
func (c *cache) forget(name fileName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.held {
		if key.file == name {
			c.drop(e)
		}
	}
}
