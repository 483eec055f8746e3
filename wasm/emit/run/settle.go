package run

// Findings lie one behind the other in the work memory, in the order of their starts.
// Those that overlap, directly or by way of others, are a cluster. It is settled when no
// later finding can overlap any of it, so that settling takes memory in proportion to
// the cluster and time in proportion to n log n.
//
// A finding goes to its place among those before it by moving them. They are few: a
// detector begins its next match where its last finding ended, so that each has one at
// most that lies behind the beginning of the match at hand.

// The numbers of a finding.
const (
	findingDetector = iota
	findingStart
	findingEnd
	findingConfidence

	findingSize
)

// Found is how many findings there are.
var Found int

var (
	findingsAt int  // in Work32
	cluster    int  // the first of the cluster at hand
	clusterEnd int  // where it ends in the text
	full       bool // there was no room
)

func beginFindings() { findingsAt, Found, cluster, clusterEnd, full = workTop, 0, 0, 0, false }

// found tells a finding: its place in the value, and confidence in thousandths.
func found(i int) (start, end, detector, confidence int) {
	at := findingsAt + findingSize*i
	f := Work32[at : at+findingSize]
	return int(f[findingStart]), int(f[findingEnd]), int(f[findingDetector]), int(f[findingConfidence])
}

// work sees to it that there are so many numbers behind the findings.
func work(n int) bool {
	n += findingsAt + findingSize*Found
	if n > len(Work32) && !Room(4*n+1<<12) {
		full = true
	}
	return !full
}

// addFinding notes a finding in the plain form, of a match that begins at whole. Later
// ones are of matches that begin there or later.
func addFinding(d, whole, start, end, confidence int) {
	if Found > cluster {
		if begin, _ := plainPlace(whole, whole+1); begin >= clusterEnd {
			settle()
		}
	}
	if !work(findingSize) {
		return
	}
	start, end = plainPlace(start, end)
	at := findingsAt + findingSize*Found
	for ; at > findingsAt+findingSize*cluster && int(Work32[at-findingSize+findingStart]) > start; at -= findingSize {
		for i := range findingSize {
			Work32[at+i] = Work32[at+i-findingSize]
		}
	}
	f := Work32[at : at+findingSize]
	f[findingDetector], f[findingStart], f[findingEnd], f[findingConfidence] = int32(d), int32(start), int32(end), int32(confidence)
	Found++
	clusterEnd = max(clusterEnd, end)
}

// endFindings settles the last cluster, takes the findings' part of the work memory and
// returns how many they are, or a code.
func endFindings() int {
	settle()
	if full {
		return TooLarge
	}
	workTop = findingsAt + findingSize*Found
	return Found
}

// settle takes away from a cluster what overlaps something better, and begins the next.
func settle() {
	n := Found - cluster
	if n > 1 && work(2*n+1) {
		at := findingsAt + findingSize*cluster
		rows := Work32[at : at+findingSize*n]
		at += findingSize * n
		heap, ends := Work32[at:at+n], Work32[at+n:at+2*n+1]
		for i := range heap {
			heap[i] = int32(i)
		}
		for i := n/2 - 1; i >= 0; i-- {
			sift(rows, heap, i)
		}
		// ends[i] is the greatest end of those that are kept among the rows i&(i-1) and
		// after, before i. Kept ones do not overlap, so that what begins before its end
		// and has the greatest end tells whether it overlaps any.
		for i := range ends {
			ends[i] = 0
		}
		for ; n > 0; n-- {
			f := int(heap[0])
			heap[0] = heap[n-1]
			sift(rows, heap[:n-1], 0)
			start, end := rows[findingSize*f+findingStart], rows[findingSize*f+findingEnd]
			low, high := f+1, len(heap) // how many begin before end
			for low < high {
				if mid := (low + high) >> 1; rows[findingSize*mid+findingStart] < end {
					low = mid + 1
				} else {
					high = mid
				}
			}
			reach := int32(0)
			for i := low; i > 0; i &= i - 1 {
				reach = max(reach, ends[i])
			}
			if reach > start {
				rows[findingSize*f+findingConfidence] = -1
				continue
			}
			for i := f + 1; i < len(ends); i += i & -i {
				ends[i] = max(ends[i], end)
			}
		}
		kept := 0
		for i := 0; i < len(rows); i += findingSize {
			if rows[i+findingConfidence] >= 0 {
				for j := range findingSize {
					rows[kept+j] = rows[i+j]
				}
				kept += findingSize
			}
		}
		Found = cluster + kept/findingSize
	}
	cluster, clusterEnd = Found, 0
}

// sift brings the i-th of a heap to its place, with the best at the top.
func sift(rows, heap []int32, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && beats(rows, int(heap[child+1]), int(heap[child])) {
			child++
		}
		if beats(rows, int(heap[i]), int(heap[child])) {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// beats compares two findings: the more confident is better, then the longer, then the
// earlier, then that of the first detector.
func beats(rows []int32, a, b int) bool {
	x, y := rows[findingSize*a:findingSize*a+findingSize], rows[findingSize*b:findingSize*b+findingSize]
	d := y[findingConfidence] - x[findingConfidence]
	if d == 0 {
		d = y[findingEnd] - y[findingStart] - x[findingEnd] + x[findingStart]
	}
	if d == 0 {
		d = x[findingStart] - y[findingStart]
	}
	if d == 0 {
		d = x[findingDetector] - y[findingDetector]
	}
	return d < 0
}
