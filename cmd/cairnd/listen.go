package main

import (
	"slices"
	"strings"

	"github.com/cairnlog/cairn/ledger/httpapi"
)

// off in the place of an address switches a face off.
const off = "off"

// A face is one face of the server with the address that the configuration
// gives it; empty: the main one.
type face struct {
	name, address string
	face          httpapi.Face
}

// faces returns all faces, with the names of their settings.
func (l Listen) faces() []face {
	return []face{
		{"write", l.Write, httpapi.Write}, {"read", l.Read, httpapi.Read}, {"admin", l.Admin, httpapi.Admin},
		{"public", l.Public, httpapi.Public}, {"metrics", l.Metrics, httpapi.Health},
	}
}

// An addressed is an address with the faces that are served there.
type addressed struct {
	address  string
	faces    httpapi.Face
	required bool // a client certificate
}

// addresses returns what is served where, the main address first. An address
// that serves nothing is left out.
func (l Listen) addresses() []addressed {
	all := []addressed{{address: l.Address}}
	for _, f := range l.faces() {
		if f.address == off {
			continue
		}
		if f.address == "" {
			f.address = l.Address
		}
		i := slices.IndexFunc(all, func(a addressed) bool { return a.address == f.address })
		if i < 0 {
			i = len(all)
			all = append(all, addressed{address: f.address})
		}
		all[i].faces |= f.face
		all[i].required = all[i].required || slices.Contains(l.RequireClientCertificate, f.name)
	}
	for i, a := range all {
		if a.faces&(httpapi.Write|httpapi.Read) != 0 && l.Public != off {
			all[i].faces |= httpapi.Public // by which the answers are checked
		}
	}
	return slices.DeleteFunc(all, func(a addressed) bool { return a.faces == 0 })
}

// asksWho reports whether somebody at the address is asked who it is.
func (a addressed) asksWho() bool { return a.faces&(httpapi.Write|httpapi.Read|httpapi.Admin) != 0 }

// names returns the names of the faces at the address.
func (a addressed) names() string {
	var names []string
	for _, f := range (Listen{}).faces() {
		if a.faces&f.face != 0 {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " ")
}
