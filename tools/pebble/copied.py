"""What stories have in common with the training corpus: which of their words it knows, and the longest run of words
that stands in it.

Enters: the corpus's packed rows, the tokenizer, the stories. Leaves: the words that the corpus lacks, and the length of
the longest run, a story each. The corpus is never made text again: a word is a polynomial hash over its letters, put
together from its tokens' hashes, and a run of n words is a hash over theirs, a difference of two sums. 100 million
tokens take a minute.
"""
import numpy as np

LENGTHS = (1, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 31, 32, 36, 40, 50)
LETTER, WORD = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95   # odd, so that they have an inverse modulo 2^64
MASK = (1 << 64) - 1
BLOCK_ROWS = 4000
FILTER_BITS = 22


class Words:
    """Token ids → hashes of the words that they spell."""

    def __init__(self, tokenizer):
        size = tokenizer.get_vocab_size()
        self.value, self.factor = np.zeros(size, np.uint64), np.ones(size, np.uint64)
        self.has_letters, self.opens = np.zeros(size, bool), np.zeros(size, bool)
        specials = {i for i, token in tokenizer.get_added_tokens_decoder().items()}
        for i in range(size):
            text = "" if i in specials else tokenizer.decode([i], skip_special_tokens=False).lower()
            letters = [c for c in text if c.isalpha() or c == "\ufffd"]
            value, factor = 0, 1
            for c in letters:
                value, factor = (value * LETTER + ord(c)) & MASK, factor * LETTER & MASK
            self.value[i], self.factor[i] = value, factor
            self.has_letters[i], self.opens[i] = bool(letters), bool(letters) and text[0] != letters[0]

    def of(self, ids):
        letters = self.has_letters[ids]
        goes_on = letters & ~self.opens[ids]
        goes_on[1:] &= letters[:-1]
        goes_on[:1] = False
        at = np.flatnonzero(letters & ~goes_on)
        hashes, open_words, k = self.value[ids[at]], np.arange(len(at)), 0
        while len(open_words):
            k += 1
            next_token = at[open_words] + k
            inside = next_token < len(ids)
            open_words, next_token = open_words[inside], next_token[inside]
            more = goes_on[next_token]
            open_words, next_token = open_words[more], next_token[more]
            hashes[open_words] = hashes[open_words] * self.factor[ids[next_token]] + self.value[ids[next_token]]
        return mixed(hashes)


def mixed(h):
    h = (h ^ (h >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return (h ^ (h >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)


class Runs:
    """The hashes of all runs of n words: Σ w[i+j]·WORD^j, from one cumulative sum for every n."""

    def __init__(self, words):
        exponents = np.ones(len(words) + 1, np.uint64)
        exponents[1:] = np.uint64(WORD)
        powers = np.cumprod(exponents, dtype=np.uint64)
        exponents[1:] = np.uint64(pow(WORD, -1, 1 << 64))
        self.back = np.cumprod(exponents, dtype=np.uint64)
        self.sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words * powers[:-1], dtype=np.uint64)])

    def of(self, n):
        count = max(0, len(self.sums) - n)
        return mixed((self.sums[n:] - self.sums[:count]) * self.back[:count]) if count else np.zeros(0, np.uint64)


class Wanted:
    """A set of hashes that says quickly which of many are in it: first by a few of their bits, then exactly."""

    def __init__(self, hashes):
        self.sorted = np.unique(np.concatenate(hashes)) if hashes else np.zeros(0, np.uint64)
        self.maybe = np.zeros(1 << FILTER_BITS, bool)
        self.maybe[self.sorted >> np.uint64(64 - FILTER_BITS)] = True
        self.seen = np.zeros(len(self.sorted), bool)

    def look_at(self, hashes):
        candidates = hashes[self.maybe[hashes >> np.uint64(64 - FILTER_BITS)]]
        if len(self.sorted) and len(candidates):
            at = np.minimum(np.searchsorted(self.sorted, candidates), len(self.sorted) - 1)
            self.seen[at[self.sorted[at] == candidates]] = True

    def has(self, hashes):
        return self.seen[np.searchsorted(self.sorted, hashes)] if len(hashes) else np.zeros(0, bool)


def compare(stories, words, tokenizer, rows, skip):
    """For each story the longest of LENGTHS of which a run stands in the corpus; and those of `words` that the corpus
    has."""
    reader = Words(tokenizer)
    ids_of = lambda texts: [np.array(e.ids, np.int64) for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    told = [Runs(reader.of(ids)) for ids in ids_of(stories)]
    single = [Runs(reader.of(ids)).of(1)[:1] for ids in ids_of([" " + word for word in words])]
    ours = {n: [runs.of(n) for runs in told] for n in LENGTHS}
    wanted = {n: Wanted(ours[n] + (single if n == 1 else [])) for n in LENGTHS}
    for begin in range(0, len(rows), BLOCK_ROWS):
        ids = (np.asarray(rows[begin:begin + BLOCK_ROWS]).ravel() & (skip - 1)).astype(np.int64)
        runs = Runs(reader.of(ids))
        for n in LENGTHS:
            wanted[n].look_at(runs.of(n))
    longest = np.array([max([n for n in LENGTHS if wanted[n].has(ours[n][i]).any()], default=0) for i
                        in range(len(stories))])
    return longest, {word for word, hashes in zip(words, single) if wanted[1].has(hashes).any()}
