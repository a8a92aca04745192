package main

import (
	"context"
	"errors"

	"github.com/cairnlog/cairn/proofs"
)

// A contextFinder finds the entries that say how the tags of an event were
// made.
type contextFinder struct {
	leaf   proofs.Leaf // of the event
	reader *proofs.Reader

	settings bool            // found
	keys     map[uint16]bool // fields whose keys were found, of those that the settings declare
	fields   []uint16
	found    []uint64
}

// backwards reads leaves from an index down until nothing is missing, or to
// the first. It returns the indices of what it found.
func (c *contextFinder) backwards(ctx context.Context, from uint64) ([]uint64, error) {
	c.keys = make(map[uint16]bool)
	for end := from; end > 0 && !c.complete(); {
		start := (end - 1) / proofs.TileWidth * proofs.TileWidth
		var leaves [][]byte
		for leaf, err := range c.reader.Leaves(ctx, start, end) {
			if errors.Is(err, errPruned) {
				break // nothing that lasts is in it
			}
			if err != nil {
				return nil, err
			}
			leaves = append(leaves, leaf)
		}
		for i := len(leaves) - 1; i >= 0 && !c.complete(); i-- {
			if err := c.take(start+uint64(i), leaves[i]); err != nil {
				return nil, err
			}
		}
		end = start
	}
	return c.found, nil
}

// complete reports whether the settings are known and the keys of all fields
// that they declare. A bucket may be opened after the settings were set or
// before, so both orders occur.
func (c *contextFinder) complete() bool {
	if !c.settings {
		return false
	}
	for _, f := range c.fields {
		if !c.keys[f] {
			return false
		}
	}
	return true
}

func (c *contextFinder) take(index uint64, b []byte) error {
	leaf, err := proofs.ParseLeaf(b)
	if err != nil {
		return err
	}
	switch leaf.Kind {
	case proofs.Settings:
		body, err := proofs.ParseSettings(leaf.Control)
		if err != nil {
			return err
		}
		if c.settings || body.Stream == nil || body.Stream.Stream != c.leaf.Stream {
			return nil
		}
		c.settings = true
		for _, f := range body.Stream.Fields {
			c.fields = append(c.fields, f.Number)
		}
		c.found = append(c.found, index)
	case proofs.BucketOpened:
		body, err := proofs.ParseBucket(leaf.Control)
		if err != nil {
			return err
		}
		if body.Bucket != c.leaf.Bucket {
			return nil
		}
		for _, k := range body.Keys {
			c.keys[k.Field] = true
		}
		c.found = append(c.found, index)
	}
	return nil
}
