#include "hub/loopback_hub.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <utility>

#include "paths.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

std::string line_from(std::FILE* file) {
  std::string line;
  for (int c = 0; (c = std::fgetc(file)) != EOF && c != '\n';) line += static_cast<char>(c);
  return line;
}

}  // namespace

LoopbackHub::LoopbackHub() {
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string script = (source_folder() / "tests" / "hub" / "hub.py").string(), root = folder_.path().string();
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    ::execlp("python3", "python3", "-B", script.c_str(), root.c_str(), nullptr);
    ::_exit(99);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = ::fdopen(to[1], "w");
  from_ = ::fdopen(from[0], "r");
  const std::string first = line_from(from_);
  if (first.empty()) throw std::runtime_error("tests/hub/hub.py does not start: is there a python3?");
  const Json addresses = parse_json(first, "hub.py");
  url_ = addresses["url"].get<std::string>();
  cdn_ = addresses["cdn"].get<std::string>();
  tls_ = addresses["tls"].get<std::string>();
  certificate_ = addresses.value("certificate", "");
}

LoopbackHub::~LoopbackHub() {
  std::fclose(to_);  // its standard input ends, and so does it
  std::fclose(from_);
  ::waitpid(child_, nullptr, 0);
}

void LoopbackHub::put(const std::string& repository, const std::string& file, const std::string& content) {
  const fs::path path = folder_ / repository / file;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void LoopbackHub::put_folder(const std::string& repository, const fs::path& folder) {
  fs::create_directories(folder_ / repository);
  fs::copy(folder, folder_ / repository, fs::copy_options::recursive);
}

OrderedJson LoopbackHub::command(OrderedJson line) {
  const std::string text = to_json(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), to_);
  std::fflush(to_);
  return parse_ordered_json(line_from(from_), "hub.py");
}

void LoopbackHub::set(OrderedJson faults) {
  faults["do"] = "set";
  command(std::move(faults));
}

OrderedJson LoopbackHub::log() { return command({{"do", "log"}}); }
void LoopbackHub::wait_until_held() { command({{"do", "held"}}); }
void LoopbackHub::release() { command({{"do", "release"}}); }

HubSettings LoopbackHub::settings(const fs::path& cache) const {
  HubSettings s{.endpoint = url_, .cache = cache};
  s.first_wait = std::chrono::milliseconds(1);
  s.stall_seconds = 1;
  return s;
}

std::vector<std::string> LoopbackHub::environment(const fs::path& cache) const {
  return {"HF_ENDPOINT=" + url_, "HF_HUB_CACHE=" + cache.string(),
          "HF_TOKEN=",           "HF_TOKEN_PATH=/dev/null",
          "HF_HUB_OFFLINE=",     "http_proxy=",
          "no_proxy=*"};
}

std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(bytes, '\0');
  for (char& c : out) c = static_cast<char>(random() & 0xff);
  return out;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> tree_of(const fs::path& folder) {
  std::vector<std::string> tree;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string line = entry.path().lexically_relative(folder).generic_string();
    if (entry.is_symlink()) line += " -> " + fs::read_symlink(entry.path()).generic_string();
    if (!entry.is_directory()) tree.push_back(std::move(line));
  }
  std::sort(tree.begin(), tree.end());
  return tree;
}

}  // namespace rung
