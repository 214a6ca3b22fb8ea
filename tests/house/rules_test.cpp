// The rules of the house that a compiler does not check: which room may include which, how long a file may be, and that
// nothing in the tree knows the machine it was written on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "paths.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

const fs::path root = source_folder();

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Every file under `folder` whose name ends in one of `endings`, as a path below the root of the repository.
std::vector<fs::path> files_under(const fs::path& folder, const std::set<std::string>& endings) {
  std::vector<fs::path> found;
  if (!fs::exists(root / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
    const bool wanted = entry.is_regular_file() && endings.count(entry.path().extension().string()) > 0;
    if (wanted) found.push_back(fs::relative(entry.path(), root));
  }
  std::sort(found.begin(), found.end());
  return found;
}

const std::set<std::string> cpp{".h", ".cpp"};

std::string room_of(const fs::path& below_src) { return below_src.begin()->string(); }

// Room → the rooms it may include besides itself and base. Each names what lies directly below it and what that hands
// out.
const std::map<std::string, std::set<std::string>> allowed{
    {"base", {}},
    {"tensor", {}},
    {"files", {"tensor"}},
    {"text", {"files"}},
    {"templates", {"text"}},
    {"kernels", {"tensor"}},
    {"ops", {"kernels", "tensor"}},
    {"model", {"ops", "files", "tensor"}},
    {"engine", {"model", "text", "templates", "files", "ops", "tensor"}},
    {"convert", {"engine", "model", "text", "templates", "files", "ops", "tensor"}},
    {"measure", {"engine", "model", "text", "templates", "files", "ops", "kernels", "tensor"}},
    {"learn", {"measure", "engine", "model", "text", "templates", "files", "ops", "kernels", "tensor"}},
    {"cli", {"learn", "measure", "convert", "engine", "model", "text", "templates", "files", "ops", "tensor"}},
    {"server", {"measure", "engine", "model", "text", "templates", "files", "ops", "tensor"}},
};

TEST(House, EveryRoomIncludesOnlyTheRoomsBelowIt) {
  const std::regex include{R"(^\s*#\s*include\s*"([^"]+)\")"};
  for (const fs::path& file : files_under("src", cpp)) {
    const std::string room = room_of(fs::relative(file, "src"));
    ASSERT_TRUE(allowed.count(room)) << file << " stands in a room that the house does not know";
    for (const std::string& line : lines_of(root / file)) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const fs::path included = match[1].str();
      if (room == "learn" && included == "exercises/entry.h") continue;  // course/: both ends of one door
      EXPECT_TRUE(fs::exists(root / "src" / included))
          << file << " includes \"" << match[1] << "\": write its path from src/";
      const std::string other = room_of(included);
      EXPECT_TRUE(other == room || other == "base" || allowed.at(room).count(other))
          << file << " includes " << included;
    }
  }
}

TEST(House, AFileIsReadInOneSitting) {
  for (const fs::path& file : files_under("src", cpp)) {
    const std::vector<std::string> lines = lines_of(root / file);
    const bool generated = !lines.empty() && lines.front().find("enerated by tools/") != std::string::npos;
    EXPECT_TRUE(generated || lines.size() <= 500) << file << " has " << lines.size() << " lines";
  }
}

// A .cpp beside a .h of its name is described there.
TEST(House, AFileBeginsWithWhatItIsFor) {
  for (const fs::path& file : files_under("src", cpp)) {
    const bool described = file.extension() == ".cpp" && fs::exists(root / fs::path(file).replace_extension(".h"));
    const std::vector<std::string> lines = lines_of(root / file);
    EXPECT_TRUE(described || (!lines.empty() && lines.front().rfind("// ", 0) == 0))
        << file << " does not begin with a comment";
  }
}

// A newcomer's compile: CLI11 costs 8 s in every file that sees it.
TEST(House, OneFileSeesTheArgumentParser) {
  for (const char* folder : {"src", "tests", "bench"}) {
    for (const fs::path& file : files_under(folder, {".h", ".cpp", ".txt"})) {
      if (file == "src/cli/arguments.cpp" || file == "tests/house/rules_test.cpp") continue;
      for (const std::string& line : lines_of(root / file)) {
        EXPECT_EQ(line.find("CLI/CLI.hpp"), line.npos) << file << " sees the argument parser";
      }
    }
  }
}

TEST(House, NothingKnowsTheMachineItWasWrittenOn) {
  const std::regex place{R"((/work/|/home/\w|/Users/\w|/root/|/opt/oracle))"};
  std::vector<fs::path> files{"rung", "check", "CMakeLists.txt", "README.md", "course/README.md"};
  for (const char* folder : {"src", "emulator", "tests", "fuzz", "bench", "tools", "examples", "cmake", "docs",
                             "course/src", "course/tests", "course/tools", "course/recorded"}) {
    const std::vector<fs::path> more =
        files_under(folder, {".h", ".cpp", ".py", ".sh", ".awk", ".txt", ".cmake", ".md", ".mjs", ".ts", ".astro", ""});
    files.insert(files.end(), more.begin(), more.end());
  }
  for (const fs::path& file : files) {
    if (file == "tests/house/rules_test.cpp") continue;  // it must name what it forbids
    const std::vector<std::string> lines = lines_of(root / file);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(lines[i], place)) << file << ":" << i + 1 << ": " << lines[i];
    }
  }
}

