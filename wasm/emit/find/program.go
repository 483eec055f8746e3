package find

import "unicode/utf8"

// The operations of programs: see [scan.ProgramInst].
const (
	opMatch   = 1
	opRune    = 2
	opAlt     = 3
	opNop     = 4
	opCapture = 5
	opEmpty   = 6
)

// What is fixed while a program runs.
var (
	slots, insts int // insts: the first instruction, as a place in Programs16
	seenStep     int32
	steps        int
	followed     int // threads of the list at hand
)

// run follows the program of a pattern. Without search it is where the longest match
// ends that begins at start and ends at or before limit, or -1, and leaves its groups in
// Groups; with it a place at or after start before which no match begins, as [ahead].
func run(pattern, start, limit int, search bool) int {
	if len(Programs8) == 0 { // a constant in modules, which have nothing of the rest then
		return nowhere(search)
	}
	base := int(ProgramAt[pattern])
	if base < 0 {
		return nowhere(search)
	}
	head := base >> 2
	classes := (base + int(Programs32[head])) >> 1
	kinds := base + int(Programs32[head+1])
	sets, width := base+int(Programs32[head+2]), int(Programs32[head+3])
	insts = (base + int(Programs32[head+4])) >> 1
	first := int(Programs16[base>>1+12])
	slots = 2 * int(Programs16[base>>1+13])
	if search {
		slots = 2
	}
	budget := stepCost * min(int(Deep[pattern]), most)
	steps = 0

	now, later, nowCaps, laterCaps := ThreadsA, ThreadsB, CapsA, CapsB
	count, end, found, i := 0, -1, -1, start
	turn()
	symbol, after := symbolAt(i)
	before, here := kindAt(i), int(Programs8[kinds+int(Programs16[classes+symbol])])
	for {
		if search && found < 0 && i < len(text) || !search && i == start {
			for j := range slots {
				Groups[j] = -1
			}
			Groups[0] = int32(i)
			followed = count
			follow(now, nowCaps, first, i, before, here)
			count = followed
		}
		if count == 0 {
			break
		}
		if search && steps > budget {
			seen = steps/stepCost + 1
			return int(nowCaps[0])
		}
		class := int(Programs16[classes+symbol])
		symbol2, after2 := symbolAt(after)
		there := int(Programs8[kinds+int(Programs16[classes+symbol2])])
		turn()
		followed = 0
		steps += count
		for j := range count {
			pc, caps := int(now[j]), nowCaps[j*slots:j*slots+slots]
			if found >= 0 && int(caps[0]) > found {
				break
			}
			in := insts + 3*pc
			if Programs8[in<<1] == opMatch {
				if search {
					found = int(caps[0])
				} else if i > end {
					end = i
					keep(caps, i)
				}
				continue
			}
			set := int(Programs16[in+2])
			if i < len(text) && Programs8[sets+class*width+set>>3]>>(set&7)&1 == 1 {
				for k := range slots {
					Groups[k] = caps[k]
				}
				follow(later, laterCaps, int(Programs16[in+1]), after, here, there)
			}
		}
		if i >= len(text) || after > limit {
			break
		}
		count = followed
		now, later, nowCaps, laterCaps = later, now, laterCaps, nowCaps
		i, symbol, after, before, here = after, symbol2, after2, here, there
	}
	seen = steps/stepCost + 1
	if search {
		if found < 0 {
			return len(text)
		}
		return found
	}
	if end >= 0 {
		for k := range slots {
			Groups[k] = best[k]
		}
	}
	return end
}

// nowhere is what run says of a pattern without a program.
func nowhere(search bool) int {
	seen = 0
	if search {
		return len(text)
	}
	return -1
}

// best are the groups of the longest match so far.
var best [64]int32

func keep(caps []int32, end int) {
	for k := range slots {
		best[k] = caps[k]
	}
	best[1] = int32(end)
}

// turn makes all instructions unseen.
func turn() {
	if seenStep++; seenStep <= 0 {
		seenStep = 1
		for i := range Seen {
			Seen[i] = 0
		}
	}
}

// follow adds the threads that are reached from pc without taking a character. Groups
// has their groups. Who comes first stays.
func follow(list, caps []int32, pc, at, before, after int) {
	depth := 0
	for {
		steps++
		if Seen[pc] != seenStep {
			Seen[pc] = seenStep
			in := insts + 3*pc
			out, arg := int(Programs16[in+1]), int(Programs16[in+2])
			switch Programs8[in<<1] {
			case opAlt:
				Stack[depth] = int32(arg)
				depth++
				pc = out
				continue
			case opNop:
				pc = out
				continue
			case opEmpty:
				if conditions(before, after)&arg == arg {
					pc = out
					continue
				}
			case opCapture:
				if arg < slots {
					Stack[depth], Stack[depth+1] = Groups[arg], int32(-1-arg)
					depth += 2
					Groups[arg] = int32(at)
				}
				pc = out
				continue
			case opMatch, opRune:
				list[followed] = int32(pc)
				for k := range slots {
					caps[followed*slots+k] = Groups[k]
				}
				followed++
			}
		}
		for depth > 0 && Stack[depth-1] < 0 {
			Groups[-1-int(Stack[depth-1])] = Stack[depth-2]
			depth -= 2
		}
		if depth == 0 {
			return
		}
		depth--
		pc = int(Stack[depth])
	}
}

// conditions are those that hold between characters of two kinds.
func conditions(before, after int) int {
	c := 32
	if (before == 2) != (after == 2) {
		c = 16
	}
	if before == 0 {
		c |= 1 | 4
	}
	if before == 3 {
		c |= 1
	}
	if after == 0 {
		c |= 2 | 8
	}
	if after == 3 {
		c |= 2
	}
	return c
}

// Span is where what is found lies in a match of a pattern.
func Span(pattern, start, end int) (from, to int) {
	kind := SpanKind[pattern]
	if kind == 0 || start >= end {
		return start, end
	}
	e, a, z := int(EdgesAt[pattern]), text[start], text[end-1]
	if kind == 3 || kind == 2 && (has(e+8, a) || has(e+12, z)) {
		if run(pattern, start, end, false) < 0 {
			return start, end
		}
		span := 2 * int(Programs16[int(ProgramAt[pattern])>>1+14])
		if Groups[span] < 0 || Groups[span+1] < 0 {
			return start, end
		}
		return int(Groups[span]), int(Groups[span+1])
	}
	if has(e, a) {
		_, width := utf8.DecodeRuneInString(text[start:end])
		start += width
	}
	if has(e+4, z) {
		_, width := utf8.DecodeLastRuneInString(text[start:end])
		end -= width
	}
	return start, end
}

// has reports whether a set of Edges has a byte.
func has(set int, b byte) bool { return Edges[set+int(b>>6)]>>(b&63)&1 == 1 }

// Captures puts the places of the groups of a match into Groups, two for each, -1 for one
// that took no part. It returns how many they are: none if the pattern has no program or
// does not match there.
func Captures(pattern, start, end int) int {
	if run(pattern, start, end, false) != end {
		return 0
	}
	return slots >> 1
}
