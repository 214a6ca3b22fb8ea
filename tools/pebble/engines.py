"""Two ways to let pebble speak: through rung, and through transformers (the official implementation).

Enters: [(prompt, seed)], where a prompt is plain text that may hold control tokens. Leaves: [(text, whether it ended by
itself)].
"""
import concurrent.futures
import json
import os
import subprocess

import chat


def make(name, model, rung, temperature):
    return Rung(model, rung, temperature) if name == "rung" else Transformers(model, temperature)


class Rung:
    def __init__(self, model, rung, temperature):
        self.command = [rung, "generate", "-m", model, "--json", "--threads", "1", "--temperature", str(temperature)]

    def complete(self, prompts, most):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:   # a process of one thread each
            return list(several.map(lambda prompt: self.one(*prompt, most), prompts))

    def one(self, prompt, seed, most):
        command = self.command + ["--seed", str(seed), "--max-tokens", str(most), "--", prompt]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        return answer["text"], answer["stop"] == "end-of-text"


class Transformers:
    def __init__(self, model, temperature):
        import torch
        from tokenizers import Tokenizer
        from transformers import Qwen3ForCausalLM
        self.torch, self.temperature = torch, temperature
        self.tokenizer = Tokenizer.from_file(model + "/tokenizer.json")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = Qwen3ForCausalLM.from_pretrained(model, dtype=torch.float32).eval().to(self.device)
        self.stops = [self.tokenizer.token_to_id(t) for t in (chat.STOP, chat.END)]

    def complete(self, prompts, most):
        """Sorted by length, in batches padded on the left; every sample draws from its own generator, so that its seed
        decides it."""
        batch = 50 if self.device == "cpu" else len(prompts)
        encoded = [self.tokenizer.encode(p, add_special_tokens=False).ids for p, _ in prompts]
        order = sorted(range(len(prompts)), key=lambda i: len(encoded[i]))
        out = [None] * len(prompts)
        for begin in range(0, len(order), batch):
            chosen = order[begin:begin + batch]
            for i, answer in zip(chosen, self._batch([encoded[i] for i in chosen], [prompts[i][1] for i in chosen],
                                                     most)):
                out[i] = answer
        return out

    def _batch(self, encoded, seeds, most):
        torch = self.torch
        width = max(map(len, encoded))
        ids = torch.tensor([[0] * (width - len(e)) + e for e in encoded], device=self.device)
        mask = torch.tensor([[0] * (width - len(e)) + [1] * len(e) for e in encoded], device=self.device)
        position = (mask.cumsum(1) - 1).clamp(min=0)
        generators = [torch.Generator().manual_seed(s) for s in seeds]
        told, ended, cache = [[] for _ in encoded], [False] * len(encoded), None
        with torch.no_grad():
            for _ in range(min(most, 512 - width)):
                result = self.model(input_ids=ids, attention_mask=mask, position_ids=position, past_key_values=cache,
                                    use_cache=True)
                cache = result.past_key_values
                weights = torch.softmax(result.logits[:, -1].float() / self.temperature, -1).cpu()
                drawn = torch.stack([torch.multinomial(w, 1, generator=g) for w, g in zip(weights, generators)])
                for i, token in enumerate(drawn[:, 0].tolist()):
                    if not ended[i]:
                        ended[i] = token in self.stops
                        told[i] += [] if ended[i] else [token]
                if all(ended):
                    break
                ids, position = drawn.to(self.device), position[:, -1:] + 1
                mask = torch.cat([mask, torch.ones(len(encoded), 1, dtype=mask.dtype, device=self.device)], 1)
        return [(self.tokenizer.decode(t), e) for t, e in zip(told, ended)]
