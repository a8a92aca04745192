package searchtest

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

const maxEvent = 1 << 20 // bytes of a Windows event

// DeclaredWindows returns the declarations of the fields that somebody who
// looks for an intrusion would ask the Windows events for.
func DeclaredWindows() []Declaration {
	return []Declaration{
		{"event_id", "$.EventID", Number},
		{"channel", "$.Channel", String},
		{"host", "$.Hostname", String},
		{"provider", "$.SourceName", String},
		{"record", "$.RecordNumber", Number},
		{"event_type", "$.EventType", String},
		{"category", "$.Category", String},
		{"severity", "$.Severity", String},
		{"account", "$.AccountName", String},
		{"subject_user", "$.SubjectUserName", String},
		{"target_user", "$.TargetUserName", String},
		{"image", "$.Image", String},
		{"process", "$.ProcessName", String},
		{"process_id", "$.ProcessId", String},
		{"process_guid", "$.ProcessGuid", String},
		{"target_object", "$.TargetObject", String},
		{"source_address", "$.SourceAddress", String},
	}
}

// Windows reads the events of testdata/events/windows-persistence.zip, which is
// at path, in the order in which they were collected. A document's time is its
// "@timestamp", or 1 µs after the document before where that is not earlier;
// its text is its "Message", which some events lack. The sequence ends with the
// first error.
func Windows(path string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		archive, err := zip.OpenReader(path)
		if err != nil {
			yield(Document{}, err)
			return
		}
		defer archive.Close()
		if len(archive.File) != 1 {
			yield(Document{}, fmt.Errorf("%s has %d files, not one", path, len(archive.File)))
			return
		}
		file, err := archive.File[0].Open()
		if err != nil {
			yield(Document{}, err)
			return
		}
		defer file.Close()
		readWindows(file, yield)
	}
}

// readWindows yields the document of each line.
func readWindows(lines io.Reader, yield func(Document, error) bool) {
	declared := DeclaredWindows()
	s := bufio.NewScanner(lines)
	s.Buffer(nil, maxEvent)
	var last uint64
	for number := 1; s.Scan(); number++ {
		d, err := readWindowsEvent(declared, bytes.Clone(s.Bytes()))
		if err != nil {
			yield(Document{}, fmt.Errorf("line %d: %w", number, err))
			return
		}
		d.Time = max(d.Time, last+1)
		last = d.Time
		if !yield(d, nil) {
			return
		}
	}
	if err := s.Err(); err != nil {
		yield(Document{}, err)
	}
}

// readWindowsEvent makes the document of an event, which it keeps.
func readWindowsEvent(declared []Declaration, event []byte) (Document, error) {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(event))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return Document{}, err
	}
	d := Document{JSON: event}
	d.Text, _ = members["Message"].(string)
	timestamp, _ := members["@timestamp"].(string)
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return Document{}, err
	}
	d.Time = uint64(at.UnixMicro())
	for _, field := range declared {
		value, ok := members[field.Path[len("$."):]]
		if !ok {
			continue
		}
		f, err := field.of(value)
		if err != nil {
			return Document{}, err
		}
		d.Fields = append(d.Fields, f)
	}
	return d, nil
}

// of returns a declared field's value.
func (d Declaration) of(value any) (Field, error) {
	f := Field{Name: d.Name, Kind: d.Kind}
	switch value := value.(type) {
	case string:
		f.Value = value
		if d.Kind == String {
			return f, nil
		}
	case json.Number:
		number, err := value.Float64()
		if err != nil {
			return Field{}, err
		}
		f.Value, f.Number = strconv.FormatFloat(number, 'f', -1, 64), number
		if d.Kind == Number {
			return f, nil
		}
	}
	return Field{}, errors.New(d.Path + " is not of its kind")
}
