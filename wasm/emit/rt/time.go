package rt

import "math"

// The instants that exist: from year 1 to the end of year 9999.
const (
	minSec = -62135596800
	maxSec = 253402300799
	second = 1_000_000_000

	yearZero = 719528 // days from year 0 to 1970
)

// Later adds a duration to an instant.
func Later(sec int64, nano, zone int, by int64) (int64, int, int, int) {
	at, code := Add(sec, by/second)
	n := int64(nano) + by%second
	switch {
	case n < 0:
		n += second
		at--
	case n >= second:
		n -= second
		at++
	}
	if code != OK || at < minSec || at > maxSec {
		return 0, 0, 0, Overflow
	}
	return at, int(n), zone, OK
}

// Earlier takes a duration from an instant.
func Earlier(sec int64, nano, zone int, by int64) (int64, int, int, int) {
	if by == math.MinInt64 {
		return 0, 0, 0, Overflow
	}
	return Later(sec, nano, zone, -by)
}

// Between is the duration from instant b to instant a.
func Between(sec int64, nano, zone int, sec2 int64, nano2, zone2 int) (int64, int) {
	n, code := Sub(sec, sec2)
	if code != OK {
		return 0, code
	}
	if n, code = Mul(n, second); code != OK {
		return 0, code
	}
	return Add(n, int64(nano)-int64(nano2))
}

// CompareTime is below, equal to or above 0 as instant a is to instant b.
func CompareTime(sec int64, nano, zone int, sec2 int64, nano2, zone2 int) int {
	switch {
	case sec < sec2 || sec == sec2 && nano < nano2:
		return -1
	case sec > sec2 || nano > nano2:
		return 1
	}
	return 0
}

// IntToTime is an instant of seconds since 1970.
func IntToTime(sec int64) (int64, int, int, int) {
	if sec < minSec || sec > maxSec {
		return 0, 0, 0, Overflow
	}
	return sec, 0, 0, OK
}

// days is how many days lie between 1970 and a day of the calendar.
func days(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // so that no division is of a negative number
	return 365*year + year/4 - year/100 + year/400 + (153*month-457)/5 + day - 719469 - 146097
}

var monthDays = [...]uint8{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func number(s string) int {
	n := 0
	for i := range len(s) {
		d := int(s[i]) - '0'
		if d < 0 || d > 9 {
			return -1
		}
		n = n*10 + d
	}
	return n
}

// TextToTime reads an instant as RFC 3339 writes it.
func TextToTime(s string) (int64, int, int, int) {
	Pay(32 + len(s)>>4)
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, 0, 0, BadConversion
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	hour, minute, sec := number(s[11:13]), number(s[14:16]), number(s[17:19])
	if year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || sec < 0 || sec > 59 {
		return 0, 0, 0, BadConversion
	}
	if day > int(monthDays[month-1]) || month == 2 && day == 29 && (year%4 != 0 || year%100 == 0 && year%400 != 0) {
		return 0, 0, 0, BadConversion
	}
	s = s[19:]
	nano := 0
	if s[0] == '.' {
		i, unit := 1, second
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			unit /= 10
			nano += unit * int(s[i]-'0')
			i++
		}
		if i == 1 {
			return 0, 0, 0, BadConversion
		}
		s = s[i:]
	}
	zone := 0
	if s != "Z" {
		if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
			return 0, 0, 0, BadConversion
		}
		h, m := number(s[1:3]), number(s[4:])
		if h < 0 || h > 23 || m < 0 || m > 59 {
			return 0, 0, 0, BadConversion
		}
		zone = h*60 + m
		if s[0] == '-' {
			zone = -zone
		}
	}
	at := int64(days(year, month, day))*86400 + int64(hour*3600+minute*60+sec-zone*60)
	if at < minSec || at > maxSec {
		return 0, 0, 0, Overflow
	}
	return at, nano, zone, OK
}

