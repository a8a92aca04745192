package proofs

import "sync"

// A cache keeps what was used last, in two generations: when the young one
// is full it becomes the old one, and what the old one held is forgotten
// unless it was used meanwhile. It holds at most twice the limit, and it is
// safe for concurrent use.
type cache[K comparable, V any] struct {
	limit int // of a generation's cost

	mu         sync.RWMutex // guards all below
	cost       int          // of young
	young, old map[K]cached[V]
}

type cached[V any] struct {
	value V
	cost  int
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{limit: limit, young: map[K]cached[V]{}}
}

func (c *cache[K, V]) load(key K) (value V, ok bool) {
	c.mu.RLock()
	e, ok := c.young[key]
	c.mu.RUnlock()
	if ok {
		return e.value, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok = c.old[key]; ok {
		c.insert(key, e)
	}
	return e.value, ok
}

// store keeps a value. One that alone costs more than the limit is not kept.
func (c *cache[K, V]) store(key K, value V, cost int) {
	if cost > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(key, cached[V]{value, cost})
}

// drop forgets a value.
func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cost -= c.young[key].cost
	delete(c.young, key)
	delete(c.old, key)
}

func (c *cache[K, V]) insert(key K, e cached[V]) {
	if was, ok := c.young[key]; ok {
		c.cost -= was.cost
	}
	if c.cost+e.cost > c.limit {
		c.old, c.young, c.cost = c.young, map[K]cached[V]{}, 0
	}
	c.young[key] = e
	c.cost += e.cost
}
