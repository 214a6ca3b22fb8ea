// Would a model run here: its shapes, this machine's memory and bandwidth.  Milestones M1, M6.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/signals.h"
#include "cli/inspect.h"
#include "cli/terminal.h"
#include "engine/device.h"
#include "measure/bench_runs.h"
#include "model/forward.h"

namespace rung {

namespace {

std::uint64_t machine_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

// How many tokens' keys and values fit beside the weights.
std::size_t tokens_that_fit(std::uint64_t bytes, const OrderedJson& memory, std::size_t longest) {
  const std::uint64_t weights = count_in(memory, "weights"), each = count_in(memory, "kv_cache_per_token");
  if (bytes <= weights) return 0;
  return each == 0 ? longest : static_cast<std::size_t>(std::min<std::uint64_t>((bytes - weights) / each, longest));
}

OrderedJson speed_of(const Model& model, DType cache) {
  constexpr std::size_t kPrompt = 512;
  Device device(Device::kFast, 0, cache);
  CeilingMeter meter(device.team());
  for (int i = 0; i < 3; ++i) {
    SignalWatch::check();
    meter.measure();
  }
  const Ceilings ceilings = meter.ceilings();
  const KvShape shape = kv_shape(model.config, cache);
  const auto per_second = [&](const PassShape& pass) {
    return static_cast<double>(pass.tokens) / limit_of(cost_of(model, shape, pass), ceilings).seconds();
  };
  const std::size_t longest = model.config.context;
  OrderedJson speed{{"read_gb_per_s", ceilings.read_gb_per_s}};
  const std::size_t prompt = std::min(kPrompt, longest);
  speed["prefill"] = {{"tokens", prompt}, {"tokens_per_second", per_second({.tokens = prompt})}};
  for (const std::size_t context : {std::size_t{64}, std::size_t{4096}}) {
    if (context >= longest) continue;
    speed["decode"].push_back({{"context", context}, {"tokens_per_second", per_second({.before = context})}});
  }
  return speed;
}

std::string line(std::string_view label, const std::string& text) {
  return fmt::format("  {}{:<14}{} {}\n", style().dim, label, style().reset, text);
}

}  // namespace

OrderedJson describe_running(const ModelFiles& files, const OrderedJson& model, DType cache, Predict predict) {
  OrderedJson running{{"runs", false}};
  try {
    if (model.contains("problems")) fail("{}", model["problems"][0].get<std::string>());
    const Model bound = bind_weights(files.plan(), files.tensors());
    running["runs"] = true;
    const std::uint64_t bytes = machine_bytes();
    running["machine_bytes"] = bytes;
    if (model.contains("memory")) {
      running["context_that_fits"] = tokens_that_fit(bytes, model["memory"], bound.config.longest_context());
    }
    if (predict == Predict::speed) running["speed"] = speed_of(bound, cache);
  } catch (const Error& e) {
    running["runs"] = false;
    running["why_not"] = e.what();
  }
  return running;
}

std::string running_text(const OrderedJson& running) {
  if (!running["runs"].get<bool>()) return line("runs here", "no: " + visible(text_in(running, "why_not")));
  std::string out;
  const std::string memory = human_bytes(running["machine_bytes"].get<std::uint64_t>());
  if (running.contains("context_that_fits")) {
    const std::size_t tokens = count_in(running, "context_that_fits");
    out += line("runs here", tokens == 0
                                 ? fmt::format("not well: this machine's memory, {}, is less than the weights", memory)
                                 : fmt::format("yes: {} of memory hold it with up to {} tokens", memory, tokens));
  } else {
    out += line("runs here", "yes");
  }
  if (!running.contains("speed")) return out;
  const OrderedJson& speed = running["speed"];
  std::string text =
      fmt::format("at most {:.0f} tok/s to read a prompt of {}", speed["prefill"]["tokens_per_second"].get<double>(),
                  count_in(speed["prefill"], "tokens"));
  for (const auto& decode : speed.value("decode", OrderedJson::array())) {
    text += fmt::format(", {:.1f} to write after {}", decode["tokens_per_second"].get<double>(),
                        count_in(decode, "context"));
  }
  return out +
         line("speed here", fmt::format("{} (memory gives {:.1f} GB/s)", text, speed["read_gb_per_s"].get<double>()));
}

}  // namespace rung
