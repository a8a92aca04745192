package proofs

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// A SettingsBody is the body of a settings entry: exactly one of class, stream,
// ledger, pruning, minimum and custodians is set.
//
//	struct {
//	    uint8  what;                    /* 1 class, 2 stream, 3 ledger, 4 pruning, 5 minimum, 6 custodians */
//	    uint64 request;
//	    select (what) {
//	        case 1: uint16 class; uint32 days; uint8 period;
//	        case 2: uint32 stream; uint16 class; uint8 closed; uint8 reason; uint8 split; Field fields<0..65370>;
//	        case 3: uint8 custodians; uint32 grace;
//	        case 4: uint32 days;
//	        case 5: uint64 index; opaque controls[32]; CheckpointRef aged; CheckpointRef now;
//	        case 6: uint64 named<0..512>;
//	    };
//	} SettingsBody;
//	struct { uint16 number; uint8 subject; } Field;
//
// The names of the class, of the stream and of its fields are in the payload
// of the entry: [ClassSettings], [StreamSettings], [CustodiansSettings] or
// [LedgerSettings] as JSON; the last of them also where pruning or a minimum is
// set.
type SettingsBody struct {
	// Request is the index of the entry that asked for the change, where two
	// custodians had to want it; 0: none was needed.
	Request uint64

	Class      *ClassBody
	Stream     *StreamBody
	Ledger     *LedgerBody
	Pruning    *PruningBody
	Minimum    *MinimumBody
	Custodians *CustodiansBody
}

// A ClassBody says how long the entries of a retention class are kept. A class
// can be set again: what closes payloads obeys the latest before it, also for
// entries that are older than that.
type ClassBody struct {
	Class  uint16
	Days   uint32 // from the cosigned end of the bucket; 0: for ever
	Period Period // how long one bucket takes entries
}

// A StreamBody says how the entries of a stream are treated from here on.
type StreamBody struct {
	Stream uint32 // from 1; never used again for another stream
	Class  uint16 // the class that entries get when they name no longer one
	Closed bool   // takes no more entries
	Reason bool   // whoever reads its payloads has to say why
	Split  bool   // its events are sealed in parts, by whom they concern: [Extractor.Split]
	Fields []FieldBody
}

// A FieldBody is the clear side of a declared field.
type FieldBody struct {
	Number  uint16 // from 1, rising; never used again for another field of the stream
	Subject bool   // its values name data subjects
}

// A LedgerBody says, from here on, what it takes to close payloads and to
// shorten how long they are kept. Before the first, one custodian can do it.
type LedgerBody struct {
	Custodians uint8  // how many have to want it: 1 or 2
	Grace      uint32 // seconds from the second one's approval until it may be done
}

const (
	settingsOfClass      = 1
	settingsOfStream     = 2
	settingsOfLedger     = 3
	settingsOfPruning    = 4
	settingsOfMinimum    = 5
	settingsOfCustodians = 6
)

// FormatSettings returns the canonical bytes of the body.
func FormatSettings(s SettingsBody) ([]byte, error) {
	var b []byte
	set := 0
	begin := func(what byte) []byte {
		set++
		return appendUint64s([]byte{what}, s.Request)
	}
	if s.Class != nil {
		b = binary.BigEndian.AppendUint16(begin(settingsOfClass), s.Class.Class)
		b = binary.BigEndian.AppendUint32(b, s.Class.Days)
		b = append(b, byte(s.Class.Period))
	}
	if s.Stream != nil {
		if n := len(s.Stream.Fields); n > maxList/fieldBodySize {
			return nil, fmt.Errorf("%w: settings: %d fields are too many", ErrMalformed, n)
		}
		b = appendStreamBody(begin(settingsOfStream), s.Stream)
	}
	if s.Ledger != nil {
		b = binary.BigEndian.AppendUint32(append(begin(settingsOfLedger), s.Ledger.Custodians), s.Ledger.Grace)
	}
	if s.Pruning != nil {
		b = binary.BigEndian.AppendUint32(begin(settingsOfPruning), s.Pruning.Days)
	}
	if s.Minimum != nil {
		b = appendMinimum(begin(settingsOfMinimum), s.Minimum)
	}
	if s.Custodians != nil {
		b = appendVector(begin(settingsOfCustodians), 2, appendUint64s(nil, s.Custodians.Named...))
	}
	if set != 1 {
		return nil, fmt.Errorf("%w: settings: exactly one of class, stream, ledger, pruning, minimum and custodians must be set", ErrMalformed)
	}
	if _, err := ParseSettings(b); err != nil {
		return nil, err
	}
	return b, nil
}

const fieldBodySize = 2 + 1

func appendStreamBody(b []byte, s *StreamBody) []byte {
	b = binary.BigEndian.AppendUint32(b, s.Stream)
	b = binary.BigEndian.AppendUint16(b, s.Class)
	b = append(b, boolByte(s.Closed), boolByte(s.Reason), boolByte(s.Split))
	var fields []byte
	for _, f := range s.Fields {
		fields = binary.BigEndian.AppendUint16(fields, f.Number)
		fields = append(fields, boolByte(f.Subject))
	}
	return appendVector(b, 2, fields)
}

