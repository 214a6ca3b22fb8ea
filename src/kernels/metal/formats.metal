// A block of packed weights → floats, eight at a time.  Milestones M5, M7.
//
// A row is taken in units of 32 columns, and a unit in quarters: lane q of the four that share a row unpacks eight
// values, which it finds side by side in the block. Which columns these are is place_of's answer:
//
//   most formats     quarter q: columns 8q … 8q + 7
//   two to a byte    quarter q: columns 4q … 4q + 3, the lower halves of four bytes, and 16 + 4q … , the upper ones
//
// tensor/blocks.h draws the blocks and has the formulas; this is decode_row for a GPU, and blocks.cpp its twin. The
// offsets are those of the fields there. Blocks lie at even addresses (all but MXFP4 have an even size), so they are
// read two bytes at a time. `format` is one of the two that the function constant names: it makes the switch disappear.
constant uint kFormats [[function_constant(RUNG_FORMAT_CONSTANT)]];

inline uint first_format() { return kFormats & 255; }
inline uint other_format() { return (kFormats >> 8) & 255; }
inline bool is_normed() { return (kFormats >> 16 & 1) != 0; }
inline bool is_single() { return (kFormats >> 17 & 1) != 0; }
inline bool is_wide() { return (kFormats >> 18 & 1) != 0; }

inline bool two_to_a_byte(uint format) {
  switch (format) {
    case rung::gpu::kQ4_0:
    case rung::gpu::kQ4_1:
    case rung::gpu::kQ5_0:
    case rung::gpu::kQ5_1:
    case rung::gpu::kIq4Nl:
    case rung::gpu::kIq4Xs:
    case rung::gpu::kMxfp4: return true;
    default: return false;
  }
}
// The column, inside its unit, of a quarter's i-th value.
inline uint place_of(uint format, uint quarter, uint i) {
  return two_to_a_byte(format) ? 4 * quarter + i % 4 + 16 * (i / 4) : 8 * quarter + i;
}

// How many times eight units of a row a single token's product takes at once (multiply_diagonal): at least some 400
// bytes of it, a few cache lines. More would be better, if it did not cost 8 registers a thread for each.
constant constexpr ushort kMostSteps = 8;
inline ushort steps_of(uint format) {
  const bool is_small = format == rung::gpu::kQ2_K || format == rung::gpu::kQ3_K ||
                        (format >= rung::gpu::kIq3S && format <= rung::gpu::kTq2_0);  // under four bits a weight
  return is_small ? kMostSteps : 4;
}

inline uint row_in_file(uint row, uint neighbours_head_dim) {
  if (neighbours_head_dim == 0) return row;
  const uint in_head = row % neighbours_head_dim, half_dim = neighbours_head_dim / 2;
  return row - in_head + in_head % half_dim * 2 + in_head / half_dim;
}

inline float f16_at(device const uchar* p) { return float(*reinterpret_cast<device const half*>(p)); }
inline uint u16_at(device const uchar* p) { return *reinterpret_cast<device const ushort*>(p); }
inline uint u32_at(device const uchar* p) { return u16_at(p) | u16_at(p + 2) << 16; }
inline uint nibble(device const uchar* p, uint i) { return (p[i / 2] >> (4 * (i % 2))) & 15; }

// ---- Blocks of 32 ---------------------------------------------------------------------------------------------------

// out = scale·(q − offset) + min, the fifth bits in `high` (0 where there are none).
inline void unpack_halves(thread float (&out)[8], uint bytes, uint high, uint quarter, float scale, float offset,
                          float min) {
  for (ushort i = 0; i < 4; ++i) {
    const uint byte = bytes >> (8 * i), at = 4 * quarter + i;
    out[i] = fma(scale, float((byte & 15) | ((high >> at) & 1) << 4) - offset, min);
    out[4 + i] = fma(scale, float(((byte >> 4) & 15) | ((high >> (16 + at)) & 1) << 4) - offset, min);
  }
}

inline void unpack_q8_0(thread float (&out)[8], device const uchar* block, uint quarter) {
  const float scale = f16_at(block);
  for (ushort i = 0; i < 4; ++i) {
    const uint two = u16_at(block + 2 + 8 * quarter + 2 * i);
    out[2 * i] = scale * float(as_type<char>(uchar(two & 255)));
    out[2 * i + 1] = scale * float(as_type<char>(uchar(two >> 8)));
  }
}

