package run

var (
	request   string
	requestAt int // in request
	broken    int // why it is refused, or 0
)

// Record classifies the field of a request: see [Field]. A request is six texts, which
// are the field's name, path, type, source, description and value, its tags and its
// context. A text is its length in four bytes, little-endian, and its bytes; a map is the
// number of its entries and a key and a value of each, the keys in ascending order of their
// bytes.
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
		declaredKey, markedKey = "", "" // the next call may have no tags
		return broken
	}
	return Field()
}

// nextNumber takes a number of things, each of so many bytes at least.
func nextNumber(size int) int {
	if broken == 0 {
		if len(request)-requestAt >= 4 {
			s := request[requestAt : requestAt+4]
			n := int(int32(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24))
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

// nextMap takes a map, and shows its first entries if they are wanted. It returns how
// many of them there are.
func nextMap(into *[2 * MaxEntries]string, wanted, declares bool) int {
	n, count, last := nextNumber(8), 0, ""
	for i := range n {
		key, value := nextText(), nextText()
		if i > 0 && key <= last {
			broken = BadRequest
		}
		if broken != 0 {
			return 0
		}
		last = key
		if declares && key == "privet.category" {
			declaredKey = value
		}
		if declares && key == "privacy" {
			markedKey = value
		}
		if (ReadsTags || ReadsContext) && wanted && i < MaxEntries {
			count = show(into, count, cut(key, MaxName), cut(value, MaxName))
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