// ParseSettings reads what [FormatSettings] writes and nothing else.
func ParseSettings(b []byte) (SettingsBody, error) {
	d := decoder{format: "settings", rest: b}
	what := d.uint8("what")
	s := SettingsBody{Request: d.uint64("request")}
	switch what {
	case settingsOfClass:
		s.Class = &ClassBody{Class: d.uint16("class"), Days: d.uint32("days"), Period: Period(d.uint8("period"))}
		if d.err == nil && s.Class.Period != Day && s.Class.Period != Month {
			d.fail("period", "neither day nor month")
		}
	case settingsOfStream:
		s.Stream = parseStreamBody(&d)
	case settingsOfLedger:
		s.Ledger = &LedgerBody{Custodians: d.uint8("custodians"), Grace: d.uint32("grace")}
		if d.err == nil && s.Ledger.Custodians != 1 && s.Ledger.Custodians != 2 {
			d.fail("custodians", "neither 1 nor 2")
		}
	case settingsOfPruning:
		s.Pruning = &PruningBody{Days: d.uint32("days")}
	case settingsOfMinimum:
		s.Minimum = d.minimum()
	case settingsOfCustodians:
		s.Custodians = d.custodians()
	default:
		d.fail("what", "neither class nor stream nor ledger nor pruning nor minimum nor custodians")
	}
	return s, d.end()
}

func parseStreamBody(d *decoder) *StreamBody {
	s := &StreamBody{
		Stream: d.uint32("stream"), Class: d.uint16("class"),
		Closed: d.bool("closed"), Reason: d.bool("reason"), Split: d.bool("split"),
	}
	if d.err == nil && s.Stream == 0 {
		d.fail("stream", "0 is the ledger's own")
	}
	f := decoder{format: d.format, rest: d.vector("fields", 2, 0, maxList)}
	var last uint16
	for len(f.rest) > 0 {
		field := FieldBody{Number: f.uint16("field"), Subject: f.bool("subject")}
		if f.err == nil && field.Number <= last {
			f.fail("field", "numbers do not rise from 1")
		}
		last = field.Number
		s.Fields = append(s.Fields, field)
	}
	if d.err == nil {
		d.err = f.err
	}
	return s
}

// SettingsMediaType is the media type of the part that a settings entry
// seals: [ClassSettings], [StreamSettings], [CustodiansSettings] or
// [LedgerSettings] as JSON.
const SettingsMediaType = "application/vnd.cairn.settings+json"

// ClassSettings names a retention class. The rest is in the clear body of the
// entry: [ClassBody].
type ClassSettings struct {
	Name string `json:"name"`
}

// StreamSettings name a stream and its declared fields. With them, the
// payload and the field keys, anybody can compute T again. The rest is in the
// clear body of the entry: [StreamBody].
type StreamSettings struct {
	Name   string  `json:"name"`
	Fields []Field `json:"fields"`
}

// LedgerSettings name nothing: all is in the clear body of the entry,
// [LedgerBody], [PruningBody] or [MinimumBody].
type LedgerSettings struct{}

// Body returns the clear side of the declared fields.
func (s StreamSettings) Body() []FieldBody {
	var fields []FieldBody
	for _, f := range s.Fields {
		fields = append(fields, FieldBody{Number: f.Number, Subject: f.Subject})
	}
	return fields
}

// CheckStreamSettings checks that the names in a settings entry's payload
// belong to its clear body.
func CheckStreamSettings(payload []byte, body StreamBody) (StreamSettings, error) {
	var s StreamSettings
	if err := parseOneForm(payload, &s); err != nil {
		return s, fmt.Errorf("%w: stream settings: %v", ErrMalformed, err)
	}
	if err := ValidateFields(s.Fields); err != nil {
		return s, fmt.Errorf("stream settings: %w", err)
	}
	fields := s.Body()
	if len(fields) != len(body.Fields) {
		return s, fmt.Errorf("%w: stream settings: %d fields are named and %d declared", ErrNotVerified, len(fields), len(body.Fields))
	}
	for i := range fields {
		if fields[i] != body.Fields[i] {
			return s, fmt.Errorf("%w: stream settings: field %d is not the declared one", ErrNotVerified, fields[i].Number)
		}
	}
	return s, nil
}

// ParseClassSettings reads the payload of a class's settings entry.
func ParseClassSettings(payload []byte) (ClassSettings, error) {
	var s ClassSettings
	if err := parseOneForm(payload, &s); err != nil {
		return s, fmt.Errorf("%w: class settings: %v", ErrMalformed, err)
	}
	return s, nil
}

// parseOneForm reads JSON in the one form in which encoding/json
// writes them, so that no two readers can understand them differently.
func parseOneForm(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errors.New("not written in the one form")
	}
	return nil
}
