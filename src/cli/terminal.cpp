#include "cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/environment.h"
#include "base/error.h"
#include "base/utf8.h"

namespace rung {

namespace {
int output = STDOUT_FILENO;  // where write_out writes
}

void write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(output, text.data(), text.size());
    if (n < 0 && (errno == EINTR || wait_until_ready(output, POLLOUT))) continue;
    if (n < 0 && errno == EPIPE) throw OutputClosed{};
    if (n < 0) fail("stdout: {}", std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void take_stdout() {
  output = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (output < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) fail("stdout: {}", std::strerror(errno));
}

void write_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR && !wait_until_ready(STDERR_FILENO, POLLOUT)) return;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool wait_until_ready(int descriptor, short events) {
  if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
  pollfd one{.fd = descriptor, .events = events, .revents = 0};
  ::poll(&one, 1, -1);
  return true;
}

void open_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest number that is free
  }
}

void write_text(std::string_view utf8) {
  if (!stdout_is_terminal()) return write_out(utf8);
  for (std::string out; !utf8.empty(); out.clear()) {  // a line, or a part of one between tabs
    const std::size_t end = std::min(utf8.find_first_of("\n\t"), utf8.size());
    out = visible(utf8.substr(0, end));
    if (end < utf8.size()) out += utf8[end];
    write_out(out);
    utf8.remove_prefix(std::min(end + 1, utf8.size()));
  }
}

void write_line(const OrderedJson& value) { write_out(to_json(value) + "\n"); }

bool stdout_is_terminal() { return ::isatty(output) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }
bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(output, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

const Style& style() {
  static const Style kPlain{};
  static const Style kColour{.dim = "\033[2m",
                             .bold = "\033[1m",
                             .red = "\033[31m",
                             .green = "\033[32m",
                             .yellow = "\033[33m",
                             .blue = "\033[34m",
                             .magenta = "\033[35m",
                             .cyan = "\033[36m",
                             .inverse = "\033[7m",
                             .reset = "\033[0m",
                             .stripes = {"\033[30;46m", "\033[30;43m"},
                             .control = "\033[97;41m"};
  static const bool kWanted = stdout_is_terminal() && !environment().no_color && !environment().dumb_terminal;
  return kWanted ? kColour : kPlain;
}

void Progress::update(std::size_t done, std::size_t total, std::string_view unit) {
  show(fmt::format("{} of {} {}", done, total, unit), done >= total);
}

void Progress::show(std::string_view how_far, bool last) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (!stderr_is_terminal() || environment().dumb_terminal || now - start_ < 1s ||
      (visible_ && now - shown_ < 100ms && !last)) {
    return;
  }
  write_error(fmt::format("\r\033[K{}: {}", what_, how_far));
  shown_ = now;
  visible_ = true;
}

void Progress::hide() {
  if (visible_) write_error("\r\033[K");
  visible_ = false;
}

Progress::~Progress() { hide(); }

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, find_invalid_utf8(text).value_or(text.size()));
    for (const char* p = whole.data(); p != whole.data() + whole.size();) {
      const char* begin = p;
      const char32_t c = decode_utf8(p);
      if (c == '\n') {
        out += "\\n";
      } else if (c == '\r') {
        out += "\\r";
      } else if (c == '\t') {
        out += "\\t";
      } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
      } else {
        out.append(begin, p);
      }
    }
    text.remove_prefix(whole.size());
    if (text.empty()) break;
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
  }
  return out;
}

void put_text(OrderedJson& object, const std::string& key, std::string_view text) {
  object[key] = text;
  if (!find_invalid_utf8(text)) return;
  OrderedJson bytes = OrderedJson::array();
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  object[key + "_bytes"] = std::move(bytes);
}

}  // namespace rung
