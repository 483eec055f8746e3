package run

// MaxMap is how many entries a map of a request may have.
const MaxMap = 4096

var (
	request   string
	requestAt int // in request
	broken    int // why it is refused, or 0
)

// Record classifies the field of a request: see [Field]. A request is six texts, which
// are the field's name, path, type, source, description and value, its tags and its
// context. A text is its length in four bytes, little-endian, and its bytes; a map is the
// number of its entries and a key and a value of each.
func Record(data []byte) int {
	request, requestAt, broken = kept(string(data)), 0, 0
	OutAt, OutLen, OutFlags = 0, 0, 0
	Name, Path, Type = nextText(), nextText(), nextText()
	Source, Description, Value = nextText(), nextText(), nextText()
	declaredKey, markedKey = "", ""
	TagCount = nextMap(&Tags, ReadsTags, true)
	ContextCount = nextMap(&Context, ReadsContext, false)
	if broken == 0 && requestAt != len(request) {
		broken = BadRequest
	}
	if broken != 0 {
		return broken
	}
	return Field()
}

// numberAt is the number that stands in the request at a place where there is one.
func numberAt(at int) int {
	s := request[at : at+4]
	return int(int32(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24))
}

// nextNumber takes a number of things, each of so many bytes at least.
func nextNumber(size int) int {
	if broken == 0 {
		if len(request)-requestAt >= 4 {
			n := numberAt(requestAt)
			requestAt += 4
			if n >= 0 && n <= (len(request)-requestAt)/size {
				return n
			}
		}
		broken = BadRequest
	}
	return 0
}

func nextText() string {
	n := nextNumber(1)
	requestAt += n
	return request[requestAt-n : requestAt]
}

// keyAt is the text at a place where there is one.
func keyAt(at int32) string {
	from := int(at) + 4
	return request[from : from+numberAt(int(at))]
}

// nextMap takes a map, and shows its first entries by their keys if they are wanted. It
// returns how many of them there are.
func nextMap(into *[2 * MaxEntries]string, wanted, declares bool) int {
	n := nextNumber(8)
	if n > MaxMap {
		broken = TooMany
		return 0
	}
	if n == 0 {
		return 0
	}
	if !Room(4 * n) {
		broken = Internal
		return 0
	}
	// Who writes a request from a sorted map need not wait for us to sort.
	sorted := true
	for i := range n {
		Work32[i] = int32(requestAt)
		key, value := nextText(), nextText()
		if broken != 0 {
			return 0
		}
		sorted = sorted && (i == 0 || keyAt(Work32[i-1]) < key)
		if declares && key == "privet.category" {
			declaredKey = value
		}
		if declares && key == "privacy" {
			markedKey = value
		}
	}
	if !sorted {
		sortKeys(n)
	}
	count := 0
	for i := range n {
		key := keyAt(Work32[i])
		if i > 0 && keyAt(Work32[i-1]) == key {
			broken = BadRequest
			return 0
		}
		if (ReadsTags || ReadsContext) && wanted && i < MaxEntries {
			behind := Work32[i] + 4 + int32(len(key))
			count = show(into, count, cut(key, MaxName), cut(keyAt(behind), MaxName))
		}
	}
	for i := range count {
		into[count+i] = into[MaxEntries+i]
	}
	return count
}

// show enters a key and its value, which are MaxEntries apart, among those that are
// there, and returns how many there are then. Keys that were cut may be out of order, or
// equal: the later value counts.
func show(into *[2 * MaxEntries]string, count int, key, value string) int {
	at := count
	for at > 0 && into[at-1] >= key {
		at--
	}
	if at == count || into[at] != key {
		for i := count; i > at; i-- {
			into[i], into[MaxEntries+i] = into[i-1], into[MaxEntries+i-1]
		}
		into[at] = key
		count++
	}
	into[MaxEntries+at] = value
	return count
}

// sortKeys brings the first n places of Work32 into the order of their keys.
func sortKeys(n int) {
	for left, end := n/2, n; end > 1; {
		if left > 0 {
			left--
		} else {
			end--
			Work32[0], Work32[end] = Work32[end], Work32[0]
		}
		// What stands at left sinks into the heap before end.
		for at := left; ; {
			child := 2*at + 1
			if child+1 < end && keyAt(Work32[child]) < keyAt(Work32[child+1]) {
				child++
			}
			if child >= end || keyAt(Work32[at]) >= keyAt(Work32[child]) {
				break
			}
			Work32[at], Work32[child] = Work32[child], Work32[at]
			at = child
		}
	}
}
