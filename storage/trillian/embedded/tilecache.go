package embedded

import (
	"container/list"
	"sync"
)

// pyramidBytes is the memory of a pyramid over a full tile.
const pyramidBytes = 2 * runSize * hashSize

// tileID names a tile of a tree.
type tileID struct {
	tree  int64
	level uint8
	tile  uint64
}

// tileCache keeps the pyramids that were used last. Integrated nodes never
// change, so a cached pyramid is always right; it may be narrower than the
// tile has become.
type tileCache struct {
	limit int

	mu    sync.Mutex
	byID  map[tileID]*list.Element // guarded by mu; values are cachedTile
	order list.List                // guarded by mu; last used first
}

type cachedTile struct {
	id      tileID
	pyramid *pyramid
}

func newTileCache(limit int) *tileCache {
	return &tileCache{limit: limit, byID: make(map[tileID]*list.Element)}
}

func (c *tileCache) get(id tileID) *pyramid {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byID[id]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(cachedTile).pyramid
}

func (c *tileCache) put(id tileID, p *pyramid) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[id]; e != nil {
		e.Value = cachedTile{id, p}
		c.order.MoveToFront(e)
		return
	}
	c.byID[id] = c.order.PushFront(cachedTile{id, p})
	if c.order.Len() > c.limit {
		last := c.order.Remove(c.order.Back()).(cachedTile)
		delete(c.byID, last.id)
	}
}
