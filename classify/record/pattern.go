package record

import (
	"errors"
	"strconv"
	"strings"
)

// ErrPattern is wrapped by the error about a pattern that cannot be read.
var ErrPattern = errors.New("record: not a pattern of paths")

// A pattern is a path in which some steps are open.
type pattern []patternStep

type patternStep struct {
	kind  stepKind
	key   string
	index int
}

type stepKind uint8

const (
	oneKey stepKind = iota
	anyKey
	oneIndex
	anyIndex
	anySteps
)

func parsePatterns(to *[]pattern, texts []string) error {
	for _, text := range texts {
		p, ok := parsePattern(text)
		if !ok {
			return &patternError{text}
		}
		*to = append(*to, p)
	}
	return nil
}

// A patternError quotes the pattern, which its author wrote.
type patternError struct{ text string }

func (e *patternError) Error() string {
	return ErrPattern.Error() + ": " + strconv.Quote(e.text) + `; write keys with dots between, as in user.emails[].address, with * for any key, ** for any steps and ["a.b"] for a key with signs`
}

func (e *patternError) Unwrap() error { return ErrPattern }

func parsePattern(text string) (pattern, bool) {
	var p pattern
	for rest, first := text, true; rest != "" || first; first = false {
		if rest != "" && rest[0] == '[' {
			inside, after, ok := strings.Cut(rest[1:], "]")
			if strings.HasPrefix(inside, `"`) {
				// A quoted key may hold brackets itself.
				quoted, err := strconv.QuotedPrefix(rest[1:])
				if err != nil || !strings.HasPrefix(rest[1+len(quoted):], "]") {
					return nil, false
				}
				key, _ := strconv.Unquote(quoted)
				p = append(p, patternStep{kind: oneKey, key: key})
				rest = rest[2+len(quoted):]
				continue
			}
			if !ok {
				return nil, false
			}
			rest = after
			if inside == "" {
				p = append(p, patternStep{kind: anyIndex})
				continue
			}
			n, err := strconv.Atoi(inside)
			if err != nil || n < 0 || strconv.Itoa(n) != inside {
				return nil, false
			}
			p = append(p, patternStep{kind: oneIndex, index: n})
			continue
		}
		if !first {
			if rest[0] != '.' {
				return nil, false
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		key := rest[:end]
		rest = rest[end:]
		switch {
		case key == "**":
			p = append(p, patternStep{kind: anySteps})
		case key == "*":
			p = append(p, patternStep{kind: anyKey})
		case key == "" || strings.ContainsAny(key, `*]"`):
			return nil, false
		default:
			p = append(p, patternStep{kind: oneKey, key: key})
		}
	}
	return p, len(p) <= MaxDepth
}

// covers reports whether the pattern describes a place on the way or its end.
func (p pattern) covers(steps []step) bool {
	// open are the positions in the pattern that the steps so far can have led to.
	open := make([]bool, len(p)+1)
	open[0] = true
	for {
		for i := range p { // ** may stand for no step
			if open[i] && p[i].kind == anySteps {
				open[i+1] = true
			}
		}
		if open[len(p)] {
			return true
		}
		if len(steps) == 0 {
			return false
		}
		s := steps[0]
		steps = steps[1:]
		next := make([]bool, len(p)+1)
		for i := range p {
			if !open[i] {
				continue
			}
			switch q := &p[i]; q.kind {
			case anySteps:
				next[i] = true
			case oneKey:
				next[i+1] = next[i+1] || s.index < 0 && s.key == q.key
			case anyKey:
				next[i+1] = next[i+1] || s.index < 0
			case oneIndex:
				next[i+1] = next[i+1] || s.index == q.index
			case anyIndex:
				next[i+1] = next[i+1] || s.index >= 0
			}
		}
		open = next
	}
}
