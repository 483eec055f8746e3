package math

import "math"

// What the compiler makes instructions of.
var (
	Abs             = math.Abs
	Float64bits     = math.Float64bits
	Float64frombits = math.Float64frombits
)
