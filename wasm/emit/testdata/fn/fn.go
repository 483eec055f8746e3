// Package fn has functions that stand for those of an environment.
package fn

import "unicode/utf8"

func hasAny(a, b []string) (bool, int) {
	for i := range a {
		for j := range b {
			if a[i] == b[j] {
				return true, 0
			}
		}
	}
	return false, 0
}

func initial(s string) (string, int) {
	if s == "" {
		return "", 7
	}
	_, n := utf8.DecodeRuneInString(s)
	return s[:n], 0
}

func weigh(s string, list []int64) (int64, int) { return int64(len(s)*100 + len(list)), 0 }

func first(list []int64) (float64, int) {
	if len(list) == 0 {
		return 0, 7
	}
	return float64(list[0]), 0
}

func later(n int64, b bool) (bool, int) { return b && n > 2, 0 }
