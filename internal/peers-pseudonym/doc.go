// Package peerspseudonym measures package pseudonym beside what else a program could
// use: crypto/hmac alone, the PRF and the deterministic encryption of Tink. It holds a
// test and benchmarks only, in a module of its own, so that nobody who uses Privet
// inherits the peers.
//
// Every row works on the same 32 bytes, or on the same 16 digits. What a row includes
// is not the same, and that is part of the answer:
//
//   - Floor is crypto/hmac with a state that was made before and a buffer that is
//     there already: 32 bytes come out, of no scope, not typed, not text.
//   - Tink's rows are of keyset handles, as its documentation has a program use them:
//     raw bytes come out. Associated data stand for a scope in its AES-SIV.
//   - Token and Seal make the value canonical, refuse what is a token already, and
//     write text with its version.
//   - FF1 has no peer here: no Go module of it is kept up. Its floor is the twelve
//     blocks of AES that 16 digits cannot do without.
//
// Compare rows of one run only, on a machine that does nothing else:
//
//	go test -run '^$' -bench . -cpu 1,2 -count 10 .
package peerspseudonym