std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<fs::path> everything_written_by_hand() {
  std::vector<fs::path> files{"rung", "check", "CMakeLists.txt", "README.md"};
  for (const char* folder : {"src", "emulator", "tests", "fuzz", "bench", "tools", "examples", "cmake", "docs",
                             "models", "course/exercises", "course/src/content", "course/src/toys", "web/src"}) {
    for (const fs::path& file :
         files_under(folder, {".h", ".cpp", ".py", ".sh", ".awk", ".txt", ".cmake", ".md", ".in", ".ts"})) {
      const std::string name = file.string();
      const auto lies_in = [&](const char* place) { return name.rfind(place, 0) == 0; };
      const bool is_data = lies_in("tests/golden/") || lies_in("fuzz/corpus/") || lies_in("tools/pebble/forms/");
      if (lies_in("course/src/content/docs/exercises/")) continue;  // made of course/exercises/
      if (!is_data || file.extension() == ".md") files.push_back(file);
    }
  }
  return files;
}

TEST(House, ALineHasAtMost120Columns) {
  const std::regex one_address{R"(^\W*https?://\S+$)"};
  for (const fs::path& file : everything_written_by_hand()) {
    const std::vector<std::string> lines = lines_of(root / file);
    const bool generated = !lines.empty() && lines.front().find("enerated by tools/") != std::string::npos;
    if (generated) continue;
    const bool is_markdown = file.extension() == ".md";  // whose code, tables, headlines and notes cannot be wrapped
    bool is_code = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string first = lines[i].substr(std::min(lines[i].find_first_not_of(' '), lines[i].size()));
      if (first.rfind("```", 0) == 0) is_code = !is_code;
      const bool is_note = first.rfind("description: ", 0) == 0;
      const bool keeps_its_line = is_markdown && (is_code || is_note || first[0] == '|' || first[0] == '#');
      if (keeps_its_line || std::regex_match(lines[i], one_address)) continue;
      EXPECT_LE(columns_of(lines[i]), 120u) << file << ":" << i + 1 << ": " << lines[i];
    }
  }
}

// As .clang-format says, judged by the version that it was written for.
TEST(House, TheTreeAgreesWithItsFormat) {
  if (std::system("command -v clang-format-19 >/dev/null") != 0) {
    GTEST_SKIP() << "clang-format-19 is missing: ./check brings it";
  }
  const std::string list = "find src emulator tests bench fuzz examples -name '*.h' -o -name '*.cpp'";
  const std::string command =
      "cd '" + root.string() + "' && " + list + " | xargs clang-format-19 --dry-run -Werror 2>&1";
  FILE* const words = ::popen(command.c_str(), "r");
  ASSERT_NE(words, nullptr);
  std::string said;
  for (int c; (c = std::fgetc(words)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(::pclose(words), 0) << said.substr(0, 4000) << "\nclang-format-19 -i mends it";
}

}  // namespace
}  // namespace rung
