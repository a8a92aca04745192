package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type pruningFields struct {
	Request uint64 `json:"request"`
	Days    uint32 `json:"days"`
}

type minimumFields struct {
	Request  uint64           `json:"request"`
	Index    uint64           `json:"index"`
	Controls hexBytes         `json:"controls"`
	Aged     checkpointFields `json:"aged"`
	Now      checkpointFields `json:"now"`
}

func pruningVectors() []controlVector {
	accept := func(name string, request uint64, p proofs.PruningBody) controlVector {
		b := must(proofs.FormatSettings(proofs.SettingsBody{Request: request, Pruning: &p}))
		return controlVector{name, "settings", b, pruningFields{request, p.Days}, ok()}
	}
	year := accept("a ledger that prunes what has been closed for a year", 0, proofs.PruningBody{Days: 365})
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return append([]controlVector{
		year,
		accept("a ledger that prunes nothing more", 0, proofs.PruningBody{}),
		accept("a ledger of which entry 17 asked that it prune", 17, proofs.PruningBody{Days: 1}),
		refuse("settings of pruning that lack their last byte", year.Body[:len(year.Body)-1], "it is cut off"),
		refuse("settings of pruning with a byte after their end", join(year.Body, []byte{0}), "nothing may follow"),
	}, minimumVectors()...)
}

func minimumVectors() []controlVector {
	m := proofs.MinimumBody{
		Index: 512, Controls: proofs.Hash(secret("controls")),
		Aged: proofs.CheckpointRef{Size: 700, Note: proofs.Hash(secret("aged"))},
		Now:  proofs.CheckpointRef{Size: 900, Note: proofs.Hash(secret("now"))},
	}
	accept := func(name string, m proofs.MinimumBody) controlVector {
		f := minimumFields{0, m.Index, m.Controls[:], checkpointFields{m.Aged.Size, m.Aged.Note[:]}, checkpointFields{m.Now.Size, m.Now.Note[:]}}
		return controlVector{name, "settings", must(proofs.FormatSettings(proofs.SettingsBody{Minimum: &m})), f, ok()}
	}
	some := accept("a minimum index", m)
	least := m
	least.Aged.Size, least.Now = m.Index, proofs.CheckpointRef{Size: m.Index, Note: least.Aged.Note}
	const index, aged, now = 16, 56, 96 // offsets of last bytes
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return []controlVector{
		some,
		accept("a minimum index by checkpoints of just its size", least),
		refuse("a minimum index of 0", changed(some.Body, index-1, 0), "0 needs no announcement"),
		refuse("a minimum index within a bundle", changed(some.Body, index, 1), "it is a multiple of 256"),
		refuse("a minimum index beyond the checkpoint by which it is old enough", changed(some.Body, aged-1, 1), "aged has all entries below it"),
		refuse("a minimum index whose checkpoints are not in their order", changed(some.Body, now-1, 1), "now is not smaller than aged"),
		refuse("a minimum index that lacks its last byte", some.Body[:len(some.Body)-1], "it is cut off"),
		refuse("a minimum index with a byte after its end", join(some.Body, []byte{0}), "nothing may follow"),
	}
}
