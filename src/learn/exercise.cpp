#include "learn/exercise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace rung::learn {

namespace {

RungValue value_of_content(Content& content) {
  return std::visit(
      [](auto& c) -> RungValue {
        if constexpr (std::is_same_v<std::decay_t<decltype(c)>, std::string>)
          return value_of(std::string_view(c));
        else
          return value_of(c);
      },
      content);
}

bool alike(double expected, double got, double tolerance) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;  // infinities, too
  return std::abs(expected - got) <= tolerance * std::max(1.0, std::abs(expected));
}

template <class T>
std::string one_shown(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value) ? "NaN" : fmt::format("{:.6g}", value);
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return fmt::format("{:#04x}", value);  // bytes, as pages and tools write them
  } else {
    return fmt::format("{}", +value);
  }
}

constexpr std::size_t kShown = 12;  // of many elements, people see that many

template <class T>
std::string elements_shown(const std::vector<T>& all, const std::vector<std::size_t>& shape,
                           std::optional<std::size_t> around) {
  const std::size_t columns = shape.size() < 2 ? all.size() : std::max<std::size_t>(shape.back(), 1);
  const bool whole_thing = all.size() <= 4 * kShown;
  std::size_t first = 0, end = all.size();
  if (!whole_thing) {
    first = around && *around > kShown / 2 ? *around - kShown / 2 : 0;
    end = std::min(all.size(), first + kShown);
  }
  std::string text = first > 0 ? fmt::format("[… from place {}: ", first) : "[";
  for (std::size_t i = first; i < end; ++i) {
    if (i > first) text += whole_thing && i % columns == 0 ? "\n " : i % columns == 0 ? " | " : ", ";
    text += one_shown(all[i]);
  }
  text += end < all.size() ? ", …]" : "]";
  if (!whole_thing) text += fmt::format(" ({} in all)", all.size());
  return text;
}

std::string text_shown(const std::string& text) {
  std::string shown = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      shown += "\\n";
    else if (c == '"' || c == '\\')
      shown += {'\\', c};
    else if (byte < 0x20 || byte == 0x7f)
      shown += fmt::format("\\x{:02x}", byte);
    else
      shown += c;
  }
  return shown + '"';
}

}  // namespace

const std::vector<Exercise>& exercises() {
  static const std::vector<Exercise> all = [] {
    std::vector<Exercise> made;
    for (const auto& milestone : {m0_exercises(), m1_exercises(), m2_exercises(), m3_exercises(), m4_exercises(),
                                  m5_exercises(), m6_exercises(), m7_exercises()}) {
      made.insert(made.end(), milestone.begin(), milestone.end());
    }
    return made;
  }();
  return all;
}

const Exercise* find_exercise(std::string_view name) {
  const auto& all = exercises();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Exercise& e) { return e.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::size_t whole(Random& random, std::size_t low, std::size_t high) {
  return low + static_cast<std::size_t>(random.uniform() * static_cast<double>(high - low + 1));
}

std::vector<float> floats(Random& random, std::size_t n, double size) {
  std::vector<float> all(n);
  // The sum of four uniform numbers is nearly normal, and the same on every platform.
  for (float& f : all) {
    const double sum = random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
    f = static_cast<float>(sum * 1.7 * size);
  }
  return all;
}

std::vector<RungValue> values_for(std::vector<Argument>& arguments) {
  std::vector<RungValue> values(1 + arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto* const bytes = std::get_if<std::vector<std::uint8_t>>(&arguments[i].content);
    const std::vector<std::uint8_t> behind = std::exchange(arguments[i].behind, {});
    if (bytes != nullptr) bytes->insert(bytes->end(), behind.begin(), behind.end());
    values[1 + i] = value_of_content(arguments[i].content);
    values[1 + i].size -= behind.size();
  }
  return values;
}

Answer answer_of(LearnerFunction f, const std::vector<Argument>& arguments, const std::optional<Content>& result_type) {
  std::vector<Argument> copies = arguments;
  std::vector<RungValue> values = values_for(copies);
  f(values.data());
  Answer answer;
  for (Argument& argument : copies) {
    if (argument.output) answer.outputs.push_back(std::move(argument.content));
  }
  if (result_type) {
    answer.result = std::visit(
        [&](const auto& type) -> Content { return result_of<std::decay_t<decltype(type)>>(values[0]); }, *result_type);
  }
  return answer;
}

std::optional<std::size_t> first_difference(const Content& expected, const Content& got, double tolerance) {
  if (expected.index() != got.index()) return 0;
  return std::visit(
      [&](const auto& e) -> std::optional<std::size_t> {
        using T = std::decay_t<decltype(e)>;
        const T& g = std::get<T>(got);
        if constexpr (std::is_same_v<T, double>) {
          return alike(e, g, tolerance) ? std::nullopt : std::optional<std::size_t>(0);
        } else {
          const std::size_t both = std::min(e.size(), g.size());
          for (std::size_t i = 0; i < both; ++i) {
            if (!alike(static_cast<double>(e[i]), static_cast<double>(g[i]), tolerance)) return i;
          }
          return e.size() == g.size() ? std::nullopt : std::optional(both);
        }
      },
      expected);
}

bool agree(const Answer& expected, const Answer& got, double tolerance) {
  if (expected.outputs.size() != got.outputs.size() || expected.result.has_value() != got.result.has_value()) {
    return false;
  }
  for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
    if (first_difference(expected.outputs[i], got.outputs[i], tolerance)) return false;
  }
  return !expected.result || !first_difference(*expected.result, *got.result, tolerance);
}

std::string shown(const Content& content, const std::vector<std::size_t>& shape, std::optional<std::size_t> around) {
  return std::visit(
      [&](const auto& c) -> std::string {
        using T = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<T, double>)
          return one_shown(c);
        else if constexpr (std::is_same_v<T, std::string>)
          return text_shown(c);
        else
          return elements_shown(c, shape, around);
      },
      content);
}

}  // namespace rung::learn