constant float kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constant float kMxfp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

inline void unpack_table(thread float (&out)[8], device const uchar* q, float scale, constant float* values) {
  for (ushort i = 0; i < 4; ++i) {
    out[i] = scale * values[q[i] & 15];
    out[4 + i] = scale * values[q[i] >> 4];
  }
}

// ---- Blocks of 256: `part` is which 32 of them ----------------------------------------------------------------------

inline void unpack_q2_k(thread float (&out)[8], device const uchar* block, uint part, uint quarter) {
  const uint group = block[2 * part + quarter / 2];
  const float scale = f16_at(block + 80) * float(group & 15), min = f16_at(block + 82) * float(group >> 4);
  device const uchar* const q = block + 16 + 32 * (part / 4) + 8 * quarter;
  for (ushort i = 0; i < 8; ++i) out[i] = fma(scale, float((q[i] >> (2 * (part % 4))) & 3), -min);
}

inline void unpack_q3_k(thread float (&out)[8], device const uchar* block, uint part, uint quarter) {
  const uint g = 2 * part + quarter / 2;
  device const uchar* const groups = block + 96;
  const uint low = g < 8 ? groups[g] & 15 : groups[g - 8] >> 4, high_bits = (groups[8 + g % 4] >> (2 * (g / 4))) & 3;
  const float scale = f16_at(block + 108) * (float(low | high_bits << 4) - 32.0f);
  device const uchar* const q = block + 32 + 32 * (part / 4) + 8 * quarter;
  device const uchar* const high = block + 8 * quarter;
  for (ushort i = 0; i < 8; ++i) {
    out[i] = scale * (float(((q[i] >> (2 * (part % 4))) & 3) | ((high[i] >> part) & 1) << 2) - 4.0f);
  }
}

// Q4_K's and Q5_K's scales and mins of six bits.
inline float2 scale_and_min(device const uchar* block, uint g) {
  device const uchar* const groups = block + 4;
  uint scale, min;
  if (g < 4) {
    scale = groups[g] & 63;
    min = groups[g + 4] & 63;
  } else {
    scale = (groups[g + 4] & 15) | (groups[g - 4] >> 6) << 4;
    min = (groups[g + 4] >> 4) | (groups[g] >> 6) << 4;
  }
  return float2(f16_at(block) * float(scale), f16_at(block + 2) * float(min));
}

inline void unpack_q4_k(thread float (&out)[8], device const uchar* block, uint part, uint quarter) {
  const float2 group = scale_and_min(block, part);
  device const uchar* const q = block + 16 + 32 * (part / 2) + 8 * quarter;
  const uint shift = 4 * (part % 2);
  for (ushort i = 0; i < 4; ++i) {
    const uint two = u16_at(q + 2 * i) >> shift;
    out[2 * i] = fma(group.x, float(two & 15), -group.y);
    out[2 * i + 1] = fma(group.x, float((two >> 8) & 15), -group.y);
  }
}

inline void unpack_q5_k(thread float (&out)[8], device const uchar* block, uint part, uint quarter) {
  const float2 group = scale_and_min(block, part);
  device const uchar* const high = block + 16 + 8 * quarter;
  device const uchar* const q = block + 48 + 32 * (part / 2) + 8 * quarter;
  for (ushort i = 0; i < 8; ++i) {
    const uint value = ((q[i] >> (4 * (part % 2))) & 15) | ((high[i] >> part) & 1) << 4;
    out[i] = fma(group.x, float(value), -group.y);
  }
}

