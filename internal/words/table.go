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
		h := hash([]byte(w))
		for slots[h&uint32(size-1)] != 0 {
			h++
		}
		slots[h&uint32(size-1)] = uint32(numbers[i] + 1)
	}
	return slots
}