// TimeToText writes an instant as RFC 3339 does, in its zone.
func TimeToText(sec int64, nano, zone int) []byte {
	newText(40)
	out := Room(40)
	if len(out) < 40 {
		return out
	}
	at := sec + int64(zone)*60 + yearZero*86400 // since the first of January of year 0
	day, rest := int(at/86400), int(at%86400)
	year, month := civil(day)
	dom := day - (days(year, month, 1) + yearZero)
	n := 0
	if year > 9999 {
		out[n] = '1'
		n++
		year -= 10000
	}
	n = two(out, n, year/100)
	n = two(out, n, year%100)
	out[n] = '-'
	n = two(out, n+1, month)
	out[n] = '-'
	n = two(out, n+1, dom+1)
	out[n] = 'T'
	n = two(out, n+1, rest/3600)
	out[n] = ':'
	n = two(out, n+1, rest/60%60)
	out[n] = ':'
	n = two(out, n+1, rest%60)
	if nano > 0 {
		out[n] = '.'
		n++
		for unit := second / 10; nano > 0 && unit > 0; unit /= 10 {
			out[n] = byte('0' + nano/unit)
			nano %= unit
			n++
		}
	}
	if zone == 0 {
		out[n] = 'Z'
		return out[:n+1]
	}
	out[n] = '+'
	if zone < 0 {
		out[n] = '-'
		zone = -zone
	}
	n = two(out, n+1, zone/60)
	out[n] = ':'
	n = two(out, n+1, zone%60)
	return out[:n]
}

// civil is the year and the month of a day, counted from the first of January of year 0.
func civil(day int) (year, month int) {
	year = day / 366
	for days(year+1, 1, 1)+yearZero <= day {
		year++
	}
	month = 1
	for month < 12 && days(year, month+1, 1)+yearZero <= day {
		month++
	}
	return year, month
}

func two(out []byte, n, v int) int {
	out[n] = byte('0' + v/10)
	out[n+1] = byte('0' + v%10)
	return n + 2
}

// TextToDuration reads numbers with units, such as 1h30m.
func TextToDuration(s string) (int64, int) {
	scan(len(s))
	minus := false
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		minus = s[0] == '-'
		s = s[1:]
	}
	if s == "0" {
		return 0, OK
	}
	if s == "" {
		return 0, BadConversion
	}
	var sum uint64
	for s != "" {
		var whole, fraction uint64
		scale := 1.0
		i, some, full := 0, false, false
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			if whole > 1<<63/10 {
				return 0, BadConversion
			}
			whole = whole*10 + uint64(s[i]-'0')
			if whole > 1<<63 {
				return 0, BadConversion
			}
			i++
			some = true
		}
		if i < len(s) && s[i] == '.' {
			i++
			for i < len(s) && s[i] >= '0' && s[i] <= '9' {
				// Digits that have no room do not count.
				if !full && fraction > (1<<63-1)/10 {
					full = true
				}
				if !full {
					next := fraction*10 + uint64(s[i]-'0')
					if next > 1<<63 {
						full = true
					} else {
						fraction = next
						scale *= 10
					}
				}
				i++
				some = true
			}
		}
		if !some {
			return 0, BadConversion
		}
		s = s[i:]
		i = 0
		for i < len(s) && s[i] != '.' && (s[i] < '0' || s[i] > '9') {
			i++
		}
		size := unitOf(s[:i])
		if size == 0 || whole > 1<<63/size {
			return 0, BadConversion
		}
		s = s[i:]
		whole *= size
		if fraction > 0 {
			whole += uint64(float64(fraction) * (float64(size) / scale))
			if whole > 1<<63 {
				return 0, BadConversion
			}
		}
		sum += whole
		if sum > 1<<63 {
			return 0, BadConversion
		}
	}
	if minus {
		return -int64(sum), OK
	}
	if sum > 1<<63-1 {
		return 0, BadConversion
	}
	return int64(sum), OK
}

// unitOf is how many nanoseconds a unit has, 0 if there is none of that name.
func unitOf(s string) uint64 {
	switch s {
	case "ns":
		return 1
	case "us", "µs", "μs":
		return 1000
	case "ms":
		return 1000_000
	case "s":
		return second
	case "m":
		return 60 * second
	case "h":
		return 3600 * second
	}
	return 0
}
