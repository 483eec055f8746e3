package consent

import (
	"strings"
	"time"
)

// A place is an ISO 3166-1 code of two letters, such as DE, or an ISO 3166-2 code
// below it, such as US-CA, in capitals.

// validPlace reports whether s is spelled as a place.
func validPlace(s string) bool {
	country, part, cut := strings.Cut(s, "-")
	if len(country) != 2 || cut && (part == "" || len(part) > 3) {
		return false
	}
	for i := 0; i < len(country); i++ {
		if country[i] < 'A' || country[i] > 'Z' {
			return false
		}
	}
	for i := 0; i < len(part); i++ {
		if c := part[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// placeAbove returns the country of a part of it, "" for a country.
func placeAbove(s string) string {
	if i := strings.IndexByte(s, '-'); i >= 0 {
		return s[:i]
	}
	return ""
}

// dated finds the row in force at an instant among rows sorted by their beginning,
// -1 for none, and the instant at which that changes.
func dated[T any](rows []T, from func(*T) time.Time, at time.Time) (int, time.Time) {
	in := -1
	for i := range rows {
		if start := from(&rows[i]); start.After(at) {
			return in, start
		}
		in = i
	}
	return in, time.Time{}
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
