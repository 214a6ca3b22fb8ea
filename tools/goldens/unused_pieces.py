"""What SentencePiece makes of a vocabulary some of whose pieces are UNUSED → tests/golden/text/unused_pieces.json.

Such a piece is a step of merges but no part of an answer: where it would be left over, it falls apart again (Kudo's
bpe_model.cc; llama.cpp#2072). A small BPE model is trained on the texts below, some of its longer pieces are marked,
and the library is asked.

{"pieces", "types": as GGUF numbers them, which are SentencePiece's own, "scores", "cases": [[text, its ids], …]}

    pip install sentencepiece protobuf
"""
import io
import json
import pathlib

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text/unused_pieces.json"

CORPUS = ["the other mother bothers the brother", "there are three thirsty thrushes in the thicket",
          "an interesting interpretation of internal interests",
          "he entered the international internet center", "she sells sea shells by the sea shore",
          "banana bandana ananas anagram cabana",
          "the thing is that they think of nothing other than that",
          "restless rest and the rest of the restaurants"] * 4
WORDS = sorted({w for line in CORPUS for w in line.split()})
TEXTS = [" ".join(WORDS[i:i + 3]) for i
         in range(len(WORDS))] + WORDS + [w + w for w in WORDS] + [w[::-1] for w in WORDS] + [w[1:] for w in WORDS] + [
    "", " ", "  two  spaces ", "ananananananananananananananananananananananananananananananana",
    "thethethethethe rest", "é the ñ",
    "interinterinternetinternationalinterestingtheotherthere" * 3, "mother's brother; 12 others!", "the\nother\tthing"]


def main():
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=file, model_type="bpe", vocab_size=380, byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2, hard_vocab_limit=False)
    model = model_pb2.ModelProto.FromString(file.getvalue())
    longer = [p for p in model.pieces if p.type == p.NORMAL and len(p.piece) > 1]
    for i, piece in enumerate(longer):
        if i % 3 == 1:
            piece.type = piece.UNUSED
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    plain = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
    cases = [[text, processor.encode(text)] for text in TEXTS]
    print(f"{sum(processor.encode(t) != plain.encode(t) for t in TEXTS)} of {len(TEXTS)} texts differ from those of "
          f"the model as it was")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"pieces": [p.piece for p in model.pieces], "types": [p.type for p in model.pieces],
                               "scores": [p.score for p in model.pieces], "cases": cases}, ensure_ascii=False,
                               separators=(",", ":")) + "\n",
                   encoding="utf-8")


if __name__ == "__main__":
    main()
