//go:build race

package slogprivacy_test

const raceEnabled = true
