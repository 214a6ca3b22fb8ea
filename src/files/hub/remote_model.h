// A repository on the hub → the beginnings of its files, enough to say what the model is: configuration and headers,
// hundreds of kilobytes where the weights are gigabytes.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "files/folder.h"
#include "files/hub/hub.h"

namespace rung {

// Address space as large as a file, of which only the beginning was read: what reads headers finds the file's size, and
// checks where tensors lie against it. The rest are zeros that take no memory.
class FileBeginning {
 public:
  explicit FileBeginning(std::uint64_t file_bytes);  // throws Error: there is no room for so many addresses
  FileBeginning(FileBeginning&& other) noexcept;
  FileBeginning& operator=(FileBeginning&&) = delete;
  ~FileBeginning();

  void append(std::string_view bytes);  // after those that are known
  std::size_t known() const { return known_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0, known_ = 0;
};

class RemoteModel {
 public:
  // Reads what is needed. Throws Error: the repository holds nothing that Rung reads, or headers that cannot be;
  // UnclearChoice.
  RemoteModel(Hub& hub, const HubRepository& repository);

  const std::string& name() const { return name_; }               // the repository's
  std::span<const CompiledFile> files() const { return files_; }  // live as long as this
  bool is_gguf() const { return is_gguf_; }
  std::uint64_t read_bytes() const { return read_bytes_; }
  std::uint64_t download_bytes() const { return download_bytes_; }  // of a pull

 private:
  void read_whole(Hub& hub, const HubRepository& repository, const HubFile& file);
  void read_safetensors_header(Hub& hub, const HubRepository& repository, const HubFile& file);
  void read_gguf_header(Hub& hub, const HubRepository& repository, const HubFile& file);
  void read_more(Hub& hub, const HubRepository& repository, const HubFile& file, FileBeginning& beginning,
                 std::uint64_t until);
  void keep(const HubFile& file, FileBeginning beginning);

  std::string name_;
  bool is_gguf_ = false;
  std::list<std::string> names_;
  std::list<FileBeginning> beginnings_;
  std::vector<CompiledFile> files_;
  std::uint64_t read_bytes_ = 0, download_bytes_ = 0;
};

}  // namespace rung
