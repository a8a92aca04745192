package ledger

import "container/list"

// A recent keeps at hand what was used last. Its zero value is empty. Whoever
// uses it has a lock.
type recent[K comparable, V any] struct {
	held   map[K]*list.Element
	order  list.List // of recentValue, the last used first
	weight int       // of all
	uses   uint64    // so far
}

type recentValue[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

// find returns what is kept under a key.
func (r *recent[K, V]) find(key K) (v V, ok bool) {
	e, ok := r.held[key]
	if !ok {
		return v, false
	}
	r.uses++
	r.order.MoveToFront(e)
	return e.Value.(recentValue[K, V]).value, true
}

// keep keeps something, unless something is there, in the place of what was not
// used for the longest time: at most this weight in all, or it alone.
func (r *recent[K, V]) keep(key K, v V, weight, most int) {
	if r.held == nil {
		r.held = make(map[K]*list.Element)
	}
	if r.held[key] != nil {
		return
	}
	r.held[key] = r.order.PushFront(recentValue[K, V]{key, v, weight})
	r.weight += weight
	for r.weight > most && r.order.Len() > 1 {
		oldest := r.order.Remove(r.order.Back()).(recentValue[K, V])
		delete(r.held, oldest.key)
		r.weight -= oldest.weight
	}
}

// clear lets go of all.
func (r *recent[K, V]) clear() { *r = recent[K, V]{uses: r.uses} }
