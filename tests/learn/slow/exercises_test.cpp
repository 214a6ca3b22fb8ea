// Every folder of course/exercises/: it is whole; the stub says what is still to be written; the solution passes all
// checks; each wrong solution fails where it says, and why is what it says. The last is the debugger's table.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "learn/check.h"
#include "learn/exercise.h"
#include "learn/slow/compiled.h"
#include "ops/broken.h"
#include "paths.h"
#include "sanitized.h"

// What learn.h asks of its host.
extern "C" void rung_print(const char*, int) {}
extern "C" void rung_not_yet(const char* what) { throw rung::learn::NotYet(what); }

namespace rung::learn {
namespace {

namespace fs = std::filesystem;

const fs::path exercises_folder = source_folder() / "course" / "exercises";
const fs::path pages_folder = source_folder() / "course" / "src" / "content" / "docs";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(text_of(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The solution of an exercise, its stub, or all that are wrong.
std::vector<CompiledFile> files_of(const std::string& exercise, std::string_view beginning) {
  std::vector<CompiledFile> found;
  for (const CompiledFile& file : CompiledFile::all()) {
    if (file.exercise == exercise && file.file.starts_with(beginning)) found.push_back(file);
  }
  return found;
}

// "cause: ID" of the comments at a file's head.
std::string said(const std::vector<std::string>& lines, const std::string& key) {
  for (const std::string& line : lines) {
    if (line.rfind("// " + key + ": ", 0) == 0) return line.substr(key.size() + 5);
  }
  return "";
}

// As GitHub and the site make it of a headline: lower case, no punctuation, spaces are hyphens.
std::string anchor_of(const std::string& headline) {
  std::string anchor;
  for (const char c : headline.substr(headline.find_first_not_of("# "))) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) continue;
    if (std::isalnum(byte) || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(byte));
    else if (c == ' ')
      anchor += '-';
  }
  return anchor;
}

// "m2-forward-pass#rope" is a headline of a page.
bool page_exists(const std::string& place) {
  const std::size_t hash = place.find('#');
  const fs::path page = pages_folder / (place.substr(0, hash) + ".md");
  if (hash == place.npos) return fs::exists(page);
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("#") && anchor_of(line) == place.substr(hash + 1)) return true;
  }
  return false;
}

std::string first_failure(const Report& report) {
  const Check* const check = report.failure();
  if (check == nullptr) return "passed";
  std::string text = fmt::format("{}: {}\n{}\nexpected: {}\ngot: {}", check->name, check->title, check->input,
                                 check->expected, check->got);
  for (const Cause& cause : check->causes) text += fmt::format("\ncause: {}: {}", cause.id, cause.sentence);
  return text;
}

class EveryFolder : public testing::TestWithParam<std::string> {
 protected:
  const fs::path folder = exercises_folder / GetParam();
  const Exercise& exercise = *find_exercise(GetParam());
  std::string ending() const { return exercise.is_kernel ? ".metal" : ".cpp"; }
};
constexpr const char* kIsKernel = "is a kernel: tests/cli/slow/kernel_test.cpp compiles it";

TEST_P(EveryFolder, IsWhole) {
  const OrderedJson about = OrderedJson::parse(text_of(folder / "exercise.json"));
  for (const char* key : {"title", "milestone", "order", "minutes", "difficulty", "function", "signature", "page"}) {
    EXPECT_TRUE(about.contains(key)) << key;
  }
  EXPECT_TRUE(page_exists(about.value("page", ""))) << about.value("page", "") << " is no headline of the course";
  EXPECT_FALSE(text_of(folder / "text.md").empty());
  for (const char* name : {"stub", "solution"}) EXPECT_TRUE(fs::exists(folder / (name + ending()))) << name;
  EXPECT_FALSE(fs::is_empty(folder / "wrong"));
  EXPECT_EQ(files_of(GetParam(), "stub.cpp").size(), exercise.is_kernel ? 0u : 1u);
  std::vector<std::string> hints;
  for (const std::string& line : lines_of(folder / "hints.md")) {
    if (line.starts_with("## ")) hints.push_back(line);
  }
  EXPECT_EQ(hints, (std::vector<std::string>{"## 1", "## 2", "## 3"}));
  for (const KnownMistake& mistake : exercise.mistakes) {
    EXPECT_TRUE(page_exists(std::string(mistake.page))) << mistake.id << ": " << mistake.page;
    EXPECT_FALSE(mistake.sentence.empty()) << mistake.id;
  }
}

TEST_P(EveryFolder, TheSolutionIsShort) {
  const std::size_t given = lines_of(folder / ("stub" + ending())).size(),
                    all = lines_of(folder / ("solution" + ending())).size();
  EXPECT_GE(all, 5u);
  EXPECT_LE(all, given + 40) << "lines, of which the stub gives " << given;
}

TEST_P(EveryFolder, TheStubSaysWhatIsToBeWritten) {
  if (exercise.is_kernel) GTEST_SKIP() << kIsKernel;
  for (const CompiledFile& stub : files_of(GetParam(), "stub.cpp")) {
    const Report report = run_checks(exercise, stub.call, {.speed = false});
    ASSERT_FALSE(report.passed());
    EXPECT_EQ(report.failure()->state, CheckState::not_yet) << first_failure(report);
    EXPECT_EQ(report.failure()->name, "by-hand");
    const OrderedJson about = OrderedJson::parse(text_of(folder / "exercise.json"));
    EXPECT_EQ(report.failure()->title, about.at("function").get<std::string>());
  }
}

