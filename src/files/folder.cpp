#include "files/folder.h"

#include <algorithm>

namespace rung {

const CompiledFile* Folder::compiled(std::string_view name) const {
  const auto file =
      std::find_if(compiled_.begin(), compiled_.end(), [&](const CompiledFile& f) { return f.name == name; });
  return file == compiled_.end() ? nullptr : &*file;
}

bool Folder::exists() const {
  std::error_code ignored;
  return !compiled_.empty() || std::filesystem::is_directory(path_, ignored);
}

bool Folder::has(std::string_view name) const {
  std::error_code ignored;
  return compiled_.empty() ? std::filesystem::exists(path_ / name, ignored) : compiled(name) != nullptr;
}

MappedFile Folder::open(std::string_view name) const {
  if (const CompiledFile* file = compiled(name)) return MappedFile::over(path_ / name, file->bytes);
  return MappedFile(path_ / name);
}

}  // namespace rung
