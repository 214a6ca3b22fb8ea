// <rung-heads></rung-heads>   →   the toy with its figure, for readers without JavaScript: something drawn or printed,
// and a caption. The figures are here, so that a toy has the same one wherever it stands.
import { html, replace, walk } from './source.mjs';

const run = (value, meta = '') => ({ lang: 'run', meta, value });
const text = (value) => ({ lang: 'text', meta: '', value: value.replace(/^\n|\n$/g, '') });

export const figures = {
  matmul: {
    ...text(`
[1 2]   [5 6]   [1·5+2·7  1·6+2·8]   [19 22]
[3 4] · [7 8] = [3·5+4·7  3·6+4·8] = [43 50]`),
    caption: 'A [2×2] times a [2×2] matrix. With JavaScript you can change the numbers and the sizes.',
  },
  bits: {
    ...text(`
0.15625   f32   0 01111100 01000000000000000000000
          bf16  0 01111100 0100000
          f16   0 01100 0100000000`),
    caption:
      '0.15625 is 1.25 · 2⁻³: one bit of sign, then the exponent, then the fraction. With JavaScript you can flip each bit.',
  },
  merges: {
    ...run('rung tokenize --explain "The lantern"'),
    caption:
      'The merges of “The lantern”, in the order in which they happen. With JavaScript you can type a text of ' +
      'your own.',
  },
  hex: {
    ...text(`
 0  47 47 55 46              GGUF        the letters that every such file begins with
 4  03 00 00 00              3           version of the format
 8  39 00 00 00 00 00 00 00  57          how many tensors
16  20 00 00 00 00 00 00 00  32          how many settings
24  14 00 00 00 00 00 00 00  20          length of the first setting’s name
32  67 65 6e 65 72 61 6c …   general.…   the name: general.architecture
52  08 00 00 00              8           the type of its value: a text
56  05 00 00 00 00 00 00 00  5           length of that text
64  71 77 65 6e 33           qwen3       the text`),
    caption:
      'How pebble begins as a GGUF file: place, bytes, what they mean. With JavaScript you can walk through it ' +
      'field by field.',
  },
  rope: {
    ...text(`
layer 0, head 0:   q of “·the”, k of “·lantern”

q at   k at   distance   q·k
  10      4          6   {{toys.native.rope.0}}
  11      5          6   {{toys.native.rope.0}}
  50     44          6   {{toys.native.rope.0}}`),
    caption:
      'Equal distances, equal products: only the difference of the two positions matters. With JavaScript you ' +
      'can move both, and watch the pairs turn.',
  },
  heads: {
    ...run('rung trace "The fox gave the lantern to Mia. Mia has the" --layer 3 --heads', 'head=13'),
    caption:
      'What a head of layer 3 looks at: rows look, columns are looked at; the fuller, the more. With JavaScript ' +
      'you can choose layer, head and text.',
  },
  norm: {
    ...text(`
[ 3,  4]   size √((9 + 16) / 2)      =  3.5355   →   [0.8485, 1.1314]
[30, 40]   size √((900 + 1600) / 2)  = 35.355    →   [0.8485, 1.1314]`),
    caption: 'Ten times as loud, the same out. With JavaScript you can do it to a row of pebble.',
  },
  gate: {
    ...text(`
gate    silu(gate)   up    out
−4         −0.07      2   −0.14    shut
 0          0.00      2    0.00    shut
 1          0.73      2    1.46    half open
 4          3.93      2    7.86    open`),
    caption: 'The same “up”, let through by four gates. With JavaScript you can open and shut the gates of pebble.',
  },
  sampling: {
    ...run('rung logits --device reference --top 12 "There was a"'),
    caption:
      'The likeliest tokens after “There was a”. With JavaScript you can see what temperature, top-k, top-p and ' +
      'min-p make of them.',
  },
  cache: {
    ...text(`
without               with the cache
■ ■ ■ ■               ■ ■ ■ ■
■ ■ ■ ■ ■             · · · · ■
■ ■ ■ ■ ■ ■           · · · · · ■
■ ■ ■ ■ ■ ■ ■         · · · · · · ■
22 rows computed      7 rows computed`),
    caption:
      'A prompt of four tokens, four tokens of an answer: a row is a pass, a square a token that is computed in ' +
      'it, a dot one that is remembered. With JavaScript you can choose both numbers.',
  },
  block: {
    ...text(`
pebble, the first 32 weights of layers.0.self_attn.q_proj
bf16, 64 bytes   {{toys.block.blocks.0.bf16}}
Q8_0, 34 bytes   {{toys.native.q8_0.0}}
Q4_0, 18 bytes   {{toys.native.q4_0.0}}`),
    caption:
      'The same 32 weights in three formats. Of a block the first two bytes are the scale. With JavaScript you ' +
      'can see each of them rounded.',
  },
  roofline: {
    ...text(`
operations
a second          ________________________  arithmetic
                 /
               /   memory
             /
           /
          └───────────────────────────────
           1    4    16    64    256
                    operations a byte`),
    caption:
      'The roofline: what does little with each byte is bound by memory, what does much by arithmetic. With ' +
      'JavaScript your own machine can be measured here.',
  },
  gpu: {
    ...text(`
a thread a row                    32 threads a row
|.......|.......|.......          ||||||||.......|.......
|.......|.......|.......          .......|.......|.......
|.......|.......|.......          .......|.......|.......
32 lines of memory for            1 line of memory for
32 numbers                        32 numbers`),
    caption:
      'What 32 threads read in one step (a bar is a number). Memory brings whole lines, so it matters who reads ' +
      'what. With JavaScript you can go through the steps.',
  },
  // What runs the engine in the page.
  story: {
    ...run('rung generate --device reference --temperature 0 -n 40 "Once upon a time"', 'wrap'),
    caption: 'pebble’s story, as the engine printed it when this page was built.',
  },
  look: {
    ...run('rung trace --device reference "The fox gave the lantern to Mia. Mia has the"', 'head=14'),
    caption:
      'The beginning of what there is to see, as the command line shows it. With JavaScript the model runs here.',
  },
  mistakes: {
    ...text(`
mistake              the first tensor that is wrong
norm-sum             layer.0.attention_norm
norm-centred         layer.0.attention_norm
norm-all-tokens      layer.0.attention_norm
norm-weight          layer.0.attention_norm
norm-epsilon         layer.0.attention_norm
missing-qk-norm      layer.0.q_norm
missing-final-norm   final_norm
linear-transposed    layer.0.q
rope-missing         layer.0.q_rope
rope-pairing         layer.0.q_rope
rope-backwards       layer.0.q_rope
rope-in-place        layer.0.q_rope
rope-position        layer.0.q_rope
rope-frequencies     layer.0.q_rope
rope-queries-only    layer.0.k_rope
cache-position       layer.0.attention
keys-values-swapped  layer.0.attention
query-scale          layer.0.attention
causal-mask          layer.0.attention
mask-one-more        layer.0.attention
mask-one-less        layer.0.attention
softmax-axis         layer.0.attention
gqa-grouping         layer.0.attention
heads-transposed     layer.0.attention
gate-up-swapped      layer.0.gated
activation-missing   layer.0.gated
activation-sigmoid   layer.0.gated
activation-other     layer.0.gated
residual-missing     layer.0.attention_residual
residual-normed      layer.0.attention_residual
embedding-scale      -
linear-bias          -
window-forgotten     -`),
    caption:
      'Where each mistake is first seen in pebble, as the engine’s tests expect it (-: pebble has nothing that would ' +
      'show it). With JavaScript you can make them here.',
  },
};

// `<rung-heads></rung-heads>`, alone in a paragraph.
function nameOf(node) {
  if (node.type !== 'paragraph' || node.children.length !== 2 || node.children.some((child) => child.type !== 'html'))
    return undefined;
  return /^<rung-([a-z]+)( [^>]*)?><\/rung-\1>$/.exec(node.children.map((child) => child.value).join(''));
}

export default function toys() {
  return (tree, file) =>
    walk(tree, (node, parent) => {
      const [, name, attributes = ''] = nameOf(node) ?? [];
      if (!name) return;
      if (!figures[name]) file.fail(`<rung-${name}> has no figure in src/plugins/toys.mjs`, node);
      const { caption, ...code } = figures[name];
      replace(
        parent,
        node,
        html(`<rung-${name}${attributes}><figure>`),
        { type: 'code', ...code },
        html(`<figcaption>${caption}</figcaption></figure></rung-${name}>`),
      );
    });
}