inline void unpack_q6_k(thread float (&out)[8], device const uchar* block, uint part, uint quarter) {
  const uint g = 2 * part + quarter / 2;
  const float scale = f16_at(block + 208) * float(as_type<char>(block[192 + g]));
  device const uchar* const q = block + 64 * (g / 8) + 16 * (g % 4) + 8 * (quarter % 2);
  device const uchar* const high = block + 128 + 32 * (g / 8) + 16 * (g % 2) + 8 * (quarter % 2);
  const uint shift = 4 * (g / 4 % 2), high_shift = 2 * (g / 2 % 4);
  for (ushort i = 0; i < 4; ++i) {
    const uint low = u16_at(q + 2 * i) >> shift, upper = u16_at(high + 2 * i) >> high_shift;
    out[2 * i] = scale * (float((low & 15) | (upper & 3) << 4) - 32.0f);
    out[2 * i + 1] = scale * (float(((low >> 8) & 15) | ((upper >> 8) & 3) << 4) - 32.0f);
  }
}

inline uint tq1_digit(device const uchar* block, uint v) {
  uint byte = 0, n = 0;
  if (v < 160) {
    byte = block[v % 32];
    n = v / 32;
  } else if (v < 240) {
    byte = block[32 + (v - 160) % 16];
    n = (v - 160) / 16;
  } else {
    byte = block[48 + (v - 240) % 4];
    n = (v - 240) / 4;
  }
  const uint power = n == 0 ? 1 : n == 1 ? 3 : n == 2 ? 9 : n == 3 ? 27 : 81;
  return ((byte * power) & 255) * 3 >> 8;
}

inline void unpack_ternary(thread float (&out)[8], device const uchar* block, uint part, uint quarter, uint format) {
  const bool base_3 = format == rung::gpu::kTq1_0;
  const float scale = f16_at(block + (base_3 ? 52 : 64));
  for (ushort i = 0; i < 8; ++i) {
    const uint v = 32 * part + 8 * quarter + i;
    const uint digit = base_3 ? tq1_digit(block, v) : (block[v / 128 * 32 + v % 32] >> (2 * (v / 32 % 4))) & 3;
    out[i] = scale * (float(digit) - 1.0f);
  }
}

// ---- Vectors of a grid (tensor/iq_grids.h): `signs` has a bit for each of the eight values --------------------------

// The eighth sign makes the number of minus signs even.
inline uint eight_signs(uint seven) { return seven | (popcount(seven) & 1) << 7; }

inline float with_sign(float value, uint signs, ushort i) { return ((signs >> i) & 1) != 0 ? -value : value; }

inline void unpack_iq2(thread float (&out)[8], uint vector, uint signs, float scale) {
  for (ushort i = 0; i < 8; ++i) {
    const uint code = (vector >> (2 * i)) & 3;
    out[i] = scale * with_sign(code == 0 ? 8.0f : code == 1 ? 25.0f : 43.0f, signs, i);
  }
}
// Of a code of 3 bits: IQ3_S has 2·code + 1, IQ3_XXS 4, 12, 20, … and 62.
inline void unpack_iq3(thread float (&out)[8], uint first, uint second, uint signs, float scale, bool is_s) {
  for (ushort i = 0; i < 8; ++i) {
    const uint code = ((i < 4 ? first : second) >> (3 * (i % 4))) & 7;
    const float value = is_s ? 2.0f * code + 1.0f : code == 7 ? 62.0f : 8.0f * code + 4.0f;
    out[i] = scale * with_sign(value, signs, i);
  }
}
inline void unpack_iq1(thread float (&out)[8], uint vector, bool minus, float scale) {
  for (ushort i = 0; i < 8; ++i) {
    out[i] = scale * (8.0f * float((vector >> (2 * i)) & 3) - (minus ? 9.0f : 7.0f));
  }
}

