package searchtest

// A Document is an event with what an index is to know of it. It belongs to
// whoever got it.
type Document struct {
	Time   uint64  // µs since 1970, later than that of the document before
	JSON   []byte  // the event: one object on one line, without a line end
	Fields []Field // declared fields that the event has, in the order of their declarations
	Text   string  // the words of the event for people, as it has them
}

// A Field is a declared field's value in a document.
type Field struct {
	Name   string
	Kind   Kind
	Value  string  // of a number: its shortest decimal form
	Number float64 // of a number; else 0
}

// A Kind is what a field's values are, and so how they compare.
type Kind uint8

const (
	String Kind = 1
	Number Kind = 2
)

// A Declaration says where a field is in events.
type Declaration struct {
	Name string // as streams name fields: of a-z 0-9 _
	Path string // of a member of the event: "$.actor"
	Kind Kind
}
