package local

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/storage/disk"
)

// A KeyStateInfo is what the files of a key state say, without any key.
type KeyStateInfo struct {
	Epoch  uint64      `json:"epoch"` // the latest of any place
	Places []PlaceInfo `json:"places"`
	Escrow *PlaceInfo  `json:"escrow,omitempty"`

	// Destroys says whether keys can be destroyed, so that what is erased or
	// expires is closed.
	Destroys bool `json:"destroys"`

	// Warnings say what is not as it should be.
	Warnings []string `json:"warnings"`
}

// A PlaceInfo is what is known of one directory of the key state.
type PlaceInfo struct {
	Path     string          `json:"path"`
	Epoch    *uint64         `json:"epoch,omitempty"`    // nil: it holds none
	Wrapping string          `json:"wrapping,omitempty"` // what closes it; empty: nothing does
	Medium   keystate.Medium `json:"medium"`
	Trouble  string          `json:"trouble,omitempty"` // why it cannot be read
}

// InspectKeyState looks at the key state of the ledger of a configuration whose
// file is in dir, also while a server has it open.
func InspectKeyState(dir string, c Config) KeyStateInfo {
	k := c.resolve(dir).KeyState
	info := KeyStateInfo{Destroys: len(k.Places) > 1 || k.EscrowPlace != "", Warnings: []string{}}
	for _, path := range k.Places {
		p := inspect(path, func(p keystate.Place) (keystate.Holding, bool, error) { return p.Holding() })
		if p.Epoch != nil {
			info.Epoch = max(info.Epoch, *p.Epoch)
		}
		info.Places = append(info.Places, p)
	}
	if k.EscrowPlace != "" {
		p := inspect(k.EscrowPlace, func(p keystate.Place) (h keystate.Holding, ok bool, err error) {
			h.Epoch, ok, err = p.EscrowEpoch()
			return h, ok, err
		})
		p.Wrapping = "age"
		info.Escrow = &p
	}
	info.warn()
	return info
}

func inspect(path string, holding func(keystate.Place) (keystate.Holding, bool, error)) PlaceInfo {
	info := PlaceInfo{Path: path}
	var err error
	info.Medium, err = keystate.MediumOf(path)
	var dir *disk.OS
	if err == nil {
		dir, err = disk.OpenOS(path)
	}
	if err == nil {
		defer dir.Close()
		var h keystate.Holding
		var ok bool
		if h, ok, err = holding(keystate.Place{Name: path, FS: dir}); ok {
			info.Epoch, info.Wrapping = &h.Epoch, h.Wrapping
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info.Trouble = "it is not there"
	case err != nil:
		info.Trouble = err.Error()
	case info.Epoch == nil:
		info.Trouble = "it is empty"
	}
	return info
}

// warn adds the warnings.
func (i *KeyStateInfo) warn() {
	say := func(format string, args ...any) { i.Warnings = append(i.Warnings, fmt.Sprintf(format, args...)) }
	if !i.Destroys {
		say("nothing can be erased and nothing expires: the key state has one place only, and could be lost with its disk")
	}
	all := i.Places
	if i.Escrow != nil {
		all = append(all[:len(all):len(all)], *i.Escrow)
	}
	lasting := 0
	for n, p := range all {
		switch {
		case p.Trouble != "":
			say("%s: %s", p.Path, p.Trouble)
			continue
		case *p.Epoch != i.Epoch:
			say("%s: it has epoch %d, and not %d", p.Path, *p.Epoch, i.Epoch)
		case !p.Medium.Vouched():
			say("%s: on %s", p.Path, p.Medium)
		}
		if p.Medium.Erasing != keystate.InMemory {
			lasting++
		}
		for _, other := range all[:n] {
			if other.Medium.Device != 0 && other.Medium.Device == p.Medium.Device {
				say("%s and %s are on one file system, and can be lost together", other.Path, p.Path)
				break
			}
		}
	}
	if lasting == 0 {
		say("every copy of the key state is gone when the machine stops, and with it every payload")
	}
}

// Well reports whether keys can be destroyed and every place and the escrow has
// the latest epoch.
func (i KeyStateInfo) Well() bool {
	well := i.Destroys && (i.Escrow == nil || i.Escrow.has(i.Epoch))
	for _, p := range i.Places {
		well = well && p.has(i.Epoch)
	}
	return well
}

func (p PlaceInfo) has(epoch uint64) bool { return p.Trouble == "" && *p.Epoch == epoch }

// String says in a few words where the key state lies.
func (i KeyStateInfo) String() string {
	text := fmt.Sprintf("epoch %d, in %d places", i.Epoch, len(i.Places))
	if len(i.Places) == 1 {
		text = fmt.Sprintf("epoch %d, in one place", i.Epoch)
	}
	if i.Escrow != nil {
		text += " and an escrow"
	}
	return text
}

// String says what is known of the place.
func (p PlaceInfo) String() string {
	if p.Trouble != "" {
		return p.Trouble
	}
	closed := "in clear"
	if p.Wrapping != "" {
		closed = "closed by " + p.Wrapping
	}
	return fmt.Sprintf("epoch %d, %s, on %s", *p.Epoch, closed, p.Medium)
}
