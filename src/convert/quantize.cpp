#include "convert/quantize.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/mapped_file.h"
#include "tensor/blocks.h"
#include "tensor/encode.h"

namespace rung {

namespace {

constexpr std::size_t kPieceValues = std::size_t{1} << 20;  // 4 MB of floats at a time, cut at rows

// What one thread at a time needs for a row.
struct RowRoom {
  explicit RowRoom(std::size_t values) : row(values), decoded(values) {}
  std::vector<float> row, decoded;
};

struct Errors {
  double square_error = 0, square_sum = 0;
  float largest = 0;  // magnitude
};

bool all_finite(std::span<const float> values) {
  bool finite = true;
  for (const float v : values) finite &= std::isfinite(v);
  return finite;
}

// One tensor, piece by piece.
class TensorEncoder {
 public:
  TensorEncoder(const SourceTensor& source, DType type, std::span<const float> importance)
      : source_(source),
        type_(type),
        importance_(importance),
        row_values_(source.row_values()),
        row_bytes_(row_bytes(type, row_values_)) {}

  // Rows [begin, begin + count) → `out`. Each row's error is kept on its own and summed in the order of the rows, so
  // that the sum does not depend on the threads.
  void encode(std::span<std::byte> out, std::size_t begin, std::size_t count, ThreadTeam& team) {
    errors_.assign(count, {});
    team.run(count, [&](std::size_t from, std::size_t to) {
      RowRoom room(row_values_);
      for (std::size_t r = from; r < to; ++r) {
        encode_row_of(room, out.subspan(r * row_bytes_, row_bytes_), begin + r, errors_[r]);
      }
    });
    if (first_wrong_ != kNone) refuse(first_wrong_);
  }

  std::span<const Errors> errors() const { return errors_; }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  void encode_row_of(RowRoom& room, std::span<std::byte> out, std::size_t r, Errors& errors) {
    source_.read_row(room.row, r);
    encode_row(out.data(), type_, room.row, importance_);
    decode_row(room.decoded, type_, out.data());
    if (!all_finite(room.row) || !all_finite(room.decoded)) {
      std::size_t seen = first_wrong_;
      while (r < seen && !first_wrong_.compare_exchange_weak(seen, r)) {
      }
      return;
    }
    for (std::size_t i = 0; i < row_values_; ++i) {
      const double value = room.row[i], difference = value - room.decoded[i];
      errors.square_error += difference * difference;
      errors.square_sum += value * value;
      errors.largest = std::max(errors.largest, std::fabs(room.row[i]));
    }
  }

  [[noreturn]] void refuse(std::size_t r) const {
    std::vector<float> row(row_values_);
    source_.read_row(row, r);
    for (std::size_t i = 0; i < row_values_; ++i) {
      if (!std::isfinite(row[i])) {
        fail("tensor '{}' holds {} in row {}, column {}, expected numbers", source_.name, row[i], r, i);
      }
    }
    const float most =
        *std::max_element(row.begin(), row.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    fail("tensor '{}' holds {} in row {}, which is too large for {}", source_.name, most, r, info(type_).name);
  }

  const SourceTensor& source_;
  DType type_;
  std::span<const float> importance_;
  std::size_t row_values_, row_bytes_;
  std::vector<Errors> errors_;
  std::atomic<std::size_t> first_wrong_{kNone};
};

bool same_bytes(const SourceTensor& source, DType type) { return source.as_it_stands() && source.dtype == type; }

// One file in the making.
class Quantizer {
 public:
  Quantizer(const GgufOutline& outline, std::span<const DType> types, const std::filesystem::path& out,
            ThreadTeam& team, const QuantizeCallbacks& callbacks)
      : writer_(out, outline.metadata, outputs(outline, types)), team_(team), callbacks_(callbacks) {
    for (const SourceTensor& source : outline.tensors) total_ += source.bytes.size();
  }

