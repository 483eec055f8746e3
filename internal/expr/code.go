package expr

// A Code says why an expression has no value. Codes are stable numbers with a
// fixed text each; none ever carries data.
type Code uint8

// The codes. Ordering a NaN is not among them: a comparison with NaN is false.
const (
	OK              Code = iota
	Overflow             // a number, instant or duration left its range
	DivideByZero         // x / 0
	ModulusByZero        // x % 0
	NoSuchKey            // a map has no such key
	IndexOutOfRange      // no such place in a list or string
	BadConversion        // a text, number or bytes that the wanted type cannot hold
	BadArgument          // a function of the environment refused its argument
	TooMuch              // the evaluation used up its budget, see [Budget]
	BadFrame             // the frame's variables or host are not those of the program's environment

	codes // how many there are
)

var codeTexts = [codes]string{
	OK:              "no error",
	Overflow:        "number, time or duration out of range",
	DivideByZero:    "division by zero",
	ModulusByZero:   "modulus by zero",
	NoSuchKey:       "no such key",
	IndexOutOfRange: "index out of range",
	BadConversion:   "value cannot be converted",
	BadArgument:     "function refused its argument",
	TooMuch:         "evaluation used up its budget",
	BadFrame:        "variables do not fit the expression's environment",
}

// String is the code's fixed text.
func (c Code) String() string {
	if c < codes {
		return codeTexts[c]
	}
	return "unknown code"
}

// Error is the code's text with the package's name in front, which makes a Code
// other than [OK] usable as an error.
func (c Code) Error() string { return "expr: " + c.String() }
