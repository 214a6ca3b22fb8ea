// `rung learn` for a kernel, course/exercises/m7-*: written in the Metal Shading Language, run by the emulator. The
// same as exercises_test.cpp asks of those in C++: the stub is not yet written, the solution passes, each wrong
// solution fails where it says, for the cause that it says. And what becomes of a kernel that hangs, crashes or is
// none.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/program.h"
#include "files/temporary_folder.h"
#include "paths.h"
#include "sanitized.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

const fs::path folder_of_exercise = source_folder() / "course/exercises/m7-kernel";

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), by);
}

// A learner's folder, one for all tests here: what the emulator was compiled to is kept in it.
class Kernel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    run_rung({"learn", "start", path()});
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    static const std::string missing =
        Json::parse(run_rung({"learn", "--json"}).out).at("exercises").back().value("leftOut", "");
    if (!missing.empty()) GTEST_SKIP() << missing;
    if (kSanitized) GTEST_SKIP() << "the emulator's fibers are no stacks that a sanitizer knows";
  }

  static std::string path() { return (*folder_ / "mine").string(); }
  static void write(const std::string& code) {
    std::ofstream(fs::path(path()) / "m7-kernel.metal", std::ios::binary) << code;
  }
  static std::string solution() { return text_of(folder_of_exercise / "solution.metal"); }

  static Outcome learn(std::vector<std::string> arguments, const Surroundings& surroundings = {}) {
    arguments.insert(arguments.begin(), "learn");
    arguments.insert(arguments.end(), {"--folder", path()});
    return run_rung(std::move(arguments), surroundings);
  }
  static Json report(const std::string& code, const std::string& verb = "check") {
    write(code);
    const Outcome outcome = learn({verb, "m7-kernel", "--json"});
    EXPECT_TRUE(Json::accept(outcome.out)) << outcome.out << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  }
  static Json failure(const std::string& code) {
    const Json all = report(code);
    EXPECT_FALSE(all.at("passed").get<bool>());
    return all.at("checks").back();
  }

 private:
  static TemporaryFolder* folder_;
};
TemporaryFolder* Kernel::folder_ = nullptr;

TEST_F(Kernel, TheStubSaysWhatIsToBeWritten) {
  const Json all = report(text_of(folder_of_exercise / "stub.metal"));
  const Json& last = all.at("checks").back();
  EXPECT_EQ(last.at("state"), "not-yet") << all;
  EXPECT_EQ(last.at("check"), "by-hand");
  EXPECT_FALSE(all.at("checks").at(0).contains("warnings")) << all;
}

TEST_F(Kernel, TheSolutionPassesAndTellsTheStory) {
  const Json all = report(solution());
  EXPECT_TRUE(all.at("passed").get<bool>()) << all.dump(1);
  std::vector<std::string> checks;
  for (const Json& check : all.at("checks")) {
    if (check.at("state") == "passed") checks.push_back(check.at("check"));
  }
  EXPECT_EQ(checks, (std::vector<std::string>{"compile", "by-hand", "random", "pebble", "story"})) << all;
  EXPECT_FALSE(all.at("checks").at(0).contains("warnings")) << all;

  const std::vector<std::string> told{"-n", "8", "--temperature", "0", "Once upon a time"};
  const auto generated = [&](std::vector<std::string> with) {
    with.insert(with.begin(), "generate");
    with.insert(with.end(), told.begin(), told.end());
    return run_rung(with);
  };
  const Outcome story = generated({"--with", path()});
  EXPECT_EQ(story.status, 0) << story.err;
  EXPECT_TRUE(has(story.err, "yours: kernel")) << story.err;
  EXPECT_EQ(story.out, generated({"--device", "reference"}).out);
}

