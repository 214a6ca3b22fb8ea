"""The tiny models: one for each thing that families, configurations and files can differ in. Data only.

Each is (configuration class of transformers, its arguments, how it is stored). Together they hold GQA ratios 1, 2, 3
and 8, tied and untied heads, heads that are not hidden ÷ heads wide, every rope scaling, windows shorter than the
prompt, and biases wherever a family has them.
"""

COMMON = dict(vocab_size=160, hidden_size=48, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2,
              head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-3)
# An epsilon of 1e-3, so that the wrong one is seen: at 1e-6 no activation is small enough for it to matter.

LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)  # wavelengths 6.3 | 20, 63 | 199…: kept, blended, stretched


def gemma_rope(theta=1e6, local_theta=1e4, **scaling):
    return dict(full_attention=dict(dict(rope_type="default", rope_theta=theta), **scaling),
                sliding_attention=dict(rope_type="default", rope_theta=local_theta))


VISION = dict(model_type="siglip_vision_model", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
              num_attention_heads=1,
              image_size=4, patch_size=2, num_channels=3)


class Variant:
    def __init__(self, family, shows, tokens=12, dtype="bfloat16", shard_bytes=None, old_dialect=False, nested=False,
                 gguf=None, lengths=(), ollama=False, **config):
        self.family, self.shows, self.tokens, self.dtype = family, shows, tokens, dtype
        self.lengths = lengths  # of more prompts, whose last logits are kept, where the rope goes by a text's length
        self.ollama = ollama  # a GGUF as Ollama writes it: keys left out, the parts for pictures in the same file
        self.shard_bytes, self.old_dialect, self.nested = shard_bytes, old_dialect, nested
        self.gguf = gguf  # the block format of each kind of matrix
        self.config = {**COMMON, **config}


