package proofs

import "testing"

func TestCacheKeepsWhatIsUsed(t *testing.T) {
	c := newCache[int, int](10)
	for i := range 100 {
		c.store(i, i, 1)
		if v, ok := c.load(0); !ok || v != 0 {
			t.Fatalf("after %d: what is used all the time is forgotten", i)
		}
		if n := len(c.young) + len(c.old); n > 2*c.limit {
			t.Fatalf("after %d: %d values are kept, more than %d", i, n, 2*c.limit)
		}
	}
	if _, ok := c.load(50); ok {
		t.Error("what was not used for long is still there")
	}
	if v, ok := c.load(99); !ok || v != 99 {
		t.Error("what was stored last is not there")
	}
}

func TestCacheCountsCosts(t *testing.T) {
	c := newCache[int, string](10)
	c.store(1, "too large", 11)
	if _, ok := c.load(1); ok {
		t.Error("a value larger than the limit is kept")
	}
	for range 100 {
		c.store(2, "again", 10) // the same value does not add up
	}
	c.store(3, "other", 10)
	for key := range 2 {
		if _, ok := c.load(key + 2); !ok {
			t.Errorf("%d is not there", key+2)
		}
	}
	if n := len(c.young) + len(c.old); n > 3 {
		t.Errorf("%d values are kept", n)
	}
	c.drop(2)
	c.drop(3)
	c.drop(4)
	if n := len(c.young) + len(c.old); n != 0 || c.cost != 0 {
		t.Errorf("%d values that cost %d are kept after all were dropped", n, c.cost)
	}
}
