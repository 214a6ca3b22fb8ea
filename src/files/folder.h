// A model's folder: files by their names, on the disk, compiled into the program, or else in memory.  Milestone M1.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace rung {

struct CompiledFile {
  std::string_view name;
  std::span<const std::byte> bytes;
};

class Folder {
 public:
  Folder(std::filesystem::path path) : path_(std::move(path)) {}  // NOLINT: wherever a folder is wanted, a path is one
  Folder(const char* path) : path_(path) {}
  Folder(const std::string& path) : path_(path) {}
  // `files` live as long as what is read from them; `name` stands in errors where a path would.
  Folder(std::filesystem::path name, std::span<const CompiledFile> files) : path_(std::move(name)), compiled_(files) {}

  const std::filesystem::path& path() const { return path_; }
  // Is it a folder on the disk, or compiled in?
  bool exists() const;
  bool has(std::string_view name) const;         // throws Error: a link to what is not there
  MappedFile open(std::string_view name) const;  // throws Error
  // The files in a folder of it (empty: in itself), sorted, without its name. None where there is no such folder.
  std::vector<std::string> names_in(std::string_view folder) const;

 private:
  const CompiledFile* compiled(std::string_view name) const;

  std::filesystem::path path_;
  std::span<const CompiledFile> compiled_;  // empty: on the disk
};

}  // namespace rung
