#!/usr/bin/env python3
"""Trains pebble from a seed: corpus, tokenizer, model, and the files that `rung` reads.

    pip install torch transformers tokenizers safetensors numpy
    python3 tools/pebble/train.py                    # everything; resumes where it was interrupted; on a GPU if there
    is one
    python3 tools/pebble/train.py --quick            # a small taste in about 3 minutes on two cores
    python3 tools/pebble/train.py --steps 4000       # end there; one may decide while it runs: interrupt it, start it
    again with --steps
    python3 tools/pebble/train.py --minutes 7        # be done, with the corpus and all, after 7 minutes: as many steps
    as fit

Enters: nothing but the settings below. Leaves: build/pebble/ (corpus, checkpoint, log) and, at the end or with
--export, the model folder. The learning rate warms up, stays, and decays at the end (WSD), so that one may decide late
how long to train.
"""
import argparse
import os
import shlex
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
WARMUP_STEPS, DECAY_SHARE, WEIGHT_DECAY = 100, 0.25, 0.1
CPU = {"rows": 8, "rate": 3e-3, "tokens": 20_200_000, "epochs": 1}   # rows of a batch, and the rate that suits it
GPU = {"rows": 64, "rate": 4e-3, "tokens": 96_000_000, "epochs": 8}
QUICK_TOKENS = 600_000
STOP_ID = 0
STARTED = time.time()


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tokens", type=float, help="size of the corpus (default 20.2e6, on a GPU 96e6)")
    p.add_argument("--steps", type=int, help="length of the training (default: the corpus once, on a GPU eight times)")
    p.add_argument("--minutes", type=float, help="end so many minutes after the start, the corpus included; the rate "
                                                 "decays in time for it")
    p.add_argument("--quick", action="store_true", help="0.6 M tokens once: a taste in about 3 minutes, into "
                                                        "build/pebble-quick/model")
    p.add_argument("--device", choices=["cpu", "cuda"], help="default: a GPU if there is one")
    p.add_argument("--batch-rows", type=int, help="rows of 512 tokens a step (default 8, on a GPU 64)")
    p.add_argument("--rate", type=float, help="the learning rate while it stays (default 3e-3, on a GPU 4e-3)")
    p.add_argument("--build", help="working folder (default build/pebble)")
    p.add_argument("--model", help="folder for the finished model (default models/pebble)")
    p.add_argument("--workers", type=int, help="processes that make the corpus (default: one a core) and, on a CPU, "
                                               "train (default 2)")
    p.add_argument("--export", action="store_true", help="only write the model folder from the last checkpoint")
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    a.device = a.device or ("cuda" if torch.cuda.is_available() else "cpu")
    usual = GPU if a.device == "cuda" and not a.quick else CPU
    a.tokens = int(a.tokens or (QUICK_TOKENS if a.quick else usual["tokens"]))
    a.batch_rows, a.rate, a.epochs = a.batch_rows or usual["rows"], a.rate or usual["rate"], usual["epochs"]
    a.together = 1 if a.device == "cuda" else a.workers or 2
    a.started = STARTED
    a.build = a.build or os.path.join(ROOT, "build", "pebble-quick" if a.quick else "pebble")
    a.model = a.model or (os.path.join(a.build, "model") if a.quick else os.path.join(ROOT, "models", "pebble"))
    return a


def batch_of(rows):
    """Inputs, targets (−100: not learned), positions, mask: a document sees only itself, and begins at position 0, as
    it will in use."""
    ids = rows & (corpus.SKIP - 1)
    x, y = ids[:, :-1], torch.where(rows >= corpus.SKIP, -100, ids)[:, 1:]
    starts = F.pad(x[:, :-1] == STOP_ID, (1, 0))
    document = starts.cumsum(1)
    index = torch.arange(x.shape[1], device=x.device).expand_as(x)
    position = index - torch.where(starts, index, 0).cummax(1).values
    mask = (document[:, :, None] == document[:, None, :]) & (index[:, :, None] >= index[:, None, :])
    return x, y, position, mask[:, None]


def loss_of(model, x, y, position, mask):
    with torch.autocast(x.device.type, torch.bfloat16):
        logits = model(input_ids=x, position_ids=position, attention_mask=mask, use_cache=False).logits
    return F.cross_entropy(logits.float().flatten(0, 1), y.flatten(), ignore_index=-100)


