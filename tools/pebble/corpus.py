"""Makes the corpus: documents from a seed, the tokenizer, and packed rows of token ids.

Enters: a seed and a number of tokens. Leaves, under build/pebble/: rows.npy and heldout.npy (uint16, [rows, CONTEXT + 1]; the highest bit
marks what the model need not predict), corpus.json (counts and hashes). No story is told twice. Some pairs of a character and a thing are
kept for the held-out part alone.
"""
import hashlib
import json
import os
import random
import zlib

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import chat

CONTEXT, VOCABULARY = 512, 2048
SKIP = 1 << 15   # "do not learn this token"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CONTROL = [chat.STOP, chat.START, chat.END]   # ids 0, 1, 2


def held_out(character, thing):
    return zlib.crc32(f"{character.name or character.kind}|{thing.noun}".encode()) % 16 == 0


def for_training(story):
    return not any(held_out(c, x) for c in story.cast for x in story.things)


def for_holding_out(story):
    return any(held_out(c, x) for c in story.cast for x in story.things)


def train_tokenizer(seed, documents=30000):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=CONTROL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    rng = random.Random(f"{seed} tokenizer")
    texts = ("".join(text for text, _ in chat.document(rng, for_training)[0]) for _ in range(documents))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL])
    return tokenizer


def rows_of(tokenizer, seed, tokens, allowed, seen, progress=None):
    """Packs whole documents into rows; each row begins with a document, and its last one is cut off."""
    rng, rows, row, count = random.Random(seed), [], [], 0
    stories = 0
    while len(rows) * CONTEXT < tokens:
        documents = []
        while len(documents) < 2000:
            pieces, story = chat.document(rng, allowed)
            if story:
                fingerprint = hash_of(story.text())
                if fingerprint in seen:
                    continue
                seen.add(fingerprint)
                stories += 1
            documents.append(pieces)
        flat = [text for pieces in documents for text, _ in pieces]
        encoded = iter(tokenizer.encode_batch(flat, add_special_tokens=False))
        for pieces in documents:
            ids = [i if learn else i | SKIP for _, learn in pieces for i in next(encoded).ids]
            if len(ids) > CONTEXT + 1:
                continue
            row += ids
            if len(row) >= CONTEXT + 1:
                rows.append(row[:CONTEXT + 1])
                row = []
        if progress:
            progress(len(rows) * CONTEXT)
    return np.array(rows, dtype=np.uint16), stories


def hash_of(text):
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def prepare(folder, seed, tokens, log=print):
    """Makes what is missing in the folder; returns (tokenizer, rows, heldout, facts)."""
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    wanted = {"seed": seed, "tokens_asked": tokens}
    if os.path.exists(path("corpus.json")):
        facts = json.load(open(path("corpus.json")))
        if all(facts[k] == v for k, v in wanted.items()):
            return Tokenizer.from_file(path("tokenizer.json")), np.load(path("rows.npy"), mmap_mode="r"), np.load(path("heldout.npy")), facts
    log("training the tokenizer")
    tokenizer = train_tokenizer(seed)
    seen = set()
    report = lambda done: log(f"corpus: {done / 1e6:.1f} of {tokens / 1e6:.1f} M tokens") if done // CONTEXT % 10 == 0 else None
    heldout, _ = rows_of(tokenizer, f"{seed} held out", 128 * CONTEXT, for_holding_out, seen)
    rows, stories = rows_of(tokenizer, f"{seed} training", tokens, for_training, seen, report)
    facts = {**wanted, "tokens": int(rows.size), "stories": stories, "learned_share": round(float((rows < SKIP).mean()), 4),
             "rows_sha256": hashlib.sha256(rows.tobytes()).hexdigest()}
    tokenizer.save(path("tokenizer.json"))
    np.save(path("heldout.npy"), heldout)
    np.save(path("rows.npy"), rows)
    json.dump(facts, open(path("corpus.json"), "w"), indent=1)
    return tokenizer, np.load(path("rows.npy"), mmap_mode="r"), heldout, facts
