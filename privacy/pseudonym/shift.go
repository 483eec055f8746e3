package pseudonym

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
)

// maxShift keeps the bias of the draw below 2^-50.
const maxShift = 8191

// A ShiftRange says by how many days dates may be moved: from Lo to Hi, both included,
// each from -8191 to 8191. The zero ShiftRange is refused, as is one that
// leaves no day or a single one, which moves everybody alike.
type ShiftRange struct {
	Lo, Hi int

	// Zero allows that a subject's dates are not moved at all. Without it 0 is left
	// out of a range that has it.
	Zero bool
}

func (r ShiftRange) hasGap() bool { return !r.Zero && r.Lo <= 0 && r.Hi >= 0 }

func (r ShiftRange) days() int {
	n := r.Hi - r.Lo + 1
	if r.hasGap() {
		n--
	}
	return n
}

// A DateShift moves the dates of each subject by a number of days of the subject's own:
// what lies between two dates of one person stays, the dates do not, and the days of two
// people cannot be compared. The number follows from the secret and the subject, within
// one scope; nothing has to be stored.
//
// It is reversible for who has the secret, and the result is still a date: of its year
// and season something stays, and a known event (a birth, an accident in the newspaper)
// gives away the number and with it all other dates of that person. Safe Harbor of HIPAA
// does not allow it.
//
// It is immutable and safe for concurrent use. Make it with [NewDateShift]; the zero
// DateShift refuses every date.
type DateShift struct {
	keys []*key
	days ShiftRange
}

var errShiftNotMade = errors.New("pseudonym: zero DateShift: make one with NewDateShift")

// NewDateShift reads the live secrets of the scope's tenant and derives their keys, as
// [New] does, and with the same errors; a range that cannot be used is one that wraps
// [ErrOption].
//
// The key is 32 bytes of HKDF-SHA256 with info as in the package documentation, but the
// label privacy/pseudonym/v1/shift. With x, the first 8 bytes of
// HMAC-SHA256(key, type || canonical subject) as a number with the highest byte first,
// the days are lo + x mod (hi-lo+1). If 0 is in the range and not allowed, they are
// lo + x mod (hi-lo), and one more from 0 on.
func NewDateShift(ctx context.Context, store SecretStore, s Scope, r ShiftRange) (*DateShift, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if r.Lo < -maxShift || r.Hi > maxShift || r.Lo > r.Hi || r.days() < 2 {
		return nil, &fault{ErrOption, "range of days: needs two days or more that are not 0, and none beyond " + strconv.Itoa(maxShift) + " either way", nil}
	}
	d := &DateShift{days: r}
	err := eachSecret(ctx, store, s.Tenant, func(secret Secret, version uint32) error {
		k, err := deriveKey(secret.b.p, labelShift, s, version, sha256.Size)
		if err == nil {
			d.keys = append(d.keys, readyKey(k, 0, version))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Version returns the version that dates are moved with if none is asked for, 0 for the
// zero DateShift.
func (d *DateShift) Version() uint32 {
	if len(d.keys) == 0 {
		return 0
	}
	return d.keys[0].version
}

// Class returns [Linkable]: who has the secret and the subject can move the dates back.
func (d *DateShift) Class() Linkability { return Linkable }

// Shift moves a date (2024-02-29) or a time stamp of RFC 3339 by the subject's number of
// days under the given version, 0 for the newest. Use one version for all dates of one
// data set: under another, the subject has another number. The time of day and the
// offset stay as they are written.
//
// The error is a [*ValueError] for a subject and an [*OperatorError] for a date that
// cannot be used, or that would leave the years 0000 to 9999; it wraps [ErrUnknown] if
// the version is not there. The class is linkable and reversible, with nothing lost.
func (d *DateShift) Shift(subject Value, date string, version uint32) (string, Class, error) {
	s, err := d.move("Shift", subject, date, version, 1)
	if err != nil {
		return "", Class{}, err
	}
	return s, reversibleClass, nil
}

// Reveal is the inverse of [DateShift.Shift]. The result is in the clear ([Linked]). It
// cannot tell whether the date was moved for this subject and with this version.
func (d *DateShift) Reveal(subject Value, date string, version uint32) (string, error) {
	return d.move("Reveal", subject, date, version, -1)
}

func (d *DateShift) move(operator string, subject Value, date string, version uint32, sign int) (string, error) {
	if len(d.keys) == 0 {
		return "", errShiftNotMade
	}
	k := d.keys[0]
	if version != 0 {
		for _, k = range d.keys {
			if k.version == version {
				break
			}
		}
		if k.version != version {
			return "", &fault{ErrUnknown, "version " + strconv.FormatUint(uint64(version), 10) + ": destroyed, or added after NewDateShift", nil}
		}
	}
	if !isDateOrTime(date) {
		return "", &OperatorError{operator, notADate}
	}
	st, code := k.take(&subject)
	defer k.pool.Put(st)
	if code != 0 {
		return "", &ValueError{Type: subject.typ, Code: code}
	}
	day := dayNumber(date) + sign*d.days.pick(binary.BigEndian.Uint64(st.sum[:8]))
	if day < 0 || day > lastDay {
		return "", &OperatorError{operator, "date leaves the years 0000 to 9999: drop it"}
	}
	b := appendDay(make([]byte, 0, len(date)), day)
	return string(append(b, date[len("2006-01-02"):]...)), nil
}

// pick is the number of days of NewDateShift.
func (r ShiftRange) pick(x uint64) int {
	days := r.Lo + int(x%uint64(r.days()))
	if r.hasGap() && days >= 0 {
		days++
	}
	return days
}

// Days are counted from 0000-03-01, the beginning of a year in which the day that comes
// and goes is the last; 400 years have the same number of them. January and February of
// the year 0 are before it.
const (
	daysIn400 = 146097
	beforeDay = 60               // days from 0000-01-01, a leap year, to 0000-03-01
	lastDay   = 25*daysIn400 - 1 // 9999-12-31, from 0000-01-01
)

// dayNumber reads a date of the proleptic Gregorian calendar: days since 0000-01-01.
func dayNumber(s string) int {
	year, month, day := two(s)*100+two(s[2:]), two(s[5:]), two(s[8:])
	if month <= 2 {
		year, month = year-1, month+12
	}
	year += 400 // so that nothing is below zero
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 + beforeDay - daysIn400
}

func appendDay(b []byte, n int) []byte {
	n += daysIn400 - beforeDay
	era, n := n/daysIn400, n%daysIn400
	inEra := (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*inEra + inEra/4 - inEra/100
	month := (5*n + 2) / 153
	day := n - (153*month+2)/5 + 1
	year := era*400 + inEra - 400
	if month += 3; month > 12 {
		year, month = year+1, month-12
	}
	return append(b, '0'+byte(year/1000), '0'+byte(year/100%10), '0'+byte(year/10%10), '0'+byte(year%10), '-',
		'0'+byte(month/10), '0'+byte(month%10), '-', '0'+byte(day/10), '0'+byte(day%10))
}