  QuantizedTensor add(const SourceTensor& source, DType type, std::span<const float> importance) {
    QuantizedTensor entry{source.name,
                          source.dtype,
                          type,
                          source.rows() * source.row_values(),
                          source.bytes.size(),
                          source.rows() * row_bytes(type, source.row_values())};
    same_bytes(source, type) ? copy(source) : encode(entry, source, importance);
    MappedFile::release(source.bytes);
    return entry;
  }

  void commit() {
    check();
    writer_.commit();
  }

 private:
  static std::vector<GgufOutputTensor> outputs(const GgufOutline& outline, std::span<const DType> types) {
    std::vector<GgufOutputTensor> tensors;
    for (std::size_t i = 0; i < types.size(); ++i) {
      tensors.push_back({outline.tensors[i].name, types[i], outline.tensors[i].shape});
    }
    return tensors;
  }

  void copy(const SourceTensor& source) {
    constexpr std::size_t kPieceBytes = 4 * kPieceValues;
    for (std::size_t at = 0; at < source.bytes.size(); at += kPieceBytes) {
      check();
      const auto piece = source.bytes.subspan(at, std::min(kPieceBytes, source.bytes.size() - at));
      writer_.write(piece);
      advance(piece.size());
    }
  }

  void encode(QuantizedTensor& entry, const SourceTensor& source, std::span<const float> importance) {
    const std::size_t rows = source.rows(), row = row_bytes(entry.to, source.row_values());
    const std::size_t step = std::max<std::size_t>(1, kPieceValues / std::max<std::size_t>(1, source.row_values()));
    TensorEncoder encoder(source, entry.to, importance);
    float largest = 0;
    for (std::size_t r = 0; r < rows; r += step) {
      check();
      const std::size_t count = std::min(step, rows - r);
      piece_.resize(count * row);
      encoder.encode(piece_, r, count, team_);
      for (const Errors& e : encoder.errors()) {
        entry.square_error += e.square_error;
        entry.square_sum += e.square_sum;
        largest = std::max(largest, e.largest);
      }
      writer_.write(piece_);
      advance(source.bytes.size() / rows * count);
    }
    refuse_what_is_too_small(entry, largest);
  }

  // A scale is an f16, whose least values are 6e-8 apart: of a matrix that is smaller than its scales can be, mostly
  // zeros are left. (Rows that are, in a matrix that is not, weigh as little in the result as in the sum: an embedding
  // has such rows where training met no token.)
  static void refuse_what_is_too_small(const QuantizedTensor& t, float largest) {
    constexpr float kAlwaysLargeEnough = 0.01f;  // for every format, and for f16 itself
    if (largest < kAlwaysLargeEnough && t.square_error > 0.25 * t.square_sum) {
      fail("tensor '{}' holds values up to {:.2g}, which are too small for {}", t.name, largest, info(t.to).name);
    }
  }

  void check() const {
    if (callbacks_.check) callbacks_.check();
  }

  void advance(std::size_t bytes) {
    done_ += bytes;
    if (callbacks_.progress) callbacks_.progress(done_, total_);
  }

  GgufWriter writer_;
  ThreadTeam& team_;
  const QuantizeCallbacks& callbacks_;
  std::vector<std::byte> piece_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

std::vector<QuantizedTensor> quantize(const GgufOutline& outline, std::span<const DType> types,
                                      const Importance& importance, const std::filesystem::path& out, ThreadTeam& team,
                                      const QuantizeCallbacks& callbacks) {
  Quantizer quantizer(outline, types, out, team, callbacks);
  std::vector<QuantizedTensor> report;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const SourceTensor& source = outline.tensors[i];
    const auto weights = importance.find(source.name);
    report.push_back(quantizer.add(
        source, types[i],
        weights == importance.end() ? std::span<const float>{} : std::span<const float>(weights->second)));
  }
  quantizer.commit();
  return report;
}

}  // namespace rung
