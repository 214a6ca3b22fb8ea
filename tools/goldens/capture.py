"""Runs a model of transformers once and keeps every named checkpoint on the way: the names that `rung trace` uses, in
order.

Forward hooks see modules; rotation is a plain function, so its name in the model's own file is wrapped for the length
of the run.

    pip install torch transformers
"""

import sys

import torch

TOKENS_HIDDEN = ["tokens", "hidden"]
QUERY = ["tokens", "heads", "head_dim"]
KEY = ["tokens", "kv_heads", "head_dim"]
INTERMEDIATE = ["tokens", "intermediate"]

# What a layer does, in order, and the axes of each result. A family that lacks a step lacks the checkpoint.
LAYER = {
    "attention_norm": TOKENS_HIDDEN, "q": QUERY, "k": KEY, "v": KEY, "q_norm": QUERY, "k_norm": KEY, "q_rope": QUERY,
    "k_rope": KEY,
    "attention": ["tokens", "query_dim"], "attention_output": TOKENS_HIDDEN, "attention_post_norm": TOKENS_HIDDEN,
    "attention_residual": TOKENS_HIDDEN, "mlp_norm": TOKENS_HIDDEN, "gate": INTERMEDIATE, "up": INTERMEDIATE,
    "gated": INTERMEDIATE,
    "mlp_output": TOKENS_HIDDEN, "mlp_post_norm": TOKENS_HIDDEN, "output": TOKENS_HIDDEN,
}


def checkpoint_order(layers: int) -> list[tuple[str, list[str]]]:
    inside = [(f"layer.{n}.{name}", axes) for n in range(layers) for name, axes in LAYER.items()]
    return [("embedding", TOKENS_HIDDEN), *inside, ("final_norm", TOKENS_HIDDEN), ("logits", ["tokens", "vocab"])]


class Capture:
    """Hooks on a causal model; `values` fills during its forward pass. Use as a context manager."""

    def __init__(self, model):
        self.model = model
        self.text = model.model.language_model if hasattr(model.model, "language_model") else model.model
        self.values: dict[str, torch.Tensor] = {}
        self.hooks = []
        self.modeling = sys.modules[type(self.text).__module__]
        self.rotations = 0

    def keep(self, name: str, value: torch.Tensor, *shape: int):
        value = value[0]  # a batch of one
        self.values[name] = (value.reshape(value.shape[0], *shape) if shape else value).detach().float().clone()

    def output_of(self, module, name: str, *shape: int):
        def hook(_m, _i, out):
            self.keep(name, out[0] if isinstance(out, tuple) else out, *shape)
        self.hooks.append(module.register_forward_hook(hook))

    def input_of(self, module, name: str):
        self.hooks.append(module.register_forward_pre_hook(lambda _m, args: self.keep(name, args[0])))

    def head_norm(self, module, name: str, heads: int):
        # Qwen 3 normalises [tokens, heads, head_dim], Gemma 3 [heads, tokens, head_dim].
        def hook(_m, _i, out):
            self.keep(name, out if out.shape[2] == heads and out.shape[1] == self.tokens else out.transpose(1, 2))
        self.hooks.append(module.register_forward_hook(hook))

    def layer(self, n: int, layer):
        config = self.text.config
        attention, mlp, at = layer.self_attn, layer.mlp, f"layer.{n}."
        heads, kv_heads, dim = config.num_attention_heads, config.num_key_value_heads, attention.head_dim
        self.output_of(layer.input_layernorm, at + "attention_norm")
        self.output_of(attention.q_proj, at + "q", heads, dim)
        self.output_of(attention.k_proj, at + "k", kv_heads, dim)
        self.output_of(attention.v_proj, at + "v", kv_heads, dim)
        if hasattr(attention, "q_norm"):
            self.head_norm(attention.q_norm, at + "q_norm", heads)
            self.head_norm(attention.k_norm, at + "k_norm", kv_heads)
        self.input_of(attention.o_proj, at + "attention")
        self.output_of(attention.o_proj, at + "attention_output")
        if hasattr(layer, "pre_feedforward_layernorm"):  # Gemma 3 has a norm on both sides of each half
            self.output_of(layer.post_attention_layernorm, at + "attention_post_norm")
            self.output_of(layer.post_feedforward_layernorm, at + "mlp_post_norm")
            mlp_norm = layer.pre_feedforward_layernorm
        else:
            mlp_norm = layer.post_attention_layernorm
        self.input_of(mlp_norm, at + "attention_residual")
        self.output_of(mlp_norm, at + "mlp_norm")
        self.output_of(mlp.gate_proj, at + "gate")
        self.output_of(mlp.up_proj, at + "up")
        self.input_of(mlp.down_proj, at + "gated")
        self.output_of(mlp.down_proj, at + "mlp_output")
        self.output_of(layer, at + "output")

    def __enter__(self):
        self.output_of(self.text.embed_tokens, "embedding")
        for n, layer in enumerate(self.text.layers):
            self.layer(n, layer)
        self.output_of(self.text.norm, "final_norm")
        self.rotate = self.modeling.apply_rotary_pos_emb

        def rotate_and_keep(q, k, *args, **kwargs):
            q, k = self.rotate(q, k, *args, **kwargs)
            self.keep(f"layer.{self.rotations}.q_rope", q.transpose(1, 2))
            self.keep(f"layer.{self.rotations}.k_rope", k.transpose(1, 2))
            self.rotations += 1
            return q, k

        self.modeling.apply_rotary_pos_emb = rotate_and_keep
        return self

    def __exit__(self, *_):
        self.modeling.apply_rotary_pos_emb = self.rotate
        for hook in self.hooks:
            hook.remove()

    def run(self, ids: list[int]) -> dict[str, torch.Tensor]:
        """Every checkpoint of one prompt, in order, and under "attention_weights" the probabilities of each layer (not
        a checkpoint)."""
        self.tokens, self.rotations = len(ids), 0
        with torch.no_grad():
            out = self.model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True)
        self.keep("logits", out.logits)
        assert self.rotations == len(self.text.layers)
        order = [name for name, _ in checkpoint_order(len(self.text.layers)) if name in self.values]
        assert set(order) == set(self.values), set(self.values) - set(order)
        return {**{name: self.values[name] for name in order},
                "attention_weights": torch.stack([a[0] for a in out.attentions])}
