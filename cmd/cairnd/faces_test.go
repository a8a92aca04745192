package main

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/ledger/httpapi"
)

func TestFacesAreWhereTheConfigurationSays(t *testing.T) {
	const main, other, third = "10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"
	for name, c := range map[string]struct {
		listen Listen
		want   []addressed
	}{
		"all at one address": {Listen{Address: main}, []addressed{{main, httpapi.Every, false}}},
		"all apart": {Listen{Address: main, Write: other, Read: third, Admin: "10.0.0.1:4", Public: "10.0.0.1:5", Metrics: "10.0.0.1:6"}, []addressed{
			{other, httpapi.Write, false}, {third, httpapi.Read, false}, {"10.0.0.1:4", httpapi.Admin, false},
			{"10.0.0.1:5", httpapi.Public, false}, {"10.0.0.1:6", httpapi.Health, false},
		}},
		"two at one other address": {Listen{Address: main, Write: other, Read: other}, []addressed{
			{main, httpapi.Admin | httpapi.Public | httpapi.Health, false}, {other, httpapi.Write | httpapi.Read, false},
		}},
		"one at the main address by name": {Listen{Address: main, Write: main}, []addressed{{main, httpapi.Every, false}}},
		"reading off":                     {Listen{Address: main, Read: off}, []addressed{{main, httpapi.Every &^ httpapi.Read, false}}},
		"all off but writing":             {Listen{Address: main, Read: off, Admin: off, Public: off, Metrics: off}, []addressed{{main, httpapi.Write, false}}},
		"all off":                         {Listen{Address: main, Write: off, Read: off, Admin: off, Public: off, Metrics: off}, nil},
		"certificates for writing": {Listen{Address: main, Write: other, RequireClientCertificate: []string{"write"}}, []addressed{
			{main, httpapi.Every &^ httpapi.Write, false}, {other, httpapi.Write, true},
		}},
		"certificates where others are served too": {Listen{Address: main, RequireClientCertificate: []string{"read"}}, []addressed{{main, httpapi.Every, true}}},
		"certificates for what is off":             {Listen{Address: main, Read: off, RequireClientCertificate: []string{"read"}}, []addressed{{main, httpapi.Every &^ httpapi.Read, false}}},
	} {
		if got := c.listen.addresses(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
