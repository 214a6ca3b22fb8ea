"""The shape of pebble, and the writing of its folder: config, weights in bf16, tokenizer with its chat template, loss
curve.

Enters: build/pebble/checkpoint.pt and tokenizer.json. Leaves: models/pebble/ as transformers and rung read it.
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

import chat
import corpus

TEMPLATE = ("{% for message in messages %}"
            "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def make_config():
    return Qwen3Config(vocab_size=corpus.VOCABULARY, hidden_size=192, intermediate_size=352, num_hidden_layers=5,
                       num_attention_heads=4,
                       num_key_value_heads=2, head_dim=32, max_position_embeddings=corpus.CONTEXT, rms_norm_eps=1e-6,
                       tie_word_embeddings=True, bos_token_id=None, eos_token_id=0, initializer_range=0.04)


def make_model():
    model = Qwen3ForCausalLM(make_config())
    # what is added to the residual stream starts small, so that five layers start as calmly as one
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.mul_(0.3)
            layer.mlp.down_proj.weight.mul_(0.3)
    return model


def write(build, folder):
    os.makedirs(folder, exist_ok=True)
    state = torch.load(os.path.join(build, "checkpoint.pt"), weights_only=False, map_location="cpu")
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in state["model"].items() if k != "lm_head.weight"}
    save_file(weights, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    config = make_config().to_dict()
    config.pop("rope_parameters", None)
    config = {k: config[k] for k in ("attention_bias", "attention_dropout", "head_dim", "hidden_act", "hidden_size",
                                     "initializer_range",
                                     "intermediate_size", "max_position_embeddings", "model_type",
                                     "num_attention_heads",
                                     "num_hidden_layers", "num_key_value_heads", "rms_norm_eps", "tie_word_embeddings",
                                     "use_cache",
                                     "vocab_size")}
    config |= {"architectures": ["Qwen3ForCausalLM"], "bos_token_id": None, "eos_token_id": 0, "rope_theta": 10000.0,
               "torch_dtype": "bfloat16"}
    dump(folder, "config.json", dict(sorted(config.items())))
    dump(folder, "generation_config.json", {"do_sample": True, "temperature": 0.7, "eos_token_id": [0, 2],
                                            "pad_token_id": 0})
    dump(folder, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": corpus.CONTEXT, "add_bos_token": False,
        "bos_token": None,
        "eos_token": chat.END, "pad_token": chat.STOP, "unk_token": None, "clean_up_tokenization_spaces": False,
        "additional_special_tokens": [chat.START, chat.END], "chat_template": TEMPLATE})
    tokenizer = json.load(open(os.path.join(build, "tokenizer.json"), encoding="utf-8"))
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
        json.dump(tokenizer, f, ensure_ascii=False, indent=0)
        f.write("\n")
    dump(folder, "training.json", {
        **state["facts"], "parameters": sum(v.numel() for v in weights.values()), "command": state["command"],
        "machine": state["machine"],
        "batch_rows": state["batch_rows"], "rate": state["rate"], "warmup_steps": state["warmup_steps"],
        "steps": state["step"],
        "tokens_trained": state["step"] * state["batch_rows"] * corpus.CONTEXT,
        "minutes": round(state["seconds"] / 60, 1)})
    with open(os.path.join(folder, "loss.svg"), "w", encoding="utf-8") as f:
        f.write(curve_svg(state["curve"]))


def dump(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2, ensure_ascii=False)
        f.write("\n")


def curve_svg(curve, width=640, height=300):
    """Training loss (thin) and held-out loss (dots) over tokens, the loss on a logarithmic axis."""
    import math
    if not curve:
        return "<svg xmlns='http://www.w3.org/2000/svg'/>\n"
    left, right, top, bottom = 56, 16, 16, 40
    last = max(c[0] for c in curve)
    low, high = 0.9 * min(c[1] for c in curve), 1.05 * max(c[1] for c in curve)
    low, high = min([low] + [0.95 * c[2] for c in curve if c[2]]), high
    px = lambda t: left + (width - left - right) * t / last
    py = lambda l: top + (height - top - bottom) * (math.log(high) - math.log(l)) / (math.log(high) - math.log(low))
    keep = curve[::max(1, len(curve) // 250)]
    line = " ".join(f"{px(t):.1f},{py(l):.1f}" for t, l, _ in keep)
    dots = "".join(f"<circle cx='{px(t):.1f}' cy='{py(h):.1f}' r='2.2'/>" for t, _, h in curve if h)
    ticks = [v for v in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2, 3, 4, 5, 7) if low <= v <= high]
    rules = "".join(f"<path d='M{left} {py(v):.1f}H{width - right}' stroke='#8884'/>"
                    f"<text x='{left - 8}' y='{py(v) + 4:.1f}' text-anchor='end'>{v}</text>" for v in ticks)
    marks = "".join(f"<text x='{px(last * i / 4):.1f}' y='{height - 20}' text-anchor='middle'>{last * i / 4e6:.0f} "
                    f"M</text>"
                    for i in range(5))
    return (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='sans-serif' "
            f"font-size='11' fill='#777'>"
            f"{rules}{marks}<text x='{width / 2}' y='{height - 4}' text-anchor='middle'>"
            "tokens · line: training loss, dots: held-out loss (nats per token)</text>"
            f"<polyline points='{line}' fill='none' stroke='#3b82c4' stroke-width='1.2'/><g "
            f"fill='#d2691e'>{dots}</g></svg>\n")
