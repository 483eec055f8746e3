package filestore

import "hash/maphash"

// A table finds numbers by 32 bits of a hash, in about 11 bytes each. Different things
// may have equal hashes: whoever asks must look at what the numbers stand for.
// Nothing is ever taken out. It is divided so that growing is never long.
type table struct {
	seed   maphash.Seed
	shards [256]shard
}

type shard struct {
	slots []uint64 // hash in the upper half, number in the lower; 0: free
	used  int
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) hash(b []byte) uint32 { return uint32(maphash.Bytes(t.seed, b)) }

func (s *shard) start(hash uint32) int {
	return int(uint64(hash<<8) * uint64(len(s.slots)) >> 32)
}

// all calls do with each number of a hash until it returns false.
func (t *table) all(hash uint32, do func(number uint32) bool) {
	s := &t.shards[hash>>24]
	if len(s.slots) == 0 {
		return
	}
	for i := s.start(hash); s.slots[i] != 0; i++ {
		if uint32(s.slots[i]>>32) == hash && !do(uint32(s.slots[i])) {
			return
		}
		if i == len(s.slots)-1 {
			i = -1
		}
	}
}

// add adds a number, which is not 0.
func (t *table) add(hash, number uint32) {
	s := &t.shards[hash>>24]
	s.grow()
	s.put(uint64(hash)<<32 | uint64(number))
}

// swap sets the only number of a hash, and returns the one before, 0 for none.
func (t *table) swap(hash, number uint32) uint32 {
	s := &t.shards[hash>>24]
	s.grow()
	i := s.start(hash)
	for s.slots[i] != 0 {
		if uint32(s.slots[i]>>32) == hash {
			old := uint32(s.slots[i])
			s.slots[i] = uint64(hash)<<32 | uint64(number)
			return old
		}
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	s.slots[i] = uint64(hash)<<32 | uint64(number)
	s.used++
	return 0
}

func (s *shard) put(slot uint64) {
	i := s.start(uint32(slot >> 32))
	for s.slots[i] != 0 {
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	s.slots[i] = slot
	s.used++
}

// grow keeps a fifth free.
func (s *shard) grow() {
	if (s.used+1)*5 <= len(s.slots)*4 {
		return
	}
	old := s.slots
	s.slots, s.used = make([]uint64, len(old)+len(old)/4+8), 0
	for _, slot := range old {
		if slot != 0 {
			s.put(slot)
		}
	}
}
