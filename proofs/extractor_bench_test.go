package proofs_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// realEvents returns up to max events of a data set in testdata/events.
func realEvents(t testing.TB, name string, max int) [][]byte {
	t.Helper()
	archive := must(zip.OpenReader(filepath.Join("..", "testdata", "events", name)))
	defer archive.Close()
	var events [][]byte
	for _, file := range archive.File {
		lines := bufio.NewScanner(must(file.Open()))
		lines.Buffer(nil, 1<<20)
		for len(events) < max && lines.Scan() {
			events = append(events, bytes.Clone(lines.Bytes()))
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if len(events) == 0 {
		t.Fatalf("%s holds no events", name)
	}
	return events
}

// declare gives fields the numbers 1, 2, …, and the names f1, f2, ….
func declare(t testing.TB, paths ...string) []proofs.Field {
	t.Helper()
	var fields []proofs.Field
	for i, path := range paths {
		fields = append(fields, proofs.Field{
			Number: uint16(i + 1), Name: fmt.Sprintf("f%d", i+1), Path: must(proofs.NormalizePath(path)),
		})
	}
	return fields
}

func cloudTrailFields(t testing.TB) []proofs.Field {
	return declare(t, "@timestamp", "eventName", "eventSource", "userIdentity.arn", "eventID")
}

func windowsFields(t testing.TB) []proofs.Field {
	return declare(t, "@timestamp", "EventID", "Channel", "Hostname", "RecordNumber")
}

func BenchmarkExtract(b *testing.B) {
	small := []byte(`{"@timestamp":"2020-09-14T00:44:23.000Z","eventName":"GetObject","eventSource":"s3.amazonaws.com",` +
		`"eventID":"fd4f1042-c7f6-4107-a6ee-d841d92596e7","userIdentity":{"type":"IAMUser","userName":"pedro",` +
		`"arn":"arn:aws:iam::123456789123:user/pedro","accountId":"123456789123"},"sourceIPAddress":"1.2.3.4",` +
		`"awsRegion":"us-east-1","requestParameters":{"bucketName":"mordors3stack-s3bucket-llp2yingx64a","key":"ring.txt"},` +
		`"additionalEventData":{"bytesTransferredOut":3217,"SSEApplied":"Default_SSE_S3"}}`)
	for _, set := range []struct {
		name   string
		fields []proofs.Field
		events [][]byte
	}{
		{"500-bytes", cloudTrailFields(b), [][]byte{small}},
		{"cloudtrail", cloudTrailFields(b), realEvents(b, "cloudtrail-s3-exfiltration.zip", 103)},
		{"windows", windowsFields(b), realEvents(b, "windows-persistence.zip", 1000)},
	} {
		size := 0
		for _, e := range set.events {
			size += len(e)
		}
		b.Run(set.name, func(b *testing.B) {
			x := must(proofs.NewExtractor(set.fields))
			b.ReportAllocs()
			b.SetBytes(int64(size / len(set.events)))
			for i := 0; b.Loop(); i++ {
				if _, err := x.Extract(set.events[i%len(set.events)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckJSON(b *testing.B) {
	events := realEvents(b, "windows-persistence.zip", 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		event := events[i%len(events)]
		if err := proofs.CheckJSON(event); err != nil {
			b.Fatal(err)
		}
	}
}

// Splitting reads an event a second time. Beside an ordinary event there is one
// made to be slow: a mebibyte of short names in arrays that lie within each
// other, with as many fields as there can be.
//
//	go test -run '^$' -bench Split ./proofs
func BenchmarkSplit(b *testing.B) {
	ordinary := cloudTrailFields(b)
	ordinary[3].Subject = true
	ordinary[4].About = ordinary[3].Name
	var hostile []proofs.Field
	for i := range proofs.MaxFields {
		f := proofs.Field{Number: uint16(i + 1), Name: fmt.Sprintf("f%d", i), Path: "$" + strings.Repeat("[*]", i%32), Subject: i%2 == 0}
		if i%2 == 1 {
			f.About = fmt.Sprintf("f%d", i-1)
		}
		hostile = append(hostile, f)
	}
	deep := strings.Repeat("[", 31) + `"a"` + strings.Repeat("]", 31)
	for _, set := range []struct {
		name   string
		fields []proofs.Field
		event  []byte
	}{
		{"cloudtrail", ordinary, realEvents(b, "cloudtrail-s3-exfiltration.zip", 1)[0]},
		{"hostile", hostile, []byte("[" + strings.Repeat(deep+",", 1<<20/len(deep)) + deep + "]")},
	} {
		b.Run(set.name, func(b *testing.B) {
			x := must(proofs.NewExtractor(set.fields))
			b.ReportAllocs()
			b.SetBytes(int64(len(set.event)))
			for b.Loop() {
				if _, err := x.Split(proofs.Part{Data: set.event}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