inline void unpack_grid(thread float (&out)[8], device const uchar* block, uint part, uint quarter, uint format) {
  const uint k = 4 * part + quarter, g = 2 * part + quarter / 2;
  switch (format) {
    case rung::gpu::kIq3S: {
      const uint high = block[66 + part] >> (2 * quarter);
      return unpack_iq3(out, rung::kIq3SGrid[block[2 + 2 * k] | (high & 1) << 8],
                        rung::kIq3SGrid[block[3 + 2 * k] | (high & 2) << 7], block[74 + k],
                        f16_at(block) * (1.0f + 2.0f * nibble(block + 106, part)), true);
    }
    case rung::gpu::kIq3Xxs: {
      const uint word = u32_at(block + 66 + 4 * part);
      return unpack_iq3(out, rung::kIq3XxsGrid[block[2 + 2 * k]], rung::kIq3XxsGrid[block[3 + 2 * k]],
                        eight_signs((word >> (7 * quarter)) & 127),
                        f16_at(block) * 0.25f * (1.0f + 2.0f * (word >> 28)), false);
    }
    case rung::gpu::kIq2S: {
      const uint high = (block[66 + part] >> (2 * quarter)) & 3;
      return unpack_iq2(out, rung::kIq2SGrid[block[2 + k] | high << 8], block[34 + k],
                        f16_at(block) * 0.125f * (1.0f + 2.0f * nibble(block + 74, g)));
    }
    case rung::gpu::kIq2Xs: {
      const uint word = u16_at(block + 2 + 2 * k);
      return unpack_iq2(out, rung::kIq2XsGrid[word & 511], eight_signs(word >> 9),
                        f16_at(block) * 0.125f * (1.0f + 2.0f * nibble(block + 66, g)));
    }
    case rung::gpu::kIq2Xxs: {
      const uint word = u32_at(block + 2 + 8 * part + 4);
      return unpack_iq2(out, rung::kIq2XxsGrid[block[2 + 8 * part + quarter]],
                        eight_signs((word >> (7 * quarter)) & 127),
                        f16_at(block) * 0.125f * (1.0f + 2.0f * (word >> 28)));
    }
    case rung::gpu::kIq1S: {
      const uint word = u16_at(block + 34 + 2 * part);
      return unpack_iq1(out, rung::kIq1Grid[block[2 + k] | ((word >> (3 * quarter)) & 7) << 8], (word & 0x8000) != 0,
                        f16_at(block) * 0.125f * (1.0f + 2.0f * ((word >> 12) & 7)));
    }
    default: {  // IQ1_M: the f16 scale in the upper four bits of four numbers
      device const uchar* const groups = block + 48;
      uint scale = 0;
      for (ushort i = 0; i < 4; ++i) scale |= (u16_at(groups + 2 * i) >> 12) << (4 * i);
      const uint high = nibble(block + 32, k), s = (u16_at(groups + 2 * (g / 4)) >> (3 * (g % 4))) & 7;
      return unpack_iq1(out, rung::kIq1Grid[block[k] | (high & 7) << 8], (high & 8) != 0,
                        float(as_type<half>(ushort(scale))) * 0.125f * (1.0f + 2.0f * s));
    }
  }
}

// ---- Any format -----------------------------------------------------------------------------------------------------

// Plain types, 16 bytes a load.
inline void unpack_wide(thread float (&out)[8], device const uchar* row, uint first, uint format) {
  if (format == rung::gpu::kF32) {
    device const float4* const fours = reinterpret_cast<device const float4*>(row) + first / 4;
    const float4 low = fours[0], high = fours[1];
    for (ushort i = 0; i < 4; ++i) {
      out[i] = low[i];
      out[4 + i] = high[i];
    }
    return;
  }
  const uint4 pairs = reinterpret_cast<device const uint4*>(row)[first / 8];
  for (ushort i = 0; i < 4; ++i) {
    const uint two = pairs[i];
    const bool is_f16 = format == rung::gpu::kF16;
    out[2 * i] = is_f16 ? float(as_type<half>(ushort(two & 0xffff))) : as_type<float>(two << 16);
    out[2 * i + 1] = is_f16 ? float(as_type<half>(ushort(two >> 16))) : as_type<float>(two & 0xffff0000u);
  }
}

// A row may end inside a unit; beyond are zeros.
inline void unpack_plain(thread float (&out)[8], device const uchar* row, uint first, uint columns, uint format) {
  if (is_wide() && first + 8 <= columns) return unpack_wide(out, row, first, format);
  for (ushort i = 0; i < 8; ++i) {
    const uint k = first + i;
    if (k >= columns) {
      out[i] = 0;
    } else if (format == rung::gpu::kF32) {
      out[i] = reinterpret_cast<device const float*>(row)[k];
    } else if (format == rung::gpu::kF16) {
      out[i] = float(reinterpret_cast<device const half*>(row)[k]);
    } else {  // bf16: the upper half of a float, moved there; the type `bfloat` is not in older systems
      out[i] = as_type<float>(uint(reinterpret_cast<device const ushort*>(row)[k]) << 16);
    }
  }
}

