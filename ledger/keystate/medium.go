package keystate

// A Medium is what is known of where a place lies, by what the system says of
// its file system. Nobody can say what a disk does behind it: flash, for one,
// writes elsewhere and keeps the old block until it needs the room.
type Medium struct {
	FileSystem string  `json:"file_system,omitempty"` // such as "ext4"; empty: not known
	Erasing    Erasing `json:"erasing"`

	// Device is the number of what it is mounted from. Two places with one
	// number are lost together. 0: not known.
	Device uint64 `json:"device,omitempty"`
}

// An Erasing says what becomes of a cell that is overwritten and removed.
type Erasing string

// What becomes of an old cell.
const (
	// InPlace: its blocks are overwritten.
	InPlace Erasing = "in-place"

	// InMemory: it is gone, and so is all else when the machine stops.
	InMemory Erasing = "in-memory"

	// CopyOnWrite: its blocks stay until they are used again, and snapshots
	// keep them.
	CopyOnWrite Erasing = "copy-on-write"

	// Remote: another machine knows.
	Remote Erasing = "remote"

	// Unknown: nobody here knows.
	Unknown Erasing = "unknown"
)

// String says what an erased cell leaves behind.
func (m Medium) String() string {
	name := m.FileSystem
	if name == "" {
		name = "file system not known"
	}
	switch m.Erasing {
	case InPlace:
		return name + ": old cells are overwritten in place; flash keeps them until it needs the room"
	case InMemory:
		return name + ": old cells are gone, and everything when the machine stops"
	case CopyOnWrite:
		return name + ": old cells stay on the disk until their room is needed, and in every snapshot"
	case Remote:
		return name + ": what becomes of old cells is up to the server"
	}
	return name + ": it is not known what becomes of old cells"
}

// Vouched says whether the file system overwrites old cells, or forgets them.
func (m Medium) Vouched() bool { return m.Erasing == InPlace || m.Erasing == InMemory }
