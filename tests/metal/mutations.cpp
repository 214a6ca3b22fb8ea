#include "metal/mutations.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/session.h"
#include "model/golden_model.h"
#include "ops/metal/metal.h"
#include "ops/reference.h"
#include "paths.h"
#include "tensor/encode.h"

namespace rung::mutations {

namespace {

constexpr double kAllowed = 1e-4;  // the contract: ‖ours − reference‖ / ‖reference‖
constexpr unsigned kSecondsAtMost = 60;
constexpr unsigned kNumberConstant = 99;  // mutated()'s

using Values = std::vector<float>;

Values logits(std::string_view name, DType cache_type, Ops& ops) {
  const GoldenFiles files(golden_folder() / "models" / name);
  const Model model = bind_weights(files.plan, files.tensors());
  Session session(model, ops, {.cache_type = cache_type});
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < 70; ++i) ids.push_back(static_cast<std::int32_t>(i * 37 % model.config.vocab_size));
  // Within a block of the cache, over two of them, and a token alone.
  Values all;
  for (const auto part : {std::span(ids).first(40), std::span(ids).subspan(40), std::span(ids).first(1)}) {
    const auto values = session.feed(part);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// Rows and columns that end inside a tile: 13 of 68 floats, or of nine blocks, or of five superblocks; with a bias. And
// how many values have other bits where the last token is alone.
Values products(DType type, Ops& ops) {
  constexpr std::size_t kRows = 13;
  const std::size_t block = info(type).values_per_block, columns = block == 1 ? 68 : block == 32 ? 288 : 1280;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto some = [&](std::size_t count) {
    Values values(count);
    for (float& x : values) x = normal(random);
    return values;
  };
  std::vector<std::byte> bytes(kRows * row_bytes(type, columns));
  for (std::size_t r = 0; r < kRows; ++r) encode_row(&bytes[r * row_bytes(type, columns)], type, some(columns));
  PanelStore panels;
  PackedMatrix w{.name = "w",
                 .dtype = type,
                 .rows = kRows,
                 .columns = columns,
                 .data = bytes.data(),
                 .bias = some(kRows),
                 .panels = &panels,
                 .id = panels.add()};
  Values all;
  const auto product = [&](std::span<const float> x) {
    const std::size_t tokens = x.size() / columns;
    const Buffer<float> from(x.size(), ops.memory(x.size() * sizeof(float))),
        to(tokens * kRows, ops.memory(tokens * kRows * sizeof(float)));
    std::copy(x.begin(), x.end(), from.data());
    ops.do_linear({to.data(), {tokens, kRows}}, {from.data(), {tokens, columns}}, w);
    ops.finish();
    all.insert(all.end(), to.data(), to.data() + to.size());
  };
  Values x;
  for (const std::size_t tokens : {1u, 9u, 40u}) product(x = some(tokens * columns));
  const std::size_t in_company = all.size() - kRows;
  product(std::span(x).last(columns));
  float others = 0;
  for (std::size_t row = 0; row < kRows; ++row)
    others += all[in_company + row] == all[in_company + kRows + row] ? 0.0f : 1.0f;
  all.push_back(others);
  return all;
}

Values run(const Trial& trial, Ops& ops) {
  return trial.model.empty() ? products(trial.type, ops) : logits(trial.model, trial.type, ops);
}

const Values& expected(const Trial& trial) {
  static std::map<std::pair<std::string_view, DType>, Values> known;
  Values& values = known[{trial.model, trial.type}];
  if (values.empty()) {
    ThreadTeam team(1);
    ReferenceOps reference(team);
    values = run(trial, reference);
  }
  return values;
}

void* nothing_lent(void*, const char*) { return nullptr; }

fake_metal::Settings settings_for(Mode mode, unsigned number) {
  fake_metal::Settings s;
  if (mode == Mode::checked) s.build = metal_emulator::Build::checked;
  if (mode == Mode::shuffled) s.options.seed = 1;
  if (mode == Mode::strict) s.options.strict = true;
  if (number != 0) {
    s.edit_source = mutated;
    s.constants[kNumberConstant] = {static_cast<unsigned char>(number), 0, 0, 0};
    // Weights are copied: their buffers end where they do, not at a page.
    s.instead["newBufferWithBytesNoCopy:length:options:deallocator:"] = reinterpret_cast<void (*)()>(nothing_lent);
  }
  return s;
}

std::string what_differs(const Values& actual, const Values& reference) {
  double distance = 0, norm = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double e = static_cast<double>(reference[i]), d = static_cast<double>(actual[i]) - e;
    distance += d * d;
    norm += e * e;
  }
  if (distance <= kAllowed * kAllowed * norm) return "";  // which no NaN does
  if (std::isnan(distance)) return "numbers: there is one that is none";
  return "numbers: off by " + std::to_string(std::sqrt(distance / norm)) + " of the reference";
}

// In the process of its own.
std::string found_here(const Trial& trial, const Values& reference) {
  fake_metal::reset();
  const auto live = fake_metal::report().live;
  Values values;
  {
    MetalOps metal;
    values = run(trial, metal);
  }
  const fake_metal::Report& report = fake_metal::report();
  if (!report.findings.empty()) return report.findings.front();
  if (report.live != live) return "objects are left: " + report.live.begin()->first;
  if (report.libraries.at(0).math_mode != 0) return "mathematics that is not safe";
  return what_differs(values, reference);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string found(const Trial& trial, Mode mode, unsigned number,
                  const std::function<void(fake_metal::Settings&)>& plant) {
  const Values& reference = expected(trial);
  fake_metal::settings() = settings_for(mode, number);
  {
    const MetalOps compiles_here;
  }  // once, for all that come after it
  if (plant) plant(fake_metal::settings());
  int ends[2];
  if (::pipe(ends) != 0) return "";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kSecondsAtMost);
    ::dup2(ends[1], STDERR_FILENO);
    std::string words;
    try {
      words = found_here(trial, reference);
    } catch (const std::exception& problem) {
      words = problem.what();
    }
    const auto written = ::write(ends[1], words.data(), words.size());
    ::_exit(written < 0 ? 2 : 0);
  }
  ::close(ends[1]);
  std::string words;
  char part[4096];
  while (const ssize_t n = ::read(ends[0], part, sizeof part)) {
    if (n < 0) break;
    words.append(part, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  fake_metal::settings() = {};
  if (WIFSIGNALED(status)) {
    return std::string("the program ends: ") + ::strsignal(WTERMSIG(status)) + " " + first_line(words);
  }
  return first_line(words);
}

}  // namespace rung::mutations
