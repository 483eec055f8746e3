package pseudonym

import (
	"slices"
	"strconv"
)

// Numbers are decimal text, as for RoundCoordinate: a JSON number, or with a leading
// +, at most 64 bytes. Reckoning is on the decimal digits.
const maxNumber = 64

func readNumber(s string) (d decimal, problem string) {
	if len(s) > maxNumber {
		return d, "number is longer than 64 bytes"
	}
	d, ok := parseDecimal(s)
	if !ok {
		return d, "not a decimal number: write digits such as -12.5"
	}
	// What String writes out in zeros is bounded as well.
	if d.point > maxNumber || d.point < -maxNumber {
		return d, "number is too large or too small: 64 digits before and behind the point are possible"
	}
	return d, ""
}

// compare returns -1, 0 or 1. It relies on digits having no zeros at their ends.
func (d decimal) compare(e decimal) int {
	if d.negative != e.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	c := 0
	switch {
	case len(d.digits) == 0 || len(e.digits) == 0: // zero is not negative
		c = min(1, len(d.digits)) - min(1, len(e.digits))
	case d.point != e.point:
		c = 1
		if d.point < e.point {
			c = -1
		}
	default:
		c = slices.Compare(d.digits, e.digits) // a prefix is less, and so is the number
	}
	if d.negative {
		return -c
	}
	return c
}

// scaled returns the number times 10^decimals, rounded down, if it has at most 18
// digits then.
func (d decimal) scaled(decimals int) (n int64, ok bool) {
	cut := d.point + decimals // digits that stay
	if cut > 18 && len(d.digits) > 0 {
		return 0, false
	}
	for i := range max(cut, 0) {
		n *= 10
		if i < len(d.digits) {
			n += int64(d.digits[i] - '0')
		}
	}
	if d.negative {
		n = -n
		if cut < len(d.digits) { // what is cut off is not zero, as digits do not end in one
			n--
		}
	}
	return n, true
}

func unscaled(n int64, decimals int) string {
	d, _ := parseDecimal(strconv.FormatInt(n, 10))
	if len(d.digits) > 0 {
		d.point -= decimals
	}
	return d.String()
}

// Bucket generalises a number to the interval of the given width that it is in. The
// intervals begin at zero and are half-open: with a width of 10, 20 is in [20,30) and
// -0.5 in [-10,0). Number and width are decimal text; the width is more than zero, has
// at most 9 decimals, and the bounds have at most 17 digits when written with as many
// decimals as the width. Equal numbers give equal text.
//
// Whatever cannot be told an interval is refused with an [*OperatorError].
func Bucket(s, width string) (string, Class, error) {
	refuse := func(problem string) (string, Class, error) { return "", Class{}, &OperatorError{"Bucket", problem} }
	w, problem := readNumber(width)
	if problem != "" || w.negative || len(w.digits) == 0 || len(w.digits)-w.point > 9 {
		return refuse("width is not usable: give a decimal number above zero with at most 9 decimals")
	}
	decimals := max(0, len(w.digits)-w.point)
	step, ok := w.scaled(decimals)
	if !ok || step > 1e17 {
		return refuse("width is too large: it has more than 17 digits")
	}
	d, problem := readNumber(s)
	if problem != "" {
		return refuse(problem)
	}
	// Rounding down first changes nothing: the bounds have no more decimals.
	n, ok := d.scaled(decimals)
	if !ok || n < -1e17 || n > 1e17 {
		return refuse("number is too large for this width: it has more than 17 digits")
	}
	low := n / step * step
	if low > n {
		low -= step
	}
	return "[" + unscaled(low, decimals) + "," + unscaled(low+step, decimals) + ")", generalised, nil
}

// Buckets are intervals with edges of the caller's choice. They are immutable and safe
// for concurrent use. Make them with [NewBuckets]; the zero Buckets refuses every number.
type Buckets struct {
	edges []decimal
	names []string // one more
}

// NewBuckets makes intervals of edges that rise: 18, 30, 65 give <18, [18,30), [30,65)
// and >=65. An edge belongs to the interval above it. An error wraps [ErrOption].
func NewBuckets(edges ...string) (*Buckets, error) {
	if len(edges) == 0 {
		return nil, &fault{ErrOption, "no edges: one is the least", nil}
	}
	b := &Buckets{}
	for i, s := range edges {
		d, problem := readNumber(s)
		if problem != "" {
			return nil, &fault{ErrOption, "edge " + strconv.Itoa(i+1) + ": " + problem, nil}
		}
		if i == 0 {
			b.names = append(b.names, "<"+d.String())
		} else {
			if b.edges[i-1].compare(d) >= 0 {
				return nil, &fault{ErrOption, "edge " + strconv.Itoa(i+1) + ": not above the one before: sort them, each once", nil}
			}
			b.names = append(b.names, "["+b.edges[i-1].String()+","+d.String()+")")
		}
		b.edges = append(b.edges, d)
	}
	b.names = append(b.names, ">="+b.edges[len(edges)-1].String())
	return b, nil
}

// Bucket generalises a number, given as decimal text, to the interval that it is in.
// Text that is no number is refused with an [*OperatorError].
func (b *Buckets) Bucket(s string) (string, Class, error) {
	if b == nil || len(b.edges) == 0 {
		return "", Class{}, &OperatorError{"Bucket", "zero Buckets: make them with NewBuckets"}
	}
	d, problem := readNumber(s)
	if problem != "" {
		return "", Class{}, &OperatorError{"Bucket", problem}
	}
	i, _ := slices.BinarySearchFunc(b.edges, d, func(edge, d decimal) int {
		if edge.compare(d) <= 0 {
			return -1
		}
		return 1
	})
	return b.names[i], generalised, nil
}

// TopCode returns a number as it is if it is below limit, and else >= and the limit:
// with 100000, 99999.5 stays and 2500000 becomes >=100000. Both are decimal text; the
// result has no exponent, no zeros that mean nothing, so equal numbers give equal text.
// What stays is in the clear. Text that is no number is refused with an [*OperatorError].
func TopCode(s, limit string) (string, Class, error) { return code("TopCode", ">=", s, limit, 1) }

// BottomCode is like [TopCode] for numbers at the limit and below it, which become <=
// and the limit.
func BottomCode(s, limit string) (string, Class, error) {
	return code("BottomCode", "<=", s, limit, -1)
}

func code(operator, sign, s, limit string, side int) (string, Class, error) {
	l, problem := readNumber(limit)
	if problem != "" {
		return "", Class{}, &OperatorError{operator, "limit: " + problem}
	}
	d, problem := readNumber(s)
	if problem != "" {
		return "", Class{}, &OperatorError{operator, problem}
	}
	if d.compare(l)*side >= 0 {
		return sign + l.String(), generalised, nil
	}
	return d.String(), generalised, nil
}