TEST_P(EveryFolder, TheSolutionPasses) {
  if (exercise.is_kernel) GTEST_SKIP() << kIsKernel;
  for (const CompiledFile& solution : files_of(GetParam(), "solution.cpp")) {
    const Report report = run_checks(exercise, solution.call, {.speed = false});
    EXPECT_TRUE(report.passed()) << first_failure(report);
  }
}

// In a process of its own: a wrong solution may crash, or never end. The last report that came from there.
std::string report_from_child(const Exercise& exercise, const CompiledFile& file) {
  int ends[2];
  if (::pipe(ends) != 0) return "";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::alarm(60);
    const auto say = [&](const Report& report) {
      const std::string words = to_json(report).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
      for (std::size_t at = 0; at < words.size();) {
        const ssize_t written = ::write(ends[1], words.data() + at, words.size() - at);
        if (written <= 0) break;
        at += static_cast<std::size_t>(written);
      }
    };
    say(run_checks(exercise, file.call, {.found = say, .speed = false}));
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string words;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) words.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (words.empty()) return fmt::format("ended by signal {}", WTERMSIG(status));
  words.pop_back();
  return words.substr(words.rfind('\n') + 1);
}

struct Row {
  std::string file, cause, fails, failed, named;
  std::size_t place = 0;  // of the true cause among those named; 0: it is not there
};

Row row_of(const Exercise& exercise, const CompiledFile& file) {
  const std::vector<std::string> lines = lines_of(exercises_folder / file.exercise / file.file);
  Row row{.file = fmt::format("{}/{}", file.exercise, file.file.substr(6)),
          .cause = said(lines, "cause"),
          .fails = said(lines, "fails"),
          .failed = "",
          .named = ""};
  const std::string words = report_from_child(exercise, file);
  const OrderedJson report = OrderedJson::parse(words, nullptr, false);
  if (report.is_discarded()) {
    row.failed = words;
    return row;
  }
  for (const OrderedJson& check : report.at("checks")) {
    if (check.at("state") != "failed") continue;
    row.failed = check.at("check").get<std::string>();
    std::size_t place = 0;
    for (const OrderedJson& cause : check.value("causes", OrderedJson::array())) {
      ++place;
      if (place == 1) row.named = cause.at("id").get<std::string>();
      if (cause.at("id") == row.cause && row.place == 0) row.place = place;
    }
  }
  return row;
}

// The debugger's table.
TEST(WrongSolutions, FailWhereTheySayAndTheirCauseIsNamed) {
  if (kSanitized) GTEST_SKIP() << "wrong solutions may do what a sanitizer ends";
  std::vector<Row> rows;
  for (const CompiledFile& file : CompiledFile::all()) {
    const Exercise* const exercise = find_exercise(file.exercise);
    if (exercise != nullptr && file.file.starts_with("wrong/")) rows.push_back(row_of(*exercise, file));
  }
  std::size_t first = 0, among_two = 0;
  std::string table;
  for (const Row& row : rows) {
    first += row.place == 1;
    among_two += row.place == 1 || row.place == 2;
    table += fmt::format("{:>2}  {:<46} {:<32} {:<8} {}\n", row.place == 0 ? "-" : std::to_string(row.place), row.file,
                         row.cause, row.failed, row.place == 1 ? "" : "first: " + row.named);
    EXPECT_EQ(row.failed, row.fails) << row.file;
  }
  const double share = 100.0 / static_cast<double>(std::max<std::size_t>(rows.size(), 1));
  std::printf("%s%zu wrong solutions: the true cause is named first in %.0f%%, among the first two in %.0f%%\n",
              table.c_str(), rows.size(), static_cast<double>(first) * share, static_cast<double>(among_two) * share);
  EXPECT_GE(rows.size(), 30u);
  EXPECT_GE(static_cast<double>(first) * share, 80) << table;
  EXPECT_GE(static_cast<double>(among_two) * share, 95) << table;
}

TEST(Exercises, EachThatTheSourceKnowsHasAFolder) {
  for (const Exercise& exercise : exercises()) {
    EXPECT_TRUE(fs::exists(exercises_folder / exercise.name / "exercise.json")) << exercise.name;
  }
}

TEST(Exercises, EachFolderIsKnownToTheSource) {
  for (const auto& entry : fs::directory_iterator(exercises_folder)) {
    if (!entry.is_directory()) continue;
    EXPECT_NE(find_exercise(entry.path().filename().string()), nullptr) << entry.path();
  }
}

TEST(Exercises, TheirOrderAndTitlesAreTheirOwn) {
  std::set<std::pair<std::string, int>> places;
  std::set<std::string> titles;
  for (const auto& entry : fs::directory_iterator(exercises_folder)) {
    if (!entry.is_directory()) continue;
    const OrderedJson about = OrderedJson::parse(text_of(entry.path() / "exercise.json"));
    const std::string milestone = about.at("milestone").get<std::string>(),
                      title = about.at("title").get<std::string>();
    EXPECT_TRUE(places.insert({milestone, about.at("order").get<int>()}).second) << entry.path();
    EXPECT_TRUE(titles.insert(title).second) << title;
  }
}

TEST(Mistakes, OfTheEngineEachHasAPage) {
  for (const MistakeInfo& mistake : mistakes()) EXPECT_TRUE(page_exists(std::string(mistake.page))) << mistake.page;
}

// Of those that the source knows.
std::vector<std::string> folders() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(exercises_folder)) {
    const std::string name = entry.path().filename().string();
    if (find_exercise(name) != nullptr) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Exercises, EveryFolder, testing::ValuesIn(folders()),
                         [](const testing::TestParamInfo<std::string>& folder) {
                           std::string name = folder.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace rung::learn
