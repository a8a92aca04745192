package witness_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// specLogList is the example of witness-network.org, with keys that exist.
const specLogList = `#
# List:      10qps-100klogs
# Revision:  123
# Generated: YYYY-MM-DD HH:MM:SS UTC
# Other undefined debug information.
#
logs/v0

# 1st list item -- foo's log
vkey sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8
qpd 86400
contact https://tlog.foo.org/contact

# 2nd list item -- bar's log
  vkey keyserver.geomys.org+16b31509+ARLJ+pmTj78HzTeBj04V+LVfB+GFAQyrg54CRIju7Nn8
  origin something-not-equal-to-vkey-keyname
  qpd 24
  contact sysadmin (at) bar.org
`

func TestParseLogListOfTheSpecification(t *testing.T) {
	logs, err := witness.ParseLogList([]byte(specLogList))
	must(t, err)
	if len(logs) != 2 {
		t.Fatalf("%d logs, want 2", len(logs))
	}
	if l := logs[0]; l.Origin != "sum.golang.org" || l.Key.Name() != l.Origin || l.QPD != 86400 || l.Contact != "https://tlog.foo.org/contact" {
		t.Errorf("the first log is %+v", l)
	}
	if l := logs[1]; l.Origin != "something-not-equal-to-vkey-keyname" || l.Key.Name() != "keyserver.geomys.org" || l.QPD != 24 || l.Contact != "sysadmin (at) bar.org" {
		t.Errorf("the second log is %+v", l)
	}
}

func TestParseLogListTakes(t *testing.T) {
	quantum := key(t, "q", proofs.MLDSA44).Key().String()
	item := "vkey sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8\nqpd 1\ncontact c\n"
	for name, c := range map[string]struct {
		list string
		logs int
	}{
		"a list of no logs":                {"logs/v0\n", 0},
		"a last line without its newline":  {"logs/v0", 0},
		"lines that end in CRLF":           {"logs/v0\r\n" + strings.ReplaceAll(item, "\n", "\r\n"), 1},
		"comments between the lines":       {"# c\nlogs/v0\n" + strings.ReplaceAll(item, "qpd", "  # c\n\nqpd"), 1},
		"an origin that is the key's name": {"logs/v0\n" + strings.Replace(item, "qpd", "origin sum.golang.org\nqpd", 1), 1},
		"several keys of one origin":       {"logs/v0\n" + item + "vkey " + quantum + "\norigin sum.golang.org\nqpd 1\ncontact c\n", 2},
	} {
		if logs, err := witness.ParseLogList([]byte(c.list)); err != nil || len(logs) != c.logs {
			t.Errorf("%s: %d logs, %v, want %d", name, len(logs), err, c.logs)
		}
	}
}

func TestParseLogListRefuses(t *testing.T) {
	const vkey = "vkey sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8\n"
	cosigner := key(t, "w", proofs.Ed25519Cosignature).Key().String()
	for name, c := range map[string]struct{ list, line string }{
		"nothing":                             {"", "log list"},
		"no header":                           {vkey + "qpd 1\ncontact c\n", "line 1"},
		"a header of another version":         {"logs/v1\n", "line 1"},
		"a second header":                     {"logs/v0\nlogs/v0\n", "line 2"},
		"a word alone":                        {"logs/v0\nvkey\n", "line 2"},
		"an unknown keyword":                  {"logs/v0\n" + vkey + "qpd 1\ncolour red\ncontact c\n", "line 4"},
		"a keyword in upper case":             {"logs/v0\nVKEY x\n", "line 2"},
		"a log that does not begin with vkey": {"logs/v0\nqpd 1\n", "line 2"},
		"an origin after qpd":                 {"logs/v0\n" + vkey + "qpd 1\norigin o\ncontact c\n", "line 4"},
		"no qpd":                              {"logs/v0\n" + vkey + "contact c\n", "line 3"},
		"no contact":                          {"logs/v0\n" + vkey + "qpd 1\n" + vkey, "line 4"},
		"no contact at the end":               {"logs/v0\n" + vkey + "qpd 1\n", "log list"},
		"no more than a vkey at the end":      {"logs/v0\n" + vkey, "log list"},
		"a qpd of 0":                          {"logs/v0\n" + vkey + "qpd 0\ncontact c\n", "line 3"},
		"a qpd of 2^31":                       {"logs/v0\n" + vkey + "qpd 2147483648\ncontact c\n", "line 3"},
		"a qpd with a leading zero":           {"logs/v0\n" + vkey + "qpd 01\ncontact c\n", "line 3"},
		"a fractional qpd":                    {"logs/v0\n" + vkey + "qpd 1.5\ncontact c\n", "line 3"},
		"a vkey with a wrong ID":              {"logs/v0\n" + strings.Replace(vkey, "033de0ae", "033de0af", 1), "line 2"},
		"the key of a witness":                {"logs/v0\nvkey " + cosigner + "\n", "line 2"},
		"an origin of 256 bytes":              {"logs/v0\n" + vkey + "origin " + strings.Repeat("o", 256) + "\n", "line 3"},
		"a control character":                 {"logs/v0\n" + vkey + "origin a\x1b[2Jb\n", "line 3"},
		"two spaces after a keyword":          {"logs/v0\n" + vkey + "origin  o\n", "line 3"},
		"bytes that are not UTF-8":            {"logs/v0\n" + vkey + "origin a\xff\n", "line 3"},
	} {
		_, err := witness.ParseLogList([]byte(c.list))
		if !errors.Is(err, proofs.ErrMalformed) || !strings.Contains(err.Error(), c.line) {
			t.Errorf("%s: error %v, want one that it is malformed at %q", name, err, c.line)
		}
	}
}

func TestFormatLogListRefuses(t *testing.T) {
	good := trust(key(t, "a", proofs.Ed25519))[0]
	for name, change := range map[string]func(*witness.Log){
		"no contact":             func(l *witness.Log) { l.Contact = "" },
		"a contact of two lines": func(l *witness.Log) { l.Contact = "a\nvkey " + l.Key.String() + "\nqpd 1\ncontact x" },
		"white space around it":  func(l *witness.Log) { l.Contact = "x " },
		"no requests a day":      func(l *witness.Log) { l.QPD = 0 },
		"no key":                 func(l *witness.Log) { l.Key = proofs.Key{} },
		"no origin":              func(l *witness.Log) { l.Origin = "" },
	} {
		bad := good
		change(&bad)
		if b, err := witness.FormatLogList([]witness.Log{good, bad}); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %q, %v, want an error that it is malformed", name, b, err)
		}
	}
}

func FuzzParseLogList(f *testing.F) {
	f.Add([]byte(specLogList))
	f.Add([]byte("logs/v0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		logs, err := witness.ParseLogList(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("error %v is not one of malformed input", err)
			}
			return
		}
		canonical, err := witness.FormatLogList(logs)
		must(t, err)
		again, err := witness.ParseLogList(canonical)
		if err != nil || !slices.Equal(again, logs) {
			t.Errorf("formatted and parsed again: %+v, %v, was %+v", again, err, logs)
		}
	})
}