// out[i] = the value in column 32·unit + place_of(format, quarter, i) of a row.
inline void unpack_eight(uint format, thread float (&out)[8], device const uchar* row, uint unit, uint quarter,
                         uint columns) {
  const uint part = unit % 8;
  switch (format) {
    case rung::gpu::kQ4_0: {
      device const uchar* const block = row + unit * 18;
      return unpack_halves(out, u32_at(block + 2 + 4 * quarter), 0, quarter, f16_at(block), 8.0f, 0.0f);
    }
    case rung::gpu::kQ4_1: {
      device const uchar* const block = row + unit * 20;
      return unpack_halves(out, u32_at(block + 4 + 4 * quarter), 0, quarter, f16_at(block), 0.0f, f16_at(block + 2));
    }
    case rung::gpu::kQ5_0: {
      device const uchar* const block = row + unit * 22;
      return unpack_halves(out, u32_at(block + 6 + 4 * quarter), u32_at(block + 2), quarter, f16_at(block), 16.0f,
                           0.0f);
    }
    case rung::gpu::kQ5_1: {
      device const uchar* const block = row + unit * 24;
      return unpack_halves(out, u32_at(block + 8 + 4 * quarter), u32_at(block + 4), quarter, f16_at(block), 0.0f,
                           f16_at(block + 2));
    }
    case rung::gpu::kQ8_0: return unpack_q8_0(out, row + unit * 34, quarter);
    case rung::gpu::kIq4Nl: {
      device const uchar* const block = row + unit * 18;
      return unpack_table(out, block + 2 + 4 * quarter, f16_at(block), kIq4Values);
    }
    case rung::gpu::kMxfp4: {
      device const uchar* const block = row + unit * 17;
      const uint e = block[0], bits = e < 2 ? 0x00200000u << e : (e - 1) << 23;  // 2^(e − 128)
      return unpack_table(out, block + 1 + 4 * quarter, as_type<float>(bits), kMxfp4Values);
    }
    case rung::gpu::kIq4Xs: {
      device const uchar* const block = row + unit / 8 * 136;
      const uint s = nibble(block + 4, part) | ((u16_at(block + 2) >> (2 * part)) & 3) << 4;
      return unpack_table(out, block + 8 + 16 * part + 4 * quarter, f16_at(block) * (float(s) - 32.0f), kIq4Values);
    }
    case rung::gpu::kQ2_K: return unpack_q2_k(out, row + unit / 8 * 84, part, quarter);
    case rung::gpu::kQ3_K: return unpack_q3_k(out, row + unit / 8 * 110, part, quarter);
    case rung::gpu::kQ4_K: return unpack_q4_k(out, row + unit / 8 * 144, part, quarter);
    case rung::gpu::kQ5_K: return unpack_q5_k(out, row + unit / 8 * 176, part, quarter);
    case rung::gpu::kQ6_K: return unpack_q6_k(out, row + unit / 8 * 210, part, quarter);
    case rung::gpu::kTq1_0: return unpack_ternary(out, row + unit / 8 * 54, part, quarter, format);
    case rung::gpu::kTq2_0: return unpack_ternary(out, row + unit / 8 * 66, part, quarter, format);
    case rung::gpu::kIq3S: return unpack_grid(out, row + unit / 8 * 110, part, quarter, format);
    case rung::gpu::kIq3Xxs: return unpack_grid(out, row + unit / 8 * 98, part, quarter, format);
    case rung::gpu::kIq2S: return unpack_grid(out, row + unit / 8 * 82, part, quarter, format);
    case rung::gpu::kIq2Xs: return unpack_grid(out, row + unit / 8 * 74, part, quarter, format);
    case rung::gpu::kIq2Xxs: return unpack_grid(out, row + unit / 8 * 66, part, quarter, format);
    case rung::gpu::kIq1S: return unpack_grid(out, row + unit / 8 * 50, part, quarter, format);
    case rung::gpu::kIq1M: return unpack_grid(out, row + unit / 8 * 56, part, quarter, format);
    default: return unpack_plain(out, row, 32 * unit + 8 * quarter, columns, format);
  }
}