TEST_F(Kernel, WrongSolutionsFailWhereTheySayAndTheirCauseIsNamedFirst) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder_of_exercise / "wrong")) {
    const std::string code = text_of(entry.path());
    const auto said = [&](const std::string& key) {
      const std::size_t at = code.find("// " + key + ": ") + key.size() + 5;
      return code.substr(at, code.find('\n', at) - at);
    };
    const Json last = failure(code);
    SCOPED_TRACE(entry.path().filename().string() + "\n" + last.dump(1));
    EXPECT_EQ(last.at("check"), said("fails"));
    for (const char* key : {"input", "expected", "got"}) EXPECT_FALSE(last.value(key, "").empty()) << key;
    const Json causes = last.value("causes", Json::array());
    ASSERT_FALSE(causes.empty());
    EXPECT_EQ(causes.at(0).at("id"), said("cause"));
    ++count;
  }
  EXPECT_GE(count, 6u);
}

TEST_F(Kernel, TwoThatNoBarrierKeepsApartAreNamedByTheirLines) {
  const std::string barrier = "  threadgroup_barrier(mem_flags::mem_threadgroup);\n";
  const Json last = failure(replaced(solution(), barrier, ""));
  EXPECT_TRUE(std::regex_match(last.at("got").get<std::string>(),
                               std::regex("thread 1 reads threadgroup memory at m7-kernel.metal:\\d+:\\d+, thread 0 of "
                                          "the same threadgroup writes it at m7-kernel.metal:\\d+:\\d+, and nothing "
                                          "says which of them is first")))
      << last;
  EXPECT_TRUE(has(last.at("line").get<std::string>(), "shared[")) << last;
}

TEST_F(Kernel, WhatDoesNotCompileIsSaidAtTheLearnersLine) {
  const Json words = failure(replaced(solution(), "float sum = 0;", "float sun = 0;"));
  EXPECT_EQ(words.at("check"), "compile");
  EXPECT_TRUE(words.at("got").get<std::string>().rfind("m7-kernel.metal:", 0) == 0) << words;
  EXPECT_TRUE(has(words.at("got").get<std::string>(), "'sum'")) << words;

  // what C++ would take and Metal does not
  const Json space = failure(replaced(solution(), "device const float* from = x", "threadgroup const float* from = x"));
  EXPECT_EQ(space.at("check"), "compile");
  EXPECT_TRUE(has(space.at("got").get<std::string>(), "m7-kernel.metal:")) << space;
}

TEST_F(Kernel, WhatIsNoKernelIsRefusedAtItsLine) {
  const std::string library = "#include <metal_stdlib>\n";
  for (const auto& [code, says] : std::vector<std::pair<std::string, std::string>>{
           {"", "m7-kernel.metal:1: error: #include <metal_stdlib> is missing"},
           {library + "kernel", "m7-kernel.metal:2: error: the file ends where more has to come"},
           {library + "kernel void softmax(", "m7-kernel.metal:2: error: '(' is never closed"},
           {library + "\xff\xfe", "m7-kernel.metal:2:"}}) {
    const Json last = failure(code);
    EXPECT_EQ(last.at("check"), "compile");
    EXPECT_TRUE(has(last.value("got", ""), says)) << last;
    EXPECT_FALSE(has(last.value("got", ""), "Traceback")) << last;
  }
}

TEST_F(Kernel, AnotherNameOrAnotherArgumentIsNamed) {
  EXPECT_TRUE(has(failure(replaced(solution(), "void softmax", "void softmin")).at("got").get<std::string>(),
                  "no kernel 'softmax'"));
  EXPECT_TRUE(has(failure(replaced(solution(), "uint& columns [[buffer(2)]]", "uint& columns [[buffer(7)]]"))
                      .at("got")
                      .get<std::string>(),
                  "nothing is bound to 'columns', buffer 7"));
}

TEST_F(Kernel, AnEndlessLoopIsEndedAndNamedByItsLine) {
  const Json last = failure(replaced(solution(), "float sum = 0;", "float sum = 0;\n  while (columns > 0) {}"));
  EXPECT_TRUE(has(last.at("got").get<std::string>(), "did not come back within 5 seconds")) << last;
  EXPECT_TRUE(has(last.at("line").get<std::string>(), "while (columns > 0)")) << last;
}

