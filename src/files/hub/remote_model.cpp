#include "files/hub/remote_model.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "files/gguf_part.h"
#include "files/hub/pull.h"

namespace rung {

namespace {

constexpr std::uint64_t kMostWholeBytes = 4 << 20;          // of a configuration; a tokenizer is not read
constexpr std::uint64_t kFirstBytes = 64 << 10;             // most headers of safetensors are shorter
constexpr std::uint64_t kMostSafetensorsHeader = 25 << 20;  // huggingface_hub's bound
constexpr std::uint64_t kFirstGgufBytes = 1 << 20;
constexpr std::uint64_t kMostGgufHeader = 64 << 20;  // a vocabulary of 262,144 takes 10 MB

}  // namespace

FileBeginning::FileBeginning(std::uint64_t file_bytes) : size_(static_cast<std::size_t>(file_bytes)) {
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) fail("no room for {} bytes of addresses: {}", file_bytes, std::strerror(errno));
  data_ = static_cast<std::byte*>(address);
}

FileBeginning::FileBeginning(FileBeginning&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_), known_(other.known_) {}

FileBeginning::~FileBeginning() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void FileBeginning::append(std::string_view bytes) {
  const std::size_t count = std::min(bytes.size(), size_ - known_);
  std::memcpy(data_ + known_, bytes.data(), count);
  known_ += count;
}

RemoteModel::RemoteModel(Hub& hub, const HubRepository& repository) : name_(repository.name.repository) {
  const std::vector<HubFile> files = files_of_model(hub, repository);
  for (const HubFile& file : files) {
    download_bytes_ += file.size;
    if (file.name.ends_with(".gguf")) {
      is_gguf_ = true;
      read_gguf_header(hub, repository, file);
    } else if (file.name.ends_with(".safetensors")) {
      read_safetensors_header(hub, repository, file);
    } else if (file.name != "tokenizer.json" && file.name != "tokenizer.model") {
      read_whole(hub, repository, file);
    }
  }
}

void RemoteModel::read_more(Hub& hub, const HubRepository& repository, const HubFile& file, FileBeginning& beginning,
                            std::uint64_t until) {
  const std::uint64_t end = std::min(until, file.size);
  if (end <= beginning.known()) return;
  const std::string more =
      hub.read(repository, file.name, beginning.known(), static_cast<std::size_t>(end - beginning.known()));
  read_bytes_ += more.size();
  beginning.append(more);
  if (beginning.known() < end) {
    fail("{}/{}: ends at byte {}, expected {}", name_, printable(file.name), beginning.known(), file.size);
  }
}

void RemoteModel::keep(const HubFile& file, FileBeginning beginning) {
  beginnings_.push_back(std::move(beginning));
  names_.push_back(file.name.ends_with(".gguf") ? file.name.substr(file.name.rfind('/') + 1) : file.name);
  files_.push_back({names_.back(), beginnings_.back().bytes()});
}

void RemoteModel::read_whole(Hub& hub, const HubRepository& repository, const HubFile& file) {
  if (file.size > (file.name == kIndexName ? kMostSafetensorsHeader : kMostWholeBytes)) return;
  FileBeginning whole(file.size);
  read_more(hub, repository, file, whole, file.size);
  keep(file, std::move(whole));
}

void RemoteModel::read_safetensors_header(Hub& hub, const HubRepository& repository, const HubFile& file) {
  FileBeginning beginning(file.size);
  read_more(hub, repository, file, beginning, kFirstBytes);
  std::uint64_t header_bytes = 0;
  if (beginning.known() >= sizeof header_bytes)
    std::memcpy(&header_bytes, beginning.bytes().data(), sizeof header_bytes);
  if (header_bytes > kMostSafetensorsHeader) {
    fail("{}/{}: claims a header of {} bytes, expected at most {}", name_, printable(file.name), header_bytes,
         kMostSafetensorsHeader);
  }
  read_more(hub, repository, file, beginning, sizeof header_bytes + header_bytes);
  keep(file, std::move(beginning));
}

// Where a header ends, only reading it says: so as much again each time, until it ends within what is known.
void RemoteModel::read_gguf_header(Hub& hub, const HubRepository& repository, const HubFile& file) {
  FileBeginning beginning(file.size);
  const std::string where = name_ + "/" + file.name;
  for (std::uint64_t until = kFirstGgufBytes;; until *= 2) {
    read_more(hub, repository, file, beginning, until);
    const bool is_last = until >= kMostGgufHeader || beginning.known() == file.size;
    try {
      if (parse_gguf(beginning.bytes(), where).header_bytes <= beginning.known()) break;
      if (is_last) fail("{}: its header is longer than {} bytes", where, beginning.known());
    } catch (const Error&) {
      if (is_last) throw;  // else it met the zeros that stand for what was not read
    }
  }
  keep(file, std::move(beginning));
}

}  // namespace rung
