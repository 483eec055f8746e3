package words

// Slots makes the slots of a table of different words, so that [Find] finds the numbers
// that belong to them.
func Slots(words []string, numbers []int) []uint32 {
	size := 4
	for size*3 < len(words)*4 {
		size *= 2
	}
	slots := make([]uint32, size)
	for i, w := range words {
		h := Hash([]byte(w))
		for slots[h&uint32(size-1)] != 0 {
			h++
		}
		slots[h&uint32(size-1)] = uint32(numbers[i] + 1)
	}
	return slots
}

// Bits makes the bits that tell most other words from these; see [Maybe].
func Bits(words []string) []uint32 {
	n := 1
	for 8*n < len(words) {
		n *= 2
	}
	bits := make([]uint32, n)
	for _, w := range words {
		h := Hash([]byte(w)) & uint32(32*n-1)
		bits[h>>5] |= 1 << (h & 31)
	}
	return bits
}