TEST_F(Kernel, APlaceFarOutsideEndsTheKernelAndNotTheProgram) {
  const Json last = failure(replaced(solution(), "float sum = 0;", "float sum = from[1u << 30];"));
  EXPECT_TRUE(has(last.at("got").get<std::string>(), "outside of every buffer")) << last;
  EXPECT_TRUE(has(last.at("line").get<std::string>(), "from[1u << 30]")) << last;
}

TEST_F(Kernel, DebugLooksIntoPebble) {
  const Json all = report(replaced(solution(), " / sum;", ";"), "debug");
  const Json& pebble = all.at("checks").at(1);
  EXPECT_EQ(pebble.at("check"), "pebble") << all;
  EXPECT_EQ(pebble.at("state"), "failed") << all;
  EXPECT_EQ(pebble.at("where").at("tensor"), "layer.0.attention") << pebble;
  EXPECT_EQ(pebble.at("causes").at(0).at("id"), "not-divided") << pebble;
}

TEST_F(Kernel, IsExportedAndImported) {
  write("// mine\n");
  const std::string file = path() + "/all.json";
  ASSERT_EQ(learn({"export", file}).status, 0);
  EXPECT_EQ(Json::parse(text_of(file)).at("exercises").at("m7-kernel").at("code"), "// mine\n");
  write("// another\n");
  ASSERT_EQ(learn({"import", file}).status, 0);
  EXPECT_EQ(text_of(fs::path(path()) / "m7-kernel.imported.metal"), "// mine\n");
  EXPECT_EQ(text_of(fs::path(path()) / "m7-kernel.metal"), "// another\n");
}

TEST_F(Kernel, HintsAndTheSolutionAreItsOwn) {
  EXPECT_TRUE(has(learn({"hint", "m7-kernel.metal"}).out, "hint 1 of 3 for m7-kernel"));
  learn({"solution", "m7-kernel"});
  EXPECT_TRUE(has(learn({"solution", "m7-kernel"}).out, "threadgroup_barrier(mem_flags::mem_threadgroup);"));
}

// Nobody is kept from the others.
TEST(KernelWithoutItsCompiler, IsLeftOutByNameWithTheReason) {
  const TemporaryFolder nowhere;
  const Surroundings none{.environment = {"PATH=" + nowhere.path().string()}};
  const Outcome list = run_rung({"learn"}, none);
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_TRUE(has(list.out, "m7-kernel")) << list.out;
  EXPECT_TRUE(has(list.out, "(left out: ")) << list.out;

  const Json all = Json::parse(run_rung({"learn", "--json"}, none).out).at("exercises");
  EXPECT_EQ(all.back().at("name"), "m7-kernel");
  EXPECT_TRUE(has(all.back().value("leftOut", ""), "emulator of Metal is for Linux") ||
              has(all.back().value("leftOut", ""), "apt install clang-19"))
      << all.back();
  EXPECT_FALSE(all.front().contains("leftOut"));

  ASSERT_EQ(run_rung({"learn", "start", nowhere / "mine"}, none).status, 0);
  const Outcome check = run_rung({"learn", "check", "m7-kernel", "--folder", nowhere / "mine"}, none);
  EXPECT_EQ(check.status, 1);
  EXPECT_TRUE(has(check.err, "m7-kernel: ")) << check.err;

  std::ofstream(nowhere.path() / "mine" / "m7-kernel.metal") << "// solved elsewhere\n";
  std::ofstream(nowhere.path() / "mine" / "progress.json")
      << R"({"version": 1, "exercises": {"m7-kernel": {"passed": true}}})";
  const Outcome told = run_rung({"generate", "--with", nowhere / "mine", "Once"}, none);
  EXPECT_TRUE(has(told.err, "nothing that has a place in a model is solved there yet; m7-kernel: ")) << told.err;
}

}  // namespace
}  // namespace rung
