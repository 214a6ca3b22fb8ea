#!/usr/bin/env python3
"""The world, its telling and its checker, held to each other.

    pip install tokenizers numpy
    python3 tools/pebble/test_pebble.py
"""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chat
import checker
import corpus
from plots import tell
from story import NO_ANSWER


def problems(text):
    return checker.read(text).problems


class Stories(unittest.TestCase):
    def test_every_told_story_is_read_without_a_complaint(self):
        for seed in range(1000):
            story = tell(random.Random(seed))
            self.assertEqual(problems(story.text()), [], f"seed {seed}: {story.text()}")

    def test_are_as_long_as_wanted_and_all_different(self):
        told = [tell(random.Random(seed)).text() for seed in range(1000)]
        self.assertEqual(len(set(told)), 1000)
        self.assertTrue(all(60 <= len(text.split()) <= 250 for text in told))

    def test_a_question_that_can_be_answered_from_the_reading_gets_the_answer_of_the_simulation(self):
        for seed in range(200):
            story = tell(random.Random(seed))
            simulated = dict(story.questions())
            for question, answer in checker.read(story.text()).questions(random.Random(0)):
                if question in simulated and question.startswith("Who "):
                    self.assertEqual(answer, simulated[question], f"seed {seed}: {question} {story.text()}")

    def test_training_never_sees_the_pairs_that_are_held_out(self):
        rng = random.Random(1)
        for _ in range(300):
            _, story = chat.document(rng, corpus.for_training)
            self.assertTrue(story is None or not any(corpus.held_out(c, x) for c in story.cast for x in story.things))


class Checker(unittest.TestCase):
    beginning = ("Once upon a time there was a fox in the forest. He had a red kite. One sunny day, the fox walked to "
                 "the lake. "
                 "There the fox met a girl named Mia. ")

    def test_reads_what_fits(self):
        self.assertEqual(problems(self.beginning + "The fox gave the kite to Mia. Mia gave the kite back to the fox."),
                         [])

    def test_hears_who_has_not_what_he_gives(self):
        self.assertIn("kite is not with Mia", problems(self.beginning + "Mia gave the kite to the fox.")[0])

    def test_hears_who_is_elsewhere(self):
        self.assertIn("is not at", problems(
            self.beginning + "The fox gave the kite to Mia. He went to the barn. By the lake, the fox met a cow.")[0])

    def test_hears_of_strangers_and_things_that_were_never_there(self):
        self.assertIn("never introduced", problems(self.beginning + "The fox gave the lamp to Mia.")[0])
        self.assertIn("never introduced", problems(self.beginning + "The fox gave the kite to Tom.")[0])

    def test_hears_a_pronoun_that_fits_nobody(self):
        self.assertIn("she", problems("Once upon a time there was a boy named Tom in the forest. She had a red kite.")[
            0])

    def test_does_not_guess_at_what_it_cannot_read(self):
        self.assertIn("unknown sentence", problems(self.beginning + "The fox kite the Mia.")[0])


class Chats(unittest.TestCase):
    def test_have_answers_for_every_question_and_end(self):
        rng = random.Random(2)
        for _ in range(500):
            pieces, _ = chat.document(rng)
            text = "".join(t for t, _ in pieces)
            self.assertTrue(text.endswith(chat.STOP))
            self.assertEqual(text.count(chat.START), text.count(chat.END))
            self.assertNotIn("  ", text.replace("\n", "").replace("user ", ""))

    def test_say_when_the_story_does_not_say(self):
        rng = random.Random(3)
        self.assertTrue(any(NO_ANSWER in t for _ in range(100) for t, _ in chat.document(rng)[0]))


class Tokenizer(unittest.TestCase):
    def test_any_text_comes_back(self):
        tokenizer = corpus.train_tokenizer(1, 300)
        for text in ("Once upon a time", "Grüße 🦊 讲个故事 \t\n  x", "\u0000\u200d\uffff", "नमस्ते"):
            self.assertEqual(tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False), text)


if __name__ == "__main__":
    unittest.main()
