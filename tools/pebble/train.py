#!/usr/bin/env python3
"""Trains pebble from a seed: corpus, tokenizer, model, and the files that `rung` reads.

    pip install torch transformers tokenizers safetensors numpy
    python3 tools/pebble/train.py                 # everything; resumes where it was interrupted
    python3 tools/pebble/train.py --quick         # a small taste in about 3 minutes
    python3 tools/pebble/train.py --steps 4000    # end there; one may decide while it runs: interrupt it, start it again with --steps

Enters: nothing but the settings below. Leaves: build/pebble/ (corpus, checkpoint, log) and, at the end or with --export, the model folder.
The learning rate warms up, stays, and decays at the end (WSD), so that one may decide late how long to train.
"""
import argparse
import os
import sys
import tempfile
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import corpus
import export
from export import make_model

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BATCH_ROWS, PEAK_RATE, WARMUP_STEPS, DECAY_SHARE, WEIGHT_DECAY = 8, 3e-3, 100, 0.25, 0.1
STOP_ID = 0


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tokens", type=float, default=20.2e6, help="size of the corpus (default 20.2e6)")
    p.add_argument("--steps", type=int, help="length of the training (default: the corpus once)")
    p.add_argument("--quick", action="store_true", help="0.8 M tokens: a taste in about 3 minutes, into build/pebble-quick/model")
    p.add_argument("--build", help="working folder (default build/pebble)")
    p.add_argument("--model", help="folder for the finished model (default models/pebble)")
    p.add_argument("--workers", type=int, default=2, help="processes of one thread each that share a batch (default 2)")
    p.add_argument("--export", action="store_true", help="only write the model folder from the last checkpoint")
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    a.tokens = 0.8e6 if a.quick else a.tokens
    a.build = a.build or os.path.join(ROOT, "build", "pebble-quick" if a.quick else "pebble")
    a.model = a.model or (os.path.join(a.build, "model") if a.quick else os.path.join(ROOT, "models", "pebble"))
    return a


def batch_of(rows):
    """Inputs, targets (−100: not learned), positions and mask: a document sees only itself, and begins at position 0, as it will in use."""
    rows = torch.from_numpy(rows.astype(np.int64))
    ids = rows & (corpus.SKIP - 1)
    x, y = ids[:, :-1], torch.where(rows >= corpus.SKIP, -100, ids)[:, 1:]
    starts = F.pad(x[:, :-1] == STOP_ID, (1, 0))
    document = starts.cumsum(1)
    index = torch.arange(x.shape[1]).expand_as(x)
    position = index - torch.where(starts, index, 0).cummax(1).values
    mask = (document[:, :, None] == document[:, None, :]) & (index[:, :, None] >= index[:, None, :])
    return x, y, position, mask[:, None]


def loss_of(model, x, y, position, mask):
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=x, position_ids=position, attention_mask=mask, use_cache=False).logits
    return F.cross_entropy(logits.float().flatten(0, 1), y.flatten(), ignore_index=-100)


def rate_at(done):
    """done: the share of the training that is over. The rate stays, and falls linearly to zero at the end."""
    return min(1.0, max(0.0, (1.0 - done) / DECAY_SHARE))


