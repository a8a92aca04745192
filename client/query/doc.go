// Package query is the language in which people search a ledger: the same in
// the commands, over HTTP and wherever else there is a line to write it in.
//
//	actor:alice action:delete outcome:denied after:-24h
//
// [Parse] makes a [Query] of a text and [Query.String] writes its canonical
// form; what is wrong with a text is an [*Error] that shows the place.
// [Words] has the words of a payload, [Compare] and [AppendKey] the order of
// values, and [Match] says what all of it means: whatever answers queries, by
// an index or not, has to find the entries that Match fits. [Prove] tells the
// queries whose answers can be proven to be complete, and [Split] what of others can
// be, so that the rest is left to be judged by Match. The package does not say
// which fields there are, who may see what, or in which order hits come.
//
// # Terms
//
//	word  wor*  "some words"    in the payload, in any case
//	name:value  name:val*       a declared field has the value, or one that begins so
//	name:*                      a declared field has a value
//	name:(a or b)               the same as (name:a or name:b)
//	name<5  <=  >  >=           a declared field has a value in a range
//	name:10.0.0.0/8             a declared field has an address or network within a network
//	$.user.id:value             the same of a path into the payload, as of declared fields
//	after:TIME  before:TIME     the ledger's time: from TIME on, and before TIME
//	index:5  index:5..9  index:5..  index:..9
//	stream:NAME  source:NAME
//	*                           every entry, as the empty query
//
// Terms one after the other all have to fit; "and" may stand between them. Of
// terms with "or" between them one has to fit. "and" binds closer, and there are
// parentheses. "not", or a minus before a term, excludes what fits it.
//
// A value ends at a space, quote or parenthesis. In double quotes it is taken as it
// is, but that "" stands for a quote in it; a backslash is a character like
// others. What is quoted is no operator, network or pattern. A value that looks like
// a range or a network of other languages, such as 4..5 or 10.0.0.0/33, has to be
// quoted: without quotes it is refused.
//
// TIME is a date such as 2026-01-31; a date and a time such as
// 2026-01-31T10:00:00.25+01:00, of which the seconds and the offset may be left
// out; or an age such as -90m, -24h, -1d12h or -2w. Without an offset it is UTC.
//
// # What fits
//
// A field or path stands for all values that the entry has there, each in its
// canonical form (see [proofs.Extractor]). A term on it fits if any of them
// does: none, if there is no value. A negation fits whatever what it negates does not:
// -outcome:denied also what has no outcome.
//
//   - name:value compares bytes: "5" is the number 5, and the string. So are
//     searches that can be proven complete; see the tags in package proofs. A
//     number is written in its canonical form: 5, and neither 5.0 nor 05.
//   - name:val* compares the first bytes.
//   - Ranges compare numbers, addresses and times as such, and else bytes, as
//     [Compare] does. A value of another class than the one in the query
//     does not fit.
//   - A word fits if the payload has it among its [Words], and several, in
//     quotes or joined by what is in no word, as in alice@example.com, if one
//     value of the payload has them one after the other. With a * the last one only
//     begins so. Of a word, the first [MaxWord] bytes count.
package query
