package powercut

import "fmt"

// tear says which bytes of a torn sector are the new ones: those before split, those from split on, or those of the 8-byte words set in words.
type tear struct {
	split  int
	behind bool
	words  uint64 // used where split is zero; repeated over sectors of more than 64 words
}

// wordBytes is the unit in which memory and buses move data: the finest mix that is tried.
const wordBytes = 8

// mix puts new bytes into old.
func (t *tear) mix(old, new []byte) {
	for i := range old {
		if t.isNew(i) {
			old[i] = new[i]
		}
	}
}

func (t *tear) isNew(i int) bool {
	switch {
	case t.split == 0:
		return t.words>>(i/wordBytes%64)&1 == 1
	case t.behind:
		return i >= t.split
	}
	return i < t.split
}

func (t *tear) String() string {
	switch {
	case t.split == 0:
		return fmt.Sprintf("8-byte words %064b new", t.words)
	case t.behind:
		return fmt.Sprintf("new from byte %d on", t.split)
	}
	return fmt.Sprintf("new before byte %d", t.split)
}

// splits are the bytes at which a sector is torn: within the first field, between the 32-byte entries of a FAT directory, between the 128-byte ones of a GPT,
// within a header's checksum, and at the end.
var splits = []int{1, 4, 8, 18, 32, 64, 128, 256, 384, 480, 504, 511}

// randomMixes of words are tried for each torn sector.
const randomMixes = 3

// tornSectors: one sector of a write half done, the sectors before it written and those behind it not; with the writes before whole, and with all others whole.
func (e *explorer) tornSectors() error {
	for w := range e.w.writes {
		arounds := e.arounds(w)
		for _, around := range arounds[:min(len(arounds), 2)] {
			changed, err := e.changed(w, around)
			if err != nil {
				return err
			}
			for _, k := range e.sample(len(changed)) {
				if err := e.tearSector(around, part{write: w, sectors: append([]int{}, changed[:k]...), torn: changed[k]}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (e *explorer) tearSector(around choice, p part) error {
	var tears []tear
	for _, s := range splits {
		tears = append(tears, tear{split: s}, tear{split: s, behind: true})
	}
	for range randomMixes {
		tears = append(tears, tear{words: e.w.random.Uint64()})
	}
	for _, t := range tears {
		p.tear = &t
		if err := e.try(torn, around.with(p)); err != nil {
			return err
		}
	}
	return nil
}
