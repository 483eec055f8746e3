package gentables

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"go/format"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// longest is the number of digits that a number has at most, with its calling code and
// without what is dialled before it (ITU-T E.164, 6.1). The metadata go beyond, for
// services that can be called within a country only.
const longest = 15

// A plan is the numbering plan of a region.
type plan struct {
	region   string // lower case
	code     int    // the country calling code
	domestic int32  // numbers as they are dialled within the region
	abroad   int32  // what may follow the calling code
}

// plans makes the languages of all regions, sorted by region, and the language of
// what may follow a + when no region is given.
func plans(a *automaton) ([]plan, int32, error) {
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		return nil, 0, fmt.Errorf("gentables: the metadata of phonenumbers: %w", err)
	}
	byRegion := map[string]*phonenumbers.PhoneMetadata{}
	byCode := map[int][]*phonenumbers.PhoneMetadata{}
	for _, m := range collection.GetMetadata() {
		if m.GetId() != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
			byRegion[m.GetId()] = m
		}
		byCode[int(m.GetCountryCode())] = append(byCode[int(m.GetCountryCode())], m)
	}
	var list []plan
	var all []int32
	for code, shared := range sorted(byCode) {
		// The first region of a calling code says how its numbers are taken apart when
		// they are dialled from abroad.
		first := shared[0]
		if m, ok := byRegion[phonenumbers.GetRegionCodeForCountryCode(code)]; ok {
			first = m
		}
		short := a.upTo(longest - len(fmt.Sprint(code)))
		valid := map[string]int32{}
		for _, m := range shared {
			v := significant(a, m)
			valid[m.GetId()] = v
			if m.GetId() != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
				list = append(list, plan{strings.ToLower(m.GetId()), code, stripped(a, m, v), stripped(a, first, a.intersect(v, short))})
			}
		}
		numbers := significant(a, first)
		if len(shared) > 1 {
			numbers = sharedNumbers(a, phonenumbers.GetRegionCodesForCountryCode(code), byRegion, valid)
		}
		all = append(all, a.prefixed(fmt.Sprint(code), stripped(a, first, a.intersect(numbers, short))))
	}
	slices.SortFunc(list, func(x, y plan) int { return cmp.Compare(x.region, y.region) })
	return list, a.union(all...), a.err
}

// sharedNumbers are the numbers of all regions that share a calling code. A number
// belongs to the first region whose leading digits it has, or, where a region has
// none, whose numbers it is among; and that region decides.
func sharedNumbers(a *automaton, order []string, metadata map[string]*phonenumbers.PhoneMetadata, valid map[string]int32) int32 {
	var languages []int32 // of each region: what belongs to it, what it accepts
	for _, region := range order {
		belongs := valid[region]
		if lead := metadata[region].GetLeadingDigits(); lead != "" {
			belongs = a.behind(lead, "", a.upTo(longest+2))
		}
		languages = append(languages, belongs, valid[region])
	}
	return a.combine(func(held []bool) bool {
		for i := 0; i < len(held); i += 2 {
			if held[i] {
				return held[i+1]
			}
		}
		return false
	}, languages...)
}

// significant is the language of the national significant numbers of a region: what
// the description of all numbers and that of one type at least have in common.
func significant(a *automaton, m *phonenumbers.PhoneMetadata) int32 {
	var types []int32
	for _, d := range []*phonenumbers.PhoneNumberDesc{
		m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(),
		m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	} {
		if d.GetNationalNumberPattern() != "" {
			types = append(types, described(a, d))
		}
	}
	return a.intersect(described(a, m.GetGeneralDesc()), a.union(types...))
}

func described(a *automaton, d *phonenumbers.PhoneNumberDesc) int32 {
	language := a.intersect(a.matching(d.GetNationalNumberPattern()), a.upTo(longest))
	if lengths := d.GetPossibleLength(); len(lengths) > 0 { // -1 alone: there are no numbers of the type
		language = a.intersect(language, a.lengths(func(n int) bool { return slices.Contains(lengths, int32(n)) }))
	}
	return language
}

// stripped is language, with or without the trunk prefix of a region in front.
func stripped(a *automaton, m *phonenumbers.PhoneMetadata, language int32) int32 {
	if m.GetNationalPrefixForParsing() == "" {
		return language
	}
	return a.union(language, a.behind(m.GetNationalPrefixForParsing(), m.GetNationalPrefixTransformRule(), language))
}

// The layout of the table, which package detect reads:
//
//	regions   8 bytes each, sorted: two letters, then calling code, domestic, abroad
//	shapes    5 bytes each: for every digit four bits, 0 or which target of the state
//	commons   2 bytes each: the states that are led to most often
//	states
//
// A state begins with its shape: which digits lead to the same target, and which lead
// nowhere. Where the byte is below phoneShapes it is the number of one of the shapes
// above. Otherwise the shape comes right behind, and the byte, less phoneShapes, says
// in its lowest two bits how many bits a digit takes there, less one; the next bit says
// that a number may end in this state. Digits are written from the lowest bit on.
//
// Then come the targets, each once. A byte below phoneCommons is the number of one of the
// common states, phoneCommons itself is the state that stands right behind this one,
// which is only the last target, and what is above begins two bytes of a place in the
// table. Two bytes are always the higher one first.
//
// Why so: a state takes 6.5 bytes on average, where ten places would take twenty. Two
// states of five have a single target, and many lead to one of the few that say only how
// many digits follow, whichever they are.
const (
	phoneShapes  = 248
	phoneCommons = 95 // what is above reaches 40,960 bytes
)