def rate_at(done):
    """done: the share of the training that is over. The rate stays, and falls linearly to zero at the end."""
    return min(1.0, max(0.0, (1.0 - done) / DECAY_SHARE))


def new_optimizer(model, a):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": WEIGHT_DECAY},
                              {"params": vectors, "weight_decay": 0.0}],
                             lr=a.rate, betas=(0.9, 0.98), fused=True)


class Training:
    """One worker of several: each computes the gradient of its rows, then all take the mean. Two processes of one
    thread meet once a step; two threads of one process would meet in every operation, which is slow on a machine that
    does other work too. On a GPU there is one."""

    def __init__(self, a, log, rank):
        self.a, self.log, self.rank = a, log if rank == 0 else lambda text: None, rank
        torch.manual_seed(a.seed)
        torch.set_flush_denormal(True)
        self.model = make_model().to(a.device)
        self.optimizer = new_optimizer(self.model, a)
        self.loss = loss_of if a.no_compile else self.compiled()
        self.step, self.seconds, self.curve = 0, 0.0, []   # curve: [tokens, loss, held-out loss or None]
        self.checkpoint = os.path.join(a.build, "checkpoint.pt")
        if os.path.exists(self.checkpoint):
            state = torch.load(self.checkpoint, weights_only=False, map_location=a.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
            self.log(f"resumed at step {self.step}")

    def compiled(self):
        """The loss, compiled, and tried once on rows of nothing; on a machine that cannot compile, the plain
        function."""
        started, loss = time.time(), torch.compile(loss_of)
        try:
            rows = self.a.batch_rows // self.a.together
            loss(self.model, *batch_of(torch.ones(rows, corpus.CONTEXT + 1, dtype=torch.int64,
                                                  device=self.a.device))).backward()
            self.log(f"compiled in {time.time() - started:.0f} s")
        except Exception as error:  # whatever it is: without a compiler training is only slower
            self.log(f"not compiled: {(str(error).splitlines() or [type(error).__name__])[0]}")
            torch._dynamo.reset()
            loss = loss_of
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def take(self, prepared):
        """What corpus.prepare made. On a GPU the whole corpus lies there; bit 15 is the sign of an int16."""
        a = self.a
        self.tokenizer, self.rows, self.heldout, self.facts = prepared
        self.rows_of_an_epoch = len(self.rows) // a.batch_rows * a.batch_rows
        self.order, self.epoch = None, -1
        self.steps = a.steps or (1 << 40 if a.minutes else self.rows_of_an_epoch // a.batch_rows * a.epochs)
        if a.device == "cuda":
            self.rows = torch.from_numpy(np.array(self.rows).view(np.int16)).to(a.device)
        self.log(f"{sum(p.numel() for p in self.model.parameters()) / 1e6:.3f} M parameters, "
                 f"{self.facts['tokens'] / 1e6:.1f} M tokens, "
                 f"{machine(a.device)}; {time.time() - a.started:.0f} s since the start")

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step,
                 "seconds": self.seconds,
                 "curve": self.curve, "facts": self.facts, "batch_rows": self.a.batch_rows, "rate": self.a.rate,
                 "warmup_steps": WARMUP_STEPS,
                 "machine": machine(self.a.device),
                 "command": " ".join(["python3 tools/pebble/train.py", *map(shlex.quote, sys.argv[1:])])}
        torch.save(state, self.checkpoint + ".new")
        os.replace(self.checkpoint + ".new", self.checkpoint)

    def to_batch(self, rows):
        return batch_of(torch.from_numpy(np.asarray(rows).astype(np.int64)).to(self.a.device))

    @torch.no_grad()
    def heldout_loss(self):
        """The plain function: compiled once more for this alone would cost more than it saves."""
        n = self.a.batch_rows
        losses = [loss_of(self.model, *self.to_batch(self.heldout[i:i + n])).item() for i
                  in range(0, len(self.heldout) - n + 1, n)]
        return sum(losses) / len(losses)

    def mean_gradient(self):
        gradients = [p.grad for p in self.model.parameters()]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.a.together
        for g, part in zip(gradients, flat.split([g.numel() for g in gradients])):
            g.copy_(part.view_as(g))

    def batch(self):
        """The rows of this step that are this worker's. Each epoch has an order of its own, from the seed."""
        epoch, first = divmod(self.step * self.a.batch_rows, self.rows_of_an_epoch)
        if epoch != self.epoch:
            self.epoch, order = epoch, np.random.default_rng([self.a.seed, epoch]).permutation(len(self.rows))
            self.order = torch.from_numpy(order).to(self.a.device) if self.a.device == "cuda" else order
        chosen = self.order[first + self.rank:first + self.a.batch_rows:self.a.together]
        if self.a.device == "cuda":
            return batch_of(self.rows[chosen].long() & 0xFFFF)
        return self.to_batch(self.rows[np.sort(chosen)])

    def done(self):
        """How much of the training is over, 0 to 1: by steps, or by the clock (of the first worker)."""
        share = self.step / self.steps
        if not self.a.minutes:
            return share
        left = max(0.0, self.a.started + 60 * self.a.minutes - time.time())
        share = max(share, self.seconds / max(1e-9, self.seconds + left)) if left else 1.0
        if self.a.together > 1:
            agreed = torch.tensor(share, dtype=torch.float64)
            dist.broadcast(agreed, 0)
            share = agreed.item()
        return share

    def one_step(self, done):
        scale = min(1.0, (self.step + 1) / WARMUP_STEPS) * rate_at(done)
        for group in self.optimizer.param_groups:
            group["lr"] = self.a.rate * scale
        loss = self.loss(self.model, *self.batch())
        loss.backward()
        if self.a.together > 1:
            self.mean_gradient()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.detach(), self.a.rate * scale

    def run(self):
        a, recent, saved, each = self.a, [], time.time(), 100 if self.a.device == "cuda" else 20
        last = self.reported = time.time()
        while (done := self.done()) < 1.0:
            loss, rate = self.one_step(done)
            recent.append(loss)
            now = time.time()
            self.seconds, last = self.seconds + now - last, now
            if self.step % each == 0:
                mean = torch.stack(recent).mean().item()   # a GPU is waited for here alone
                heldout = self.heldout_loss() if self.step % (10 * each) == 0 and self.rank == 0 else None
                self.curve.append([self.step * a.batch_rows * corpus.CONTEXT, round(mean, 4), heldout
                                   and round(heldout, 4)])
                self.report(mean, heldout, done, rate, len(recent) * a.batch_rows * corpus.CONTEXT)
                recent = []
            if self.rank == 0 and time.time() - saved > 60:
                self.save()
                saved = time.time()
        if self.rank == 0:
            heldout = round(self.heldout_loss(), 4)
            if recent:
                self.curve.append([self.step * a.batch_rows * corpus.CONTEXT,
                                   round(torch.stack(recent).mean().item(), 4), heldout])
            self.log(f"held out {heldout:.4f} after {self.step} steps, {self.seconds / 60:.1f} minutes")
            self.save()

    def report(self, mean, heldout, done, rate, tokens):
        now = time.time()
        speed, self.reported = tokens / (now - self.reported), now
        trained = self.step * self.a.batch_rows * corpus.CONTEXT / 1e6
        self.log(f"step {self.step} ({100 * done:.1f}%)  {trained:6.2f} M tokens  loss {mean:.4f}"
                 + (f"  held out {heldout:.4f}" if heldout else "") + f"  rate {rate:.1e}  {speed:.0f} tokens/s")


def machine(device):
    return f"one {torch.cuda.get_device_name()}" if device == "cuda" else "CPU cores"


def train_on_gpu(a, log):
    torch.backends.cuda.enable_cudnn_sdp(False)   # the others know masks of any kind
    torch.backends.cuda.matmul.allow_tf32 = True
    made = []   # while the processors make the corpus, the GPU's program is compiled
    prepared = corpus.prepare(a.build, a.seed, a.tokens, log, a.workers,
                              meanwhile=lambda: made.append(Training(a, log, 0)))
    made[0].take(prepared)
    made[0].run()


def work(rank, a, meeting):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=a.together)
    training = Training(a, logger(a), rank)
    training.take(corpus.prepare(a.build, a.seed, a.tokens))
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
    if a.export:
        pass
    elif a.device == "cuda":
        train_on_gpu(a, log)
    else:
        corpus.prepare(a.build, a.seed, a.tokens, log, a.workers)
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(work, (a, os.path.join(folder, "meeting")), nprocs=a.together)
    export.write(a.build, a.model)
    log(f"wrote {a.model}, {time.time() - STARTED:.0f} s since the start")


if __name__ == "__main__":
    main()
