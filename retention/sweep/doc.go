// Package sweep asks for many records at once which of them should or must go.
//
// Start with [Sweep], which takes an iterator of records and gives an iterator of
// findings, in constant memory; [Lines] reads records from JSON lines. Nothing here
// deletes anything, and nothing reads a clock.
//
// # Records as JSON lines
//
// One object a line, at most 1 MiB:
//
//	{"id":"p1_1_…","categories":["user.contact"],"class":"service.required",
//	 "region":"eu","purpose":"billing","tenant":"contoso",
//	 "events":{"created":"2026-01-01T00:00:00Z"},"withdrawn":{},
//	 "holds":[{"id":"case-1","authority":"order 1/26","scope":"user","placed":"…","released":"…","effect":"suspend"}],
//	 "erasure":{"id":"request-7","source":"case 7","at":"…","scope":"user"},
//	 "copies":["primary","backup"],"removed":{"cache":"2026-02-01T00:00:00Z"},
//	 "attr":{"free_trial":false}}
//
// Only id is required; instants are RFC 3339; values of attr are texts, numbers and
// booleans. A key that is not listed is an error: a rule might have depended on it.
package sweep
