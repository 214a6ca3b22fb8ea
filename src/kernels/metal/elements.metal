// Verbs that go value by value, a thread each.
//
//   values    ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ …
//   threads   0 1 2 3 … 255 │ 0 1 2 …       threadgroups of 256

// out = activation(gate)·up.  (SwiGLU, GeGLU: Shazeer 2020, arXiv:2002.05202)  out may be gate.
//
// Both activations are the value times a logistic function: SiLU is g·σ(g), and GELU's tanh approximation, too, since
// (1 + tanh y)/2 = σ(2y). So no tanh is needed, which overflows on some GPUs; an e^ that does gives g/∞ = 0, as it
// should. CPU twin: ReferenceOps::do_gate.
inline float activated(float g, float up, uint activation) {
  constexpr float kSqrtTwoOverPi = 0.7978845608028654f;
  const float steepness = activation == 0 ? g : 2.0f * kSqrtTwoOverPi * fma(0.044715f * g * g, g, g);
  return g / (1.0f + precise::exp(-steepness)) * up;
}

kernel void gate(constant rung::gpu::ElementArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                 device const float* gates [[buffer(2)]], device const float* up [[buffer(3)]],
                 uint i [[thread_position_in_grid]]) {
  if (i >= args.count) return;
  out[i] = activated(gates[i], up[i], args.activation);
}

// x += y.  CPU twin: ReferenceOps::do_add.
kernel void add(constant rung::gpu::ElementArgs& args [[buffer(0)]], device float* x [[buffer(1)]],
                device const float* y [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  if (i >= args.count) return;
  x[i] += y[i];
}

// out[r] = x[rows[r]].  CPU twin: Ops::do_take_rows.
kernel void take_rows(constant rung::gpu::RowArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                      device const float* x [[buffer(2)]], device const uint* rows [[buffer(3)]],
                      uint i [[thread_position_in_grid]]) {
  if (i >= args.rows * args.columns) return;
  out[i] = x[ulong(rows[i / args.columns]) * args.columns + i % args.columns];
}
