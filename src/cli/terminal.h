// What people see: text on stdout that is checked, colour where it is wanted, progress on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace rung {

// Somebody stopped reading stdout (`rung … | head`). Not an error of anyone's: the program ends without a word.
struct OutputClosed {};

// To stdout, at once. Throws OutputClosed, or Error (a full disk).
void write_out(std::string_view text);
// From now on stdout is write_out's alone: what others in this process print there goes to stderr.
void take_stdout();
// To stderr, as far as it goes: that an error cannot be told is nothing that could be told.
void write_error(std::string_view text);
// After a read or write that did not succeed: true where that was because somebody has made the descriptor
// non-blocking, for everybody who shares it; then it waits until more can be done (`events`: POLLIN or POLLOUT), or a
// signal comes.
bool wait_until_ready(int descriptor, short events);
// Descriptors 0 to 2 that the caller closed (`2>&-`) become such as fail: else the next file that is opened takes the
// number, and what is meant for people would be written into it.
void open_standard_descriptors();
// The same for text that a model made: on a terminal its control characters are shown, not obeyed.
void write_text(std::string_view utf8);
void write_line(const OrderedJson& value);  // to_json and a line's end

bool stdout_is_terminal();
bool stderr_is_terminal();
bool stdin_is_terminal();
std::size_t terminal_columns();  // of stdout; 80 when it is none

// Control sequences, empty when stdout is no terminal, a dumb one, or NO_COLOR is set.
struct Style {
  std::string_view dim, bold, red, green, yellow, blue, magenta, cyan, inverse, reset;
  std::string_view stripes[2];  // backgrounds that take turns
  std::string_view control;     // a background that warns
};
const Style& style();

// A line on stderr that says how far a long work is: nothing in the first second, nothing when stderr is no terminal,
// or one that cannot go back in a line.
class Progress {
 public:
  explicit Progress(std::string what) : what_(std::move(what)) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::size_t done, std::size_t total, std::string_view unit);
  void show(std::string_view how_far, bool last = false);  // in words of one's own
  void hide();                                             // until the next update: something else is to be said

 private:
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = start_;
  bool visible_ = false;
};

// "98.4 MB": powers of 1000, as file sizes and bandwidths are given.
std::string human_bytes(std::uint64_t bytes);
// Text for one line of a terminal: control characters as their escapes ("\n"), other bytes that are no UTF-8 as \xHH.
std::string visible(std::string_view text);
// object[key] = text; and object[key + "_bytes"] = […] where text is not whole UTF-8.
void put_text(OrderedJson& object, const std::string& key, std::string_view text);

}  // namespace rung