class Training:
    """One worker of several: each computes the gradient of its rows, then all take the mean. Two processes of one thread meet once a step;
    two threads of one process would meet in every operation, which is slow on a machine that does other work too."""

    def __init__(self, a, log, rank):
        self.a, self.log, self.rank = a, log if rank == 0 else lambda text: None, rank
        torch.manual_seed(a.seed)
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.tokenizer, self.rows, self.heldout, self.facts = corpus.prepare(a.build, a.seed, int(a.tokens), self.log)
        self.model = make_model()
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
                                           lr=PEAK_RATE, betas=(0.9, 0.98), fused=True)
        self.step, self.seconds, self.curve = 0, 0.0, []   # curve: [tokens, loss, held-out loss or None]
        self.checkpoint = os.path.join(a.build, "checkpoint.pt")
        if os.path.exists(self.checkpoint):
            state = torch.load(self.checkpoint, weights_only=False)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
            self.log(f"resumed at step {self.step}")
        self.steps = min(a.steps or 1 << 30, len(self.rows) // BATCH_ROWS)
        self.loss = loss_of if a.no_compile else torch.compile(loss_of)

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
                 "curve": self.curve, "facts": self.facts, "batch_rows": BATCH_ROWS}
        torch.save(state, self.checkpoint + ".new")
        os.replace(self.checkpoint + ".new", self.checkpoint)

    @torch.no_grad()
    def heldout_loss(self):
        losses = [self.loss(self.model, *batch_of(self.heldout[i:i + BATCH_ROWS])).item() for i in range(0, len(self.heldout) - BATCH_ROWS + 1, BATCH_ROWS)]
        return sum(losses) / len(losses)

    def mean_gradient(self):
        gradients = [p.grad for p in self.model.parameters()]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.a.workers
        for g, part in zip(gradients, flat.split([g.numel() for g in gradients])):
            g.copy_(part.view_as(g))

    def batch(self):
        """The rows of this step that are this worker's."""
        first = self.step * BATCH_ROWS
        return batch_of(np.asarray(self.rows[first + self.rank:first + BATCH_ROWS:self.a.workers]))

    def run(self):
        a, recent, saved = self.a, [], time.time()
        while self.step < self.steps:
            started = time.time()
            scale = min(1.0, (self.step + 1) / WARMUP_STEPS) * rate_at(self.step / self.steps)
            for group in self.optimizer.param_groups:
                group["lr"] = PEAK_RATE * scale
            loss = self.loss(self.model, *self.batch())
            loss.backward()
            self.mean_gradient()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            self.seconds += time.time() - started
            recent.append((loss.item(), time.time() - started))
            tokens = self.step * BATCH_ROWS * corpus.CONTEXT
            if self.step % 20 == 0:
                mean = sum(l for l, _ in recent) / len(recent)
                speed = len(recent) * BATCH_ROWS * corpus.CONTEXT / sum(s for _, s in recent)
                heldout = self.heldout_loss() if self.step % 200 == 0 and self.rank == 0 else None
                self.curve.append([tokens, round(mean, 4), heldout and round(heldout, 4)])
                self.log(f"step {self.step}/{self.steps}  {tokens / 1e6:6.2f} M tokens  loss {mean:.4f}" + (f"  held out {heldout:.4f}" if heldout else "")
                         + f"  rate {PEAK_RATE * scale:.1e}  {speed:.0f} tokens/s")
                recent = []
            if self.rank == 0 and time.time() - saved > 120:
                self.save()
                saved = time.time()
        if self.rank == 0:
            self.save()


def work(rank, a, meeting):
    dist.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=a.workers)
    log = logger(a)
    training = Training(a, log, rank)
    training.log(f"{sum(p.numel() for p in training.model.parameters()) / 1e6:.3f} M parameters, {training.facts['tokens'] / 1e6:.1f} M tokens")
    training.run()
    dist.barrier()
    dist.destroy_process_group()


def logger(a):
    logfile = open(os.path.join(a.build, "train.log"), "a", encoding="utf-8")

    def log(text):
        print(text, file=sys.stderr, flush=True)
        print(time.strftime("%H:%M:%S"), text, file=logfile, flush=True)
    return log


def main():
    a = parse_arguments()
    os.makedirs(a.build, exist_ok=True)
    log = logger(a)
    if not a.export:
        corpus.prepare(a.build, a.seed, int(a.tokens), log)
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(work, (a, os.path.join(folder, "meeting")), nprocs=a.workers)
    export.write(a.build, a.model)
    log(f"wrote {a.model}")


if __name__ == "__main__":
    main()