// phoneFiles writes the table and the code that embeds it.
func phoneFiles() ([]File, error) {
	a := newAutomaton()
	list, all, err := plans(a)
	if err != nil {
		return nil, err
	}
	version, err := moduleVersion("github.com/nyaruka/phonenumbers")
	if err != nil {
		return nil, err
	}
	data, start, err := encodePhones(a, list, all)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by internal/gentables from github.com/nyaruka/phonenumbers %s; DO NOT EDIT.\n\npackage detect\n\nimport _ \"embed\" // the table\n\n", version)
	b.WriteString("// phoneTable holds the numbering plans of libphonenumber (Apache License 2.0); phoneFiles in\n// internal/gentables tells the layout.\n//\n//go:embed phone.bin\nvar phoneTable string\n\n")
	fmt.Fprintf(&b, "const (\n\tphoneRegions = %d\n\tphoneShapes = %d\n\tphoneCommons = %d\n\tphoneAnywhere = %d // the state behind a + where no region is given\n)\n", len(list), phoneShapes, phoneCommons, start)
	source, err := format.Source(b.Bytes())
	return []File{{"phone.bin", data}, {"phone_table.go", source}}, err
}

// encodePhones writes the table, and says where in it the state all has its place.
func encodePhones(a *automaton, list []plan, all int32) (data []byte, start int, err error) {
	roots := []int32{all}
	for _, p := range list {
		roots = append(roots, p.domestic, p.abroad)
	}
	uses := map[int32]int{} // how often each state is led to
	a.visit(roots, func(id int32) {
		for _, to := range a.targets(id) {
			uses[to]++
		}
	})
	commons, common := frequent(uses, phoneCommons)

	// Right behind a state goes the rarest one that it leads to and that has no place yet.
	var order []int32
	placed, behind := map[int32]bool{}, map[int32]int32{}
	place := func(id int32) {
		for id != 0 && !placed[id] {
			placed[id] = true
			order = append(order, id)
			next := int32(0)
			for _, to := range a.targets(id) {
				if _, is := common[to]; !is && !placed[to] && (next == 0 || uses[to] < uses[next]) {
					next = to
				}
			}
			behind[id], id = next, next
		}
	}
	a.visit(roots, place)

	// The targets of a state as they are written, the one right behind it last, and
	// for every digit the number of its target from 1 on.
	targets, shapes, counts := map[int32][]int32{}, map[int32]string{}, map[string]int{}
	for _, id := range order {
		list := a.targets(id)
		if next := behind[id]; next != 0 {
			list = append(slices.DeleteFunc(list, func(to int32) bool { return to == next }), next)
		}
		var shape [10]byte
		for digit, to := range a.states[id].next {
			shape[digit] = byte(slices.Index(list, to) + 1)
		}
		targets[id], shapes[id] = list, string(shape[:])
		if !a.states[id].accept {
			counts[string(shape[:])]++
		}
	}
	shapeList, shapeNumber := frequent(counts, phoneShapes)
	if len(shapeList) < phoneShapes || len(commons) < phoneCommons {
		return nil, 0, fmt.Errorf("gentables: %d shapes and %d common states: make phoneShapes and phoneCommons smaller", len(shapeList), len(commons))
	}

	// In the first turn the places of the states are found, in the second they are right.
	at := map[int32]int{}
	for range 2 {
		data = data[:0]
		for _, p := range list {
			data = append(data, p.region...)
			data = binary.BigEndian.AppendUint16(data, uint16(p.code))
			data = binary.BigEndian.AppendUint16(data, uint16(at[p.domestic]))
			data = binary.BigEndian.AppendUint16(data, uint16(at[p.abroad]))
		}
		for _, shape := range shapeList {
			data = appendShape(data, shape, 4)
		}
		for _, id := range commons {
			data = binary.BigEndian.AppendUint16(data, uint16(at[id]))
		}
		for _, id := range order {
			at[id] = len(data)
			if n, ok := shapeNumber[shapes[id]]; ok && !a.states[id].accept {
				data = append(data, byte(n))
			} else {
				width := 1
				for len(targets[id]) >= 1<<width {
					width++
				}
				head := phoneShapes + width - 1
				if a.states[id].accept {
					head += 4
				}
				data = appendShape(append(data, byte(head)), shapes[id], width)
			}
			for _, to := range targets[id] {
				if n, ok := common[to]; ok {
					data = append(data, byte(n))
				} else if to == behind[id] {
					data = append(data, phoneCommons)
				} else {
					data = append(data, byte(phoneCommons+1+at[to]>>8), byte(at[to]))
				}
			}
		}
	}
	if reach := (256 - phoneCommons - 1) << 8; len(data) > reach {
		return nil, 0, fmt.Errorf("gentables: the table of phone numbers has %d bytes, of which %d are reached: make phoneCommons smaller", len(data), reach)
	}
	return data, at[all], nil
}

// appendShape writes the numbers of a shape in so many bits each.
func appendShape(data []byte, shape string, width int) []byte {
	bits := uint64(0)
	for i := range len(shape) {
		bits |= uint64(shape[i]) << (width * i)
	}
	for range (10*width + 7) / 8 {
		data = append(data, byte(bits))
		bits >>= 8
	}
	return data
}

// targets are the states that a state leads to, each once.
func (a *automaton) targets(id int32) (list []int32) {
	for _, to := range a.states[id].next {
		if to != 0 && !slices.Contains(list, to) {
			list = append(list, to)
		}
	}
	return list
}
