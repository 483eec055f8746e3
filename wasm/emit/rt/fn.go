package rt

// BadArgument is the code of functions that refuse their argument.
const BadArgument = 7

// HasAll reports whether every wanted text is in a list.
func HasAll(list, wanted []string) bool {
	for i := range wanted {
		if !contains(list, wanted[i]) {
			return false
		}
	}
	return true
}

// HasAny reports whether any wanted text is in a list.
func HasAny(list, wanted []string) bool {
	for i := range wanted {
		if contains(list, wanted[i]) {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for i := range list {
		if list[i] == s {
			return true
		}
	}
	return false
}

// digitsOnly reports whether there is nothing but digits in a text.
func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// letter36 is 0 to 35 for a digit or a letter of either case, and -1 otherwise.
func letter36(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c) - '0'
	case c >= 'A' && c <= 'Z':
		return int(c) - 'A' + 10
	case c >= 'a' && c <= 'z':
		return int(c) - 'a' + 10
	}
	return -1
}

// Wsum is the sum of each digit times its weight.
func Wsum(s string, weights []int64) (int64, int) {
	if len(weights) != len(s) || !digitsOnly(s) {
		return 0, BadArgument
	}
	var sum int64
	for i := range len(s) {
		w := weights[i]
		if w > 1<<32 || w < -1<<32 {
			return 0, Overflow
		}
		sum += w * int64(s[i]-'0')
	}
	return sum, OK
}

// Xsum is the sum of the digits of each digit times its weight.
func Xsum(s string, weights []int64) (int64, int) {
	if len(weights) != len(s) || s == "" || !digitsOnly(s) {
		return 0, BadArgument
	}
	var sum int64
	for i := range len(s) {
		w := weights[i]
		if w < 0 || w > 1<<32 {
			return 0, Overflow
		}
		for n := w * int64(s[i]-'0'); n > 0; n /= 10 {
			sum += n % 10
		}
	}
	return sum, OK
}

// Tsum is the sum of what a table says of each character, times its weight.
func Tsum(s string, table, weights []int64) (int64, int) {
	if len(table) != 36 || len(weights) != len(s) {
		return 0, BadArgument
	}
	var sum int64
	for i := range len(s) {
		v := letter36(s[i])
		if v < 0 {
			return 0, BadArgument
		}
		t, w := table[v], weights[i]
		if t > 1<<24 || t < -1<<24 || w > 1<<24 || w < -1<<24 {
			return 0, Overflow
		}
		sum += t * w
	}
	return sum, OK
}

// Rem is a decimal number modulo n.
func Rem(s string, n int64) (int64, int) {
	if s == "" || !digitsOnly(s) || n <= 0 || n > 1<<32 {
		return 0, BadArgument
	}
	var rest int64
	for i := range len(s) {
		rest = (rest*10 + int64(s[i]-'0')) % n
	}
	return rest, OK
}

// Value36 is 0 to 35 for a digit or a capital letter.
func Value36(s string) (int64, int) {
	if len(s) != 1 || s[0] >= 'a' && s[0] <= 'z' || letter36(s[0]) < 0 {
		return 0, BadArgument
	}
	return int64(letter36(s[0])), OK
}

// Digits is the digits of a text.
func Digits(s string) []byte {
	out := Room(len(s))
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' && n < len(out) {
			out[n] = s[i]
			n++
		}
	}
	return out[:n]
}

// Ordinals is digits as they are, and letters as 01 to 26.
func Ordinals(s string) []byte { return spell(s, 1) }

// Numeric is digits as they are, and letters as 10 to 35.
func Numeric(s string) []byte { return spell(s, 10) }

func spell(s string, first int) []byte {
	out := Room(2 * len(s))
	if len(out) < 2*len(s) {
		return out
	}
	n := 0
	for i := range len(s) {
		switch v := letter36(s[i]); {
		case v < 0:
		case v < 10:
			out[n] = s[i]
			n++
		default:
			n = two(out, n, v-10+first)
		}
	}
	return out[:n]
}

// Under reports whether a dotted key is ancestor itself or lies below it.
func Under(key, ancestor string) bool {
	return len(key) >= len(ancestor) && key[:len(ancestor)] == ancestor && (len(key) == len(ancestor) || key[len(ancestor)] == '.')
}

// word is the text of a number: offsets are where the texts begin in the pool, and where
// the last ends.
func word(id uint16, offsets []uint32, pool string) string {
	i := int(id)
	if i+1 >= len(offsets) {
		return ""
	}
	from, to := int(offsets[i]), int(offsets[i+1])
	if from < 0 || from > to || to > len(pool) {
		return ""
	}
	return pool[from:to]
}

// HasWords is hasAll or hasAny with a list of constants, which are numbers of words and
// have length bytes.
func HasWords(list []string, ids []uint16, offsets []uint32, pool string, length, cost int, all bool) bool {
	PayArg(len(list), Length(list))
	PayArg(len(ids), length)
	if PayCall(cost) {
		return false
	}
	for i := range ids {
		if contains(list, word(ids[i], offsets, pool)) != all {
			return !all
		}
	}
	return all
}

// SameWords compares a list with a list of constants.
func SameWords(list []string, ids []uint16, offsets []uint32, pool string) bool {
	if len(list) != len(ids) {
		return false
	}
	for i := range ids {
		if i >= len(list) || Broke(1) || !Equal(list[i], word(ids[i], offsets, pool)) {
			return false
		}
	}
	return true
}
