// Package wycheproof runs the test vectors of Project Wycheproof on the cryptography
// of privacy/pseudonym: HMAC-SHA256, HKDF-SHA256, AES-CMAC, AES-SIV and FF1. It has
// no code of its own, only a test. It is a module of its own because the vectors are
// a dependency of 100 MB that no user of Privet should fetch.
//
//	go test -count=1 -v .
//
// prints, for each file, how many cases passed of how many ran. What is tested is not
// exported, so the tests themselves are in privacy/pseudonym (reversible_wycheproof_test.go)
// and are skipped there when the vectors are not at hand.
package wycheproof
