"""Makes the corpus: documents from a seed, the tokenizer, and packed rows of token ids.

Enters: a seed and a number of tokens. Leaves, under build/pebble/: rows.npy and heldout.npy (uint16, [rows, CONTEXT +
1]; the highest bit marks what the model need not predict), corpus.json (counts and hashes). No story is told twice.
Some pairs of a character and a thing are kept for the held-out part alone. The same seed gives the same bytes, however
many processes share the work.
"""
import bisect
import hashlib
import json
import multiprocessing
import os
import random
import time
import zlib

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import chat

CONTEXT, VOCABULARY = 512, 2048
DOCUMENTS_OF_A_SHARD, HELD_OUT_ROWS = 1000, 128
SKIP = 1 << 15   # "do not learn this token"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
         r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CONTROL = [chat.STOP, chat.START, chat.END]   # ids 0, 1, 2


def held_out(character, thing):
    return zlib.crc32(f"{character.name or character.kind}|{thing.noun}".encode()) % 16 == 0


def for_training(story):
    return not any(held_out(c, x) for c in story.cast for x in story.things)


def for_holding_out(story):
    return any(held_out(c, x) for c in story.cast for x in story.things)


# ---- Documents, made in shards by several processes; what a shard holds depends on the seed and its number alone
# ----------------------
def documents(seed, count, allowed):
    """[(pieces, fingerprint)], the fingerprint 0 where no story is told."""
    rng, made, seen = random.Random(seed), [], {0}
    while len(made) < count:
        pieces, story = chat.document(rng, allowed)
        fingerprint = fingerprint_of(story.text()) if story else 0
        if fingerprint in seen and story:
            continue
        seen.add(fingerprint)
        made.append((pieces, fingerprint))
    return made


def texts(job):
    seed, count = job
    return ["".join(text for text, _ in pieces) for pieces, _ in documents(seed, count, for_training)]


def shard(job):
    """A shard as three arrays: the ids of its documents one after the other, their lengths, their fingerprints."""
    tokenizer, seed, held = job
    made = documents(seed, DOCUMENTS_OF_A_SHARD, for_holding_out if held else for_training)
    encoded = iter(Tokenizer.from_str(tokenizer).encode_batch([text for pieces, _ in made for text, _ in pieces],
                                                              add_special_tokens=False))
    ids = [[i if learn else i | SKIP for _, learn in pieces for i in next(encoded).ids] for pieces, _ in made]
    return (np.array([i for document in ids for i in document], dtype=np.uint16), np.array([len(d) for d in ids]),
            [fingerprint for _, fingerprint in made])


def fingerprint_of(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") or 1


class Packer:
    """Lays whole documents into rows. Each row takes the next document in order, then always the longest of those that
    wait and still fit; what remains is filled with tokens that nobody learns. No story comes twice."""

    def __init__(self, seen):
        self.seen, self.rows, self.waiting, self.stories = seen, [], [], 0

    def add(self, ids, lengths, fingerprints):
        ends = np.cumsum(lengths)
        for end, length, fingerprint in zip(ends.tolist(), lengths.tolist(), fingerprints):
            if length > CONTEXT + 1 or fingerprint in self.seen:
                continue
            if fingerprint:
                self.seen.add(fingerprint)
                self.stories += 1
            bisect.insort(self.waiting, (length, end, ids[end - length:end]), key=lambda document: document[:2])
        while len(self.waiting) > DOCUMENTS_OF_A_SHARD // 4:
            self._row()

    def finish(self):
        while self.waiting:
            self._row()
        return np.concatenate(self.rows).reshape(-1, CONTEXT + 1)

    def _row(self):
        room = CONTEXT + 1
        while self.waiting:
            fitting = bisect.bisect_right(self.waiting, room, key=lambda document: document[0])
            if not fitting:
                break
            length, _, ids = self.waiting.pop(fitting - 1)
            self.rows.append(ids)
            room -= length
        if room:
            self.rows.append(np.full(room, SKIP, dtype=np.uint16))


def processes(count):
    """A pool that is there before anything heavy is loaded, where the system can fork."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else methods[0]).Pool(count)


def train_tokenizer(seed, count=6000, pool=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                                                       pre_tokenizers.ByteLevel(
                                                           add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=CONTROL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    jobs = [(f"{seed} tokenizer {i}", 300) for i in range(count // 300)]
    parts = pool.imap(texts, jobs) if pool else map(texts, jobs)
    tokenizer.train_from_iterator((text for part in parts for text in part), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL])
    return tokenizer


def prepare(folder, seed, tokens, log=print, workers=None, meanwhile=lambda: None):
    """Makes what is missing in the folder; returns (tokenizer, rows, heldout, facts). `meanwhile` is called while
    others work."""
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    wanted = {"seed": seed, "tokens_asked": tokens}
    if not os.path.exists(path("corpus.json")) or any(json.load(open(path("corpus.json"))).get(k) != v for k, v
                                                      in wanted.items()):
        with processes(workers or os.cpu_count()) as pool:
            make(path, wanted, log, pool, meanwhile)
    else:
        meanwhile()
    return (Tokenizer.from_file(path("tokenizer.json")), np.load(path("rows.npy"), mmap_mode="r"),
            np.load(path("heldout.npy")),
            json.load(open(path("corpus.json"))))


def make(path, wanted, log, pool, meanwhile):
    seed, tokens, started, told = wanted["seed"], wanted["tokens_asked"], time.time(), 0
    tokenizer = train_tokenizer(seed, pool=pool)
    tokenizer.save(path("tokenizer.json"))
    log(f"the tokenizer is there after {time.time() - started:.0f} s")
    source, seen = tokenizer.to_str(), set()
    held = Packer(seen)
    held.add(*pool.apply(shard, ((source, f"{seed} held out", True),)))
    heldout = held.finish()[:HELD_OUT_ROWS]
    shards, packer, done = -(-tokens // (DOCUMENTS_OF_A_SHARD * 240)), Packer(seen), 0
    arriving = pool.imap(shard, ((source, f"{seed} training {i}", False) for i in range(shards)))
    meanwhile()
    for ids, lengths, fingerprints in arriving:
        packer.add(ids, lengths, fingerprints)
        done += len(ids)
        if done // 10_000_000 > told:
            told = done // 10_000_000
            log(f"corpus: {done / 1e6:.0f} of {tokens / 1e6:.0f} M tokens, {time.time() - started:.0f} s")
    rows = packer.finish()
    facts = {**wanted, "tokens": int(rows.size), "stories": packer.stories,
             "learned_share": round(float((rows < SKIP).mean()), 4),
             "rows_sha256": hashlib.sha256(rows.tobytes()).hexdigest()}
    np.save(path("heldout.npy"), heldout)
    np.save(path("rows.npy"), rows)
    json.dump(facts, open(path("corpus.json"), "w"), indent=1)
    log(f"corpus: {rows.size / 1e6:.1f} M tokens, {packer.stories} stories, {time.time() - started:.0f} s, sha256 "
        f"{facts['rows_sha256']}")