VARIANTS = {
    "llama": Variant("llama", "the plain case: GQA 2, its own head, heads of 16 in a model of 48 / 4",
                     old_dialect=True),
    "llama-linear": Variant("llama", "linear rope scaling, as many key as query heads, tied head, head_dim by default",
                            old_dialect=True,
                            num_key_value_heads=4, head_dim=None, tie_word_embeddings=True, rms_norm_eps=1e-6,
                            rope_parameters=dict(rope_type="linear", rope_theta=5000.0, factor=2.5)),
    "llama-llama3": Variant("llama", "llama3 rope scaling with all three bands, GQA 3, tied head", old_dialect=True,
                            num_attention_heads=6,
                            head_dim=24, tie_word_embeddings=True, rope_parameters=LLAMA3),
    "llama-yarn": Variant("llama", "YaRN with an attention factor, its own betas, a ramp that is not truncated; GQA 8",
                          old_dialect=True,
                          num_attention_heads=8, num_key_value_heads=1,
                          rope_parameters=dict(rope_type="yarn", rope_theta=500.0, factor=4.0,
                                               original_max_position_embeddings=64,
                                               attention_factor=1.3, beta_fast=4.0, beta_slow=0.5, truncate=False)),
    "llama-bias": Variant("llama", "biases on every projection, f16 weights", dtype="float16", attention_bias=True,
                          mlp_bias=True),
    "llama-sharded": Variant("llama", "weights in several files, f32, three layers", dtype="float32",
                             shard_bytes=60_000,
                             num_hidden_layers=3, hidden_size=32, intermediate_size=40, tie_word_embeddings=True,
                             tokens=10,
                             rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                                  original_max_position_embeddings=64,
                                                  mscale=0.7, mscale_all_dim=1.2)),
    "llama-dynamic": Variant("llama", "dynamic rope scaling, a prompt of 24 in a model made for 16; GQA 2, tied head",
                             old_dialect=True, tokens=24, lengths=(10, 16, 17, 40, 64), max_position_embeddings=16,
                             tie_word_embeddings=True,
                             rope_parameters=dict(rope_type="dynamic", rope_theta=1000.0, factor=4.0)),
    "qwen2": Variant("qwen2", "biases on q, k and v; tied head, GQA 3, head_dim by default", old_dialect=True,
                     num_attention_heads=6,
                     head_dim=None, tie_word_embeddings=True,
                     rope_parameters=dict(rope_type="default", rope_theta=1e6)),
    "qwen2-window": Variant("qwen2", "sliding windows of 4 from the second layer on, linear rope scaling",
                            old_dialect=True,
                            num_hidden_layers=3, use_sliding_window=True, sliding_window=4, max_window_layers=1,
                            hidden_size=32,
                            rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0)),
    "qwen2-yarn": Variant("qwen2", "YaRN by its defaults, GQA 8, head_dim given", old_dialect=True,
                          num_attention_heads=8,
                          num_key_value_heads=1, head_dim=24,
                          rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                               original_max_position_embeddings=64)),
    "qwen3": Variant("qwen3", "q and k norms; tied head, GQA 2, heads of 24", old_dialect=True, head_dim=24,
                     tie_word_embeddings=True,
                     rope_parameters=dict(rope_type="default", rope_theta=1e6)),
    "qwen3-yarn": Variant("qwen3", "YaRN with mscale and mscale_all_dim, the original context by default, its own "
                                   "head, GQA 8",
                          old_dialect=True, num_attention_heads=8, num_key_value_heads=1,
                          rope_parameters=dict(rope_type="yarn", rope_theta=1000.0, factor=2.0, mscale=0.8,
                                               mscale_all_dim=0.4,
                                               beta_fast=8.0)),
    "qwen3-longrope": Variant("qwen3", "LongRoPE: factors for texts up to 16 tokens, others beyond; its own head",
                              old_dialect=True, tokens=24, lengths=(10, 16, 17, 40, 64), max_position_embeddings=64,
                              rope_parameters=dict(rope_type="longrope", rope_theta=10000.0,
                                                   original_max_position_embeddings=16,
                                                   short_factor=[1.0, 1.25, 0.75, 1.5, 2.0, 1.0, 3.0, 2.5],
                                                   long_factor=[1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 5.0, 8.0])),
    "qwen3-window": Variant("qwen3", "layer types given, window of 5, attention biases, GQA 3, linear rope scaling",
                            num_hidden_layers=3,
                            hidden_size=32, num_attention_heads=6, attention_bias=True, use_sliding_window=True,
                            sliding_window=5,
                            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                            rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
    "gemma3": Variant("gemma3", "local and global layers, two rope bases, the global one scaled by 8; window of 4",
                      old_dialect=True,
                      num_hidden_layers=3, sliding_window=4, query_pre_attn_scalar=10,
                      layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                      rope_parameters=gemma_rope(rope_type="linear", factor=8.0)),
    "gemma3-pattern": Variant("gemma3",
                              "a global layer every second, its own head, attention biases, GQA 8, no scaling",
                              old_dialect=True,
                              num_hidden_layers=4, hidden_size=32, intermediate_size=40, num_attention_heads=8,
                              num_key_value_heads=1,
                              tokens=10, sliding_window=3, query_pre_attn_scalar=24, tie_word_embeddings=False,
                              attention_bias=True,
                              layer_types=["sliding_attention", "full_attention"] * 2,
                              rope_parameters=gemma_rope(5e5, 2e3)),
    "gemma3-nested": Variant("gemma3",
                             "the text half of a model that also sees: text_config, language_model.*, tensors to leave "
                             "alone; GQA 3",
                             old_dialect=True, nested=True, hidden_size=36, num_attention_heads=6, intermediate_size=48,
                             sliding_window=5,
                             query_pre_attn_scalar=16, tokens=11, layer_types=["sliding_attention", "full_attention"],
                             rope_parameters=gemma_rope(rope_type="linear", factor=8.0)),
    "llama-gguf": Variant("llama",
                          "GGUF: paired query and key rows and biases, llama3 scaling as rope_freqs.weight, tied head; "
                          "q8_0, f16, f32",
                          gguf=dict(o_proj="F32", self_attn="F16", mlp="Q8_0", embed_tokens="Q8_0"), hidden_size=64,
                          intermediate_size=96,
                          head_dim=24, attention_bias=True, tie_word_embeddings=True, rope_parameters=LLAMA3),
    "qwen2-gguf": Variant("qwen2", "GGUF: biases, YaRN, its own head; q8_0 and bf16", hidden_size=64,
                          intermediate_size=96, head_dim=None,
                          gguf=dict(self_attn="BF16", mlp="Q8_0", embed_tokens="F16", lm_head="Q8_0"),
                          rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                               original_max_position_embeddings=64)),
    "qwen3-gguf": Variant("qwen3", "GGUF: q and k norms, linear rope scaling, GQA 3, tied head; q4_0, q4_1, q5_0, q5_1",
                          hidden_size=64,
                          intermediate_size=96, num_attention_heads=6, tie_word_embeddings=True,
                          gguf=dict(q_proj="Q4_1", self_attn="Q5_0", down_proj="Q5_1", mlp="Q4_0", embed_tokens="Q8_0"),
                          rope_parameters=dict(rope_type="linear", rope_theta=1e6, factor=4.0)),
    "gemma3-gguf": Variant("gemma3",
                           "GGUF: norms that carry their 1, a global layer every sixth, the global rope base scaled by "
                           "8; q8_0, f16",
                           tokens=10, gguf=dict(self_attn="F16", mlp="Q8_0", embed_tokens="Q8_0"), num_hidden_layers=7,
                           hidden_size=32,
                           intermediate_size=32, num_attention_heads=2, num_key_value_heads=1, head_dim=32,
                           vocab_size=96, sliding_window=3,
                           query_pre_attn_scalar=32, rope_parameters=gemma_rope(rope_type="linear", factor=8.0)),
    "gemma3-ollama-gguf": Variant("gemma3",
                                  "GGUF as Ollama writes it: no epsilon, no ropes, no scaling; parts for pictures",
                                  tokens=10, gguf=dict(self_attn="F16", mlp="Q8_0", embed_tokens="F16"), ollama=True,
                                  num_hidden_layers=6, hidden_size=32, intermediate_size=32, num_attention_heads=2,
                                  num_key_value_heads=1, head_dim=32, vocab_size=96, sliding_window=3,
                                  query_pre_attn_scalar=32, rms_norm_eps=1e-6, max_position_embeddings=131072,
                                  rope_parameters=gemma_rope(rope_type="linear", factor=8.0)),
}
