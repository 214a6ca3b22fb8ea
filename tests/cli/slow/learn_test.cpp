// `rung learn` as a learner meets it: the program itself, with the compiler of this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "cli/slow/learner.h"

namespace rung {
namespace {

TEST_F(Learn, StartsAFolderWithOneFileAnExerciseAndLeavesWhatIsThere) {
  for (const char* name : {"learn.h", "CMakeLists.txt", "tutor.md", "m2-rms-norm.cpp"}) {
    EXPECT_TRUE(fs::exists(file(name))) << name;
  }
  EXPECT_EQ(text_of(file("learn.h")), text_of(source_folder() / "course/exercises/learn.h"));
  write("mine");
  fs::remove(file("tutor.md"));
  const Outcome again = run_rung({"learn", "start", path()});
  EXPECT_TRUE(has(again.out, "1 files written")) << again.out;
  EXPECT_EQ(text_of(file()), "mine");
}

TEST_F(Learn, AStubIsNotYetWrittenAndThatIsANormalStart) {
  const Outcome outcome = learn({"check", "rms-norm"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.out, "✓ compiles")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "not_yet: m2-rms-norm.cpp waits")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "Red is how every exercise begins")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "rung learn hint m2-rms-norm helps")) << "it is not the next one: " << outcome.out;
  EXPECT_FALSE(has(learn({"check", "rms-norm"}).out, "Red is how")) << "only the first time";
}

TEST_F(Learn, WhatDoesNotCompileIsNoNormalStart) {
  write_function("  out[0] = epsilonn;\n");
  EXPECT_FALSE(has(learn({"check", "rms-norm"}).out, "Red is how"));
  write_function("  not_yet(\"rms_norm\");\n");
  EXPECT_TRUE(has(learn({"check", "rms-norm"}).out, "Red is how")) << "the first that fails";
}

TEST_F(Learn, NextShowsTheTextOfTheOneThatIsNamed) {
  EXPECT_TRUE(has(learn({"next"}).out, "rung learn check\n"));
  for (const char* name : {"m2-gqa", "M2-GQA", "./m2-gqa.cpp", "grouped queries"}) {
    const Outcome outcome = learn({"next", name});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "m2-gqa  Grouped queries")) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "rung learn check m2-gqa\n")) << outcome.out;
  }
  EXPECT_EQ(learn({"next", "nosuch"}).status, 2);
  const Json json = Json::parse(learn({"next", "gqa", "--json"}).out);
  EXPECT_EQ(json.at("name"), "m2-gqa");
  EXPECT_EQ(json.at("text"), text_of(source_folder() / "course/exercises/m2-gqa/text.md"));
  EXPECT_EQ(Json::parse(learn({"hint", "gqa", "--json"}).out).at("hint"), 1);
  EXPECT_EQ(learn({"solution", "gqa", "--json"}).status, 2);
}

// "block" is a part of m2-block's name and of m5-block's.
TEST_F(Learn, OfTwoMatchesTheOneOfTheMilestoneUnderWayIsMeant) {
  EXPECT_TRUE(has(learn({"next", "block"}).err, "m2-block or m5-block"));
  set_progress(R"("m0-merge-loop": {"passed": true}, "m1-tensor-view": {"passed": true})");
  for (const char* name : {"m0-merge-loop", "m1-tensor-view"}) solve(name);
  EXPECT_TRUE(has(learn({"next", "block"}).out, "m2-block  ")) << learn({"next", "block"}).err;
}

TEST_F(Learn, ATestOutStandsForItsMilestoneUnlessItsSolutionWasLookedUp) {
  EXPECT_TRUE(has(learn({}).out, "(test-out: solve it, and you may skip the rest of M0)"));
  EXPECT_TRUE(has(learn({}).out, "– skipped"));
  solve("m0-merge-loop");
  set_progress(R"("m0-merge-loop": {"passed": true})");
  EXPECT_TRUE(has(learn({}).out, "– m0-cut-words")) << learn({}).out;
  set_progress(R"("m0-merge-loop": {"passed": true, "solution": true})");
  EXPECT_TRUE(has(learn({}).out, "s m0-merge-loop")) << learn({}).out;
  EXPECT_TRUE(has(learn({}).out, "· m0-cut-words")) << learn({}).out;
}

TEST_F(Learn, WhatIsDeletedIsNotSolvedAndAFreshStubIsANewAttempt) {
  solve();
  set_progress(R"("m2-rms-norm": {"passed": true, "solution": true})");
  EXPECT_TRUE(has(learn({}).out, "s m2-rms-norm"));
  fs::remove(file());
  EXPECT_TRUE(has(learn({}).out, "· m2-rms-norm"));
  EXPECT_EQ(run_rung({"learn", "start", path()}).status, 0);
  solve();
  report();
  EXPECT_TRUE(has(learn({}).out, "✓ m2-rms-norm"));
}

TEST_F(Learn, ASolutionPassesAllAndIsRemembered) {
  solve();
  const Json all = report();
  EXPECT_TRUE(all.at("passed").get<bool>()) << all.dump(1);
  std::vector<std::string> checks;
  for (const Json& check : all.at("checks")) checks.push_back(check.at("check").get<std::string>());
  EXPECT_EQ(checks, (std::vector<std::string>{"compile", "by-hand", "random", "pebble", "story", "speed"}));
  EXPECT_TRUE(has(all.at("checks").at(4).at("story").get<std::string>(), "Once upon a time"));
  EXPECT_TRUE(has(learn({}).out, "✓ m2-rms-norm"));
  const Json list = Json::parse(learn({"--json"}).out);
  for (const Json& one : list.at("exercises")) EXPECT_EQ(one.at("passed"), one.at("name") == "m2-rms-norm");
}

TEST_F(Learn, AWrongAnswerIsShownWithTheCaseAndTheLikeliestCause) {
  write(text_of(source_folder() / "course/exercises/m2-rms-norm/wrong/sum.cpp"));
  const Outcome outcome = learn({"check", "rms-norm"});
  EXPECT_EQ(outcome.status, 1);
  for (const char* part : {"✗ by hand: two numbers, weights of 1", "x = [3, 4]", "25 / 2 = 12.5", "[0.848528, 1.13137]",
                           "[0.6, 0.8]", "not divided by how many there are", "m2-forward-pass#rmsnorm"}) {
    EXPECT_TRUE(has(outcome.out, part)) << part << "\n" << outcome.out;
  }
}

TEST_F(Learn, WhatDoesNotCompileIsSaidInTheCompilersWordsAtTheLearnersLine) {
  const Json check = failure("  out[0] = epsilonn;\n");
  EXPECT_EQ(check.at("check"), "compile");
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "m2-rms-norm.cpp:3:")) << check.dump(1);
}

TEST_F(Learn, AChangedSignatureIsNamed) {
  write("#include \"learn.h\"\nvoid rms_norm(std::span<float> out, std::span<const float> x) { out[0] = x[0]; }\n");
  const std::string said = report().at("checks").at(0).at("got").get<std::string>();
  EXPECT_TRUE(has(said,
                  "keep the signature of rms_norm: void(std::span<float> out, std::span<const float> x, "
                  "std::span<const float> weight, float epsilon)"))
      << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "no word about macros: " << said;
  write("");
  const Json check = report().at("checks").at(0);
  EXPECT_EQ(check.at("got"),
            "m2-rms-norm.cpp: there is no function rms_norm in it; expected: void rms_norm(std::span<float> out, "
            "std::span<const float> x, std::span<const float> weight, float epsilon)\n");
}

TEST_F(Learn, AnIndexBeyondTheEndIsNamedByItsLine) {
  const Json check = failure("  for (std::size_t i = 0; i <= x.size(); ++i) {\n    out[i] = x[i];\n  }\n");
  EXPECT_EQ(check.at("check"), "by-hand");
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "an index is beyond the end")) << check.dump(1);
  EXPECT_EQ(check.at("place"), "m2-rms-norm.cpp:4");
  EXPECT_EQ(check.at("line"), "out[i] = x[i];");
  EXPECT_TRUE(has(check.at("input").get<std::string>(), "x = [3, 4]"));
}

// What the compiler does with two checks that look the same must not move the one that failed.
TEST_F(Learn, OfTwoLoopsTheOneThatGoesBeyondTheEndIsNamed) {
  const Json check = failure(
      "  float sum = 0;\n  for (std::size_t i = 0; i < x.size() + weight.size() - 2; ++i) sum += x[i];\n"
      "  for (std::size_t i = 0; i < x.size() + weight.size(); ++i) sum += x[i];\n  out[0] = sum;\n");
  EXPECT_EQ(check.at("place"), "m2-rms-norm.cpp:5") << check.dump(1);
}

TEST_F(Learn, WhatIsSaidBeforeAnAbortIsSaid) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer says it in its own words";
  const Json check = failure("  written::linear(x, weight, 3);\n");
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "linear: 2 and 2 numbers are not whole rows of inputs = 3"))
      << check.dump(1);
}

TEST_F(Learn, ACrashIsTheirsAloneAndNamedByItsLine) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer says it in its own words";
  const Json check = failure("  float* p = nullptr;\n  asm(\"\" : \"+r\"(p));\n  *p = epsilon;\n");
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "memory that does not belong to it")) << check.dump(1);
  EXPECT_EQ(check.at("place"), "m2-rms-norm.cpp:5");
}

// In the first case it is the sum; those after it are asked to be sure that it is.
TEST_F(Learn, WhoCrashesWhileCausesAreSoughtIsToldTheFirstFailureAndItsCause) {
  const std::string sum =
      "  float sum = 0;\n  for (float v : x) sum += v * v;\n"
      "  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(sum + epsilon) * weight[i];\n";
  for (const char* end : {"out[x.size()] = 1;", "std::exit(0);", "not_yet(\"of more\");", "std::_Exit(3);"}) {
    const Json check = failure(fmt::format("{}  if (x.size() != 2) {}\n", sum, end));
    EXPECT_EQ(check.at("check"), "by-hand") << end;
    EXPECT_EQ(check.at("title"), "two numbers, weights of 1") << end << check.dump(1);
    EXPECT_EQ(check.value("got", ""), "out = [0.6, 0.8]") << end;
    ASSERT_TRUE(check.contains("causes")) << end << check.dump(1);
    EXPECT_EQ(check.at("causes").at(0).at("id"), "rms-norm-sum") << end;
    const bool stops = !has(end, "not_yet");
    EXPECT_EQ(check.contains("then"), stops) << end << check.dump(1);
    if (kSanitized || !stops || has(end, "_Exit")) continue;  // whose line is not known
    EXPECT_EQ(check.at("then").at("place"), "m2-rms-norm.cpp:6") << end;
  }
}

// A limit on files takes effect in the middle of writing, whoever writes: what was reported before stays whole.
TEST_F(Learn, WhoEndsItWhileItReportsIsToldTheFirstFailure) {
  write(
      "#include \"learn.h\"\n#include <sys/resource.h>\n"
      "void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {\n"
      "  float sum = 0;\n  for (float v : x) sum += v * v;\n"
      "  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(sum + epsilon) * weight[i];\n"
      "  static int calls = 0;\n  const rlimit few{10, 10};\n  if (++calls == 2) setrlimit(RLIMIT_FSIZE, &few);\n}\n");
  const Json check = report().at("checks").back();
  EXPECT_EQ(check.at("title"), "two numbers, weights of 1") << check.dump(1);
  EXPECT_EQ(check.value("got", ""), "out = [0.6, 0.8]");
}

// What holds the lock is the process that they forked: whoever gets the lock knows that it is gone.
TEST_F(Learn, WhatTheyForkedEndsWithTheCheck) {
  const std::string lock = (folder_ / "lock").string();
  write(
      fmt::format("#include \"learn.h\"\n#include <fcntl.h>\n#include <sys/file.h>\n#include <unistd.h>\n"
                  "void rms_norm(std::span<float>, std::span<const float>, std::span<const float>, float) {{\n"
                  "  const int file = open(\"{}\", O_RDWR | O_CREAT, 0600);\n  flock(file, LOCK_EX);\n"
                  "  if (fork() != 0) return;\n"
                  "  sleep(30);\n  if (write(file, \"outlived\", 8) == 8) _exit(0);\n}}\n",
                  lock));
  EXPECT_FALSE(report().at("passed").get<bool>());
  const int file = ::open(lock.c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::flock(file, LOCK_EX), 0);
  ::close(file);
  EXPECT_EQ(text_of(lock), "");
}

// The library throws where their code, which is compiled without exceptions, cannot catch.
TEST_F(Learn, WhatTheirCodeThrowsIsNamedByItsLineWithTheCase) {
  const std::vector<std::pair<std::string, std::string>> all{
      {"  std::vector<float> v(2);\n  out[0] = v.at(x.size());\n", "your code threw: vector::_M_range_check"},
      {"  std::vector<float> v;\n  v.resize(x.size() - 3); out[0] = v[0];\n", "did a size become less than zero?"},
      {"  std::vector<float> v;\n  v.resize(std::size_t{1} << 45); out[0] = v[0];\n",
       "asked for more memory than there is"},
      {"  out[0] = x[0];\n  std::exit(0);\n", "your code called exit()"}};
  for (const auto& [body, words] : all) {
    if (kSanitized && !has(words, "exit")) continue;  // the sanitizer has its own words, and allocator
    const Json check = failure(body);
    EXPECT_TRUE(has(check.value("got", ""), words)) << check.dump(1);
    EXPECT_EQ(check.value("place", ""), "m2-rms-norm.cpp:4") << words;
    EXPECT_TRUE(has(check.value("input", ""), "x = [3, 4]")) << check.dump(1);
  }
  const Json ended = failure("  out[0] = 1;\n  std::_Exit(0);\n");
  EXPECT_TRUE(has(ended.value("got", ""), "ended without a report")) << ended.dump(1);
}

TEST_F(Learn, WhatIsThrownOutsideOfFunctionsIsNamed) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer says it in its own words";
  write(
      "#include \"learn.h\"\nstd::vector<int> v(-1);\nvoid rms_norm(std::span<float> out, std::span<const float>, "
      "std::span<const float>, float) { out[0] = 0; }\n");
  const Json check = report().at("checks").back();
  EXPECT_TRUE(has(check.value("got", ""), "your code threw: cannot create std::vector")) << check.dump(1);
}

TEST_F(Learn, RecursionWithoutAnEndIsNamed) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer says it in its own words";
  write(
      "#include \"learn.h\"\n"
      "float deeper(float x) {\n"
      "  volatile float y[64] = {x};\n"
      "  return deeper(y[0] + 1) + y[0];\n"
      "}\n"
      "void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float>, float) {\n"
      "  out[0] = deeper(x[0]);\n"
      "}\n");
  const Json check = report().at("checks").back();
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "the stack is full")) << check.dump(1);
}

TEST_F(Learn, AnEndlessLoopIsEndedAndNamedByItsLine) {
  const Json check = failure("  volatile bool on = true;\n  while (on) {\n  }\n  out[0] = 1;\n");
  EXPECT_TRUE(has(check.at("got").get<std::string>(), "within 5 seconds of computing: is there a loop that never ends"))
      << check.dump(1);
  EXPECT_TRUE(has(check.value("place", ""), "m2-rms-norm.cpp:4")) << check.dump(1);
}

TEST_F(Learn, WhatTheyPrintIsShown) {
  write_function("  print(\"n = %zu\\n\", x.size());\n");
  EXPECT_TRUE(has(report().at("printed").get<std::string>(), "n = 2\n"));
}

TEST_F(Learn, WhatTheyPrintIsShownAlsoBehindAnEmptyLine) {
  write_function("  print(\"\\nhere\");\n");
  const std::string out = learn({"check", "rms"}).out;
  EXPECT_TRUE(has(out, "here")) << out;
  EXPECT_FALSE(has(out, "(there is more)")) << out;
}

TEST_F(Learn, ALineThatTheyLeftOpenOnStderrHidesNoCase) {
  const Json check = failure(kRight + std::string("  static int calls = 0;\n  std::fputs(\"x\", stderr);\n"
                                                  "  if (++calls == 2) out[x.size()] = 1;\n"));
  EXPECT_NE(check.value("title", ""), "two numbers, weights of 1") << "this was the first: " << check.dump(1);
}

TEST_F(Learn, MemoryBeyondAllMeasureIsRefusedBeforeTheMachineSwaps) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer maps terabytes for itself";
  const Json check = failure(
      "  out[0] = 1;\n  std::vector<char> v;\n  v.reserve(std::size_t{5} << 30);\n"
      "  out[0] = static_cast<float>(v.size());\n");
  EXPECT_TRUE(has(check.value("got", ""), "asked for more memory than there is (a check has 4 GB")) << check.dump(1);
  EXPECT_EQ(check.value("place", ""), "m2-rms-norm.cpp:5");
}

TEST_F(Learn, TheSanitizersFindWhatOtherwiseGoesWell) {
  if (kSanitized) GTEST_SKIP() << "this program has a sanitizer already";
  write_function("  const float* p = x.data();\n  volatile float sum = p[x.size()];\n  out[0] = sum;\n");
  const Json all = report({"--sanitize"});
  const Json& check = all.at("checks").back();
  EXPECT_TRUE(has(check.value("got", ""), "the sanitizer found: heap-buffer-overflow")) << all.dump(1);
  EXPECT_EQ(check.value("place", ""), "m2-rms-norm.cpp:4");
}

TEST_F(Learn, WhatTheSanitizersFindWhileCausesAreSoughtStandsBesideTheFailure) {
  if (kSanitized) GTEST_SKIP() << "this program has a sanitizer already";
  write_function(
      "  float sum = 0;\n  for (float v : x) sum += v * v;\n"
      "  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(sum + epsilon) * weight[i];\n"
      "  if (x.size() == 2) return;\n  const float* p = x.data();\n  volatile float behind = p[x.size()];\n"
      "  out[0] = behind;\n");
  const Json check = report({"--sanitize"}).at("checks").back();
  EXPECT_EQ(check.value("got", ""), "out = [0.6, 0.8]") << check.dump(1);
  ASSERT_TRUE(check.contains("then")) << check.dump(1);
  EXPECT_TRUE(has(check.at("then").at("got"), "the sanitizer found: heap-buffer-overflow")) << check.dump(1);
  EXPECT_EQ(check.at("then").at("place"), "m2-rms-norm.cpp:8");
  const std::string text = learn({"check", "rms", "--sanitize"}).out;
  EXPECT_TRUE(has(text, "run again, to find out why: the sanitizer found: heap-buffer-overflow")) << text;
  EXPECT_TRUE(has(text, "m2-rms-norm.cpp:8: volatile float behind = p[x.size()];")) << text;
}

TEST_F(Learn, WithoutACompilerItSaysWhichPackageToInstall) {
  const Outcome outcome = learn({"check", "rms"}, {.environment = {"PATH=/nonexistent"}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "no C++ compiler found")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "apt install g++")) << outcome.err;
}

TEST_F(Learn, HintsComeOneByOneAndTheSolutionToWhoeverAsksTwice) {
  EXPECT_TRUE(has(learn({"hint", "rms"}).out, "hint 1 of 3"));
  EXPECT_TRUE(has(learn({"hint", "rms"}).out, "hint 2 of 3"));
  const Outcome once = learn({"solution", "rms"});
  EXPECT_TRUE(has(once.out, "asks twice. Hints left: 1 (rung learn hint m2-rms-norm)")) << once.out;
  EXPECT_FALSE(has(once.out, "std::sqrt"));
  EXPECT_TRUE(has(learn({"solution", "rms"}).out, "std::sqrt"));
  solve();
  report();
  EXPECT_TRUE(has(learn({}).out, "s m2-rms-norm")) << "what was opened is remembered";
  EXPECT_TRUE(has(learn({}).out, "Could you write m2-rms-norm without it now?"));
}

TEST_F(Learn, WatchChecksAndTakesKeys) {
  const Outcome outcome = learn({"watch", "rms"}, {.input = "hlq"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "not_yet")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "hint 1 of 3")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "More: h\n")) << outcome.out;
  EXPECT_FALSE(has(outcome.out, "rung learn hint")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "next: m0-byte-alphabet (n)\n")) << outcome.out;
}

TEST_F(Learn, DebugShowsTheCaseThatFailsWherePebbleDoesNot) {
  write_function(  // pebble has no row of two
      "  if (x.size() == 2) {\n    out[0] = out[1] = 7;\n    return;\n  }\n" + std::string(kRight));
  const Outcome outcome = learn({"debug", "rms"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.out, "Inside pebble nothing is wrong; the case that fails is:")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "x = [3, 4]")) << outcome.out;
  EXPECT_FALSE(has(outcome.out, "Solved")) << outcome.out;
}

TEST_F(Learn, DebugLooksIntoPebbleAlsoWhereACaseFails) {
  write(text_of(source_folder() / "course/exercises/m2-rms-norm/wrong/sum.cpp"));
  const Json all = Json::parse(learn({"debug", "rms", "--json"}).out);
  EXPECT_EQ(all.at("checks").at(1).at("check"), "pebble") << all.dump(1);
  EXPECT_TRUE(has(all.at("checks").at(1).dump(), "layer.0.attention_norm"));
  EXPECT_EQ(all.at("checks").at(2).at("check"), "story");
  EXPECT_NE(all.at("checks").at(2).at("story"), all.at("checks").at(2).at("referenceStory"));
}

TEST_F(Learn, NothingIsExportedOverWhatTheLearnerWrote) {
  solve();
  const std::string code = text_of(file());
  const Outcome refused = learn({"export", file()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(has(refused.err, "is a file of the exercises")) << refused.err;
  EXPECT_EQ(text_of(file()), code);
}

TEST_F(Learn, WhatIsExportedCanBeImported) {
  solve();
  report();
  learn({"hint", "rms"});
  const std::string file_path = (folder_ / "all.json").string();
  EXPECT_EQ(learn({"export", file_path}).out, file_path + ": 1 exercises\n");
  const std::string other = (folder_ / "other").string();
  run_rung({"learn", "start", other});
  const Outcome imported = run_rung({"learn", "import", file_path, "--folder", other});
  EXPECT_EQ(imported.out, "m2-rms-norm.cpp\n") << imported.err;
  EXPECT_EQ(text_of(folder_ / "other" / "m2-rms-norm.cpp"), text_of(file()));
  EXPECT_EQ(text_of(folder_ / "other" / "progress.json"), text_of(file("progress.json")));
  EXPECT_TRUE(has(run_rung({"learn", "import", file_path, "--folder", other}).out, "no code in it that is not here"));
  std::ofstream(folder_ / "other" / "m2-rms-norm.cpp") << "// mine\n";
  EXPECT_TRUE(has(run_rung({"learn", "import", file_path, "--folder", other}).out, "m2-rms-norm.imported.cpp (yours"));
  EXPECT_EQ(text_of(folder_ / "other" / "m2-rms-norm.cpp"), "// mine\n");
}

TEST_F(Learn, WhatNoImportWouldTakeIsNotExported) {
  write(std::string((std::size_t{1} << 20) + 1, '/'));
  const Outcome refused = learn({"export", (folder_ / "all.json").string()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.err, "rung: m2-rms-norm.cpp: its code has 1048577 bytes, expected at most 1048576\n");
  EXPECT_FALSE(fs::exists(folder_ / "all.json"));
}

TEST_F(Learn, WhatAnImportHasPassedIsNotPassedByTheCodeThatStays) {
  write("// mine\n");
  std::ofstream(folder_ / "all.json")
      << R"({"version": 1, "exercises": {"m2-rms-norm": {"passed": true, "code": "// theirs\n"}}})";
  EXPECT_TRUE(has(learn({"import", (folder_ / "all.json").string()}).out, "stays as it is"));
  EXPECT_TRUE(has(learn({}).out, "· m2-rms-norm"));
}

TEST_F(Learn, AProgressFileThatIsNoneIsRefusedInOneLine) {
  const std::vector<std::pair<std::string, std::string>> broken{
      {"", "progress.json"},
      {"[]", "found no object 'exercises'"},
      {R"({"version": 2, "exercises": {}})", "its version is 2, expected 1"},
      {R"({"version": 1, "exercises": {"m2-rms-norm": []}})", "m2-rms-norm: found array, expected an object"},
      {R"({"version": 1, "exercises": {"m2-rms-norm": {"passed": "yes"}}})", "passed is \"yes\""},
      {R"({"version": 1, "exercises": {"m2-rms-norm": {"hints": -1}}})", "hints is -1, expected a count"},
      {R"({"version": 1, "exercises": {"m2-rms-norm": {"checks": 1e300}}})", "expected a count"}};
  for (const auto& [text, part] : broken) {
    std::ofstream(file("progress.json"), std::ios::binary | std::ios::trunc) << text;
    const Outcome outcome = learn({});
    EXPECT_EQ(outcome.status, 1) << text;
    EXPECT_TRUE(has(outcome.err, part)) << text << "\n" << outcome.err;
    EXPECT_TRUE(has(outcome.err, "rename it, then: rung learn start " + path())) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

// As in a folder that may only be read; whoever is root may write everywhere, but not beyond the shell's limit.
TEST_F(Learn, WhatCannotBeRememberedIsSaidAfterTheAnswer) {
  std::string all;
  const Json list = Json::parse(learn({"--json"}).out);
  for (const Json& one : list.at("exercises")) {
    all += (all.empty() ? "" : ", ") + one.at("name").dump() + R"(: {"checks": 1})";
  }
  set_progress(all);
  const Outcome outcome = learn({"hint", "rms"}, {.file_limit = 2000});  // enough for the hint
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "hint 1 of 3")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "this is not remembered: ")) << outcome.out;
}

TEST_F(Learn, AnImportOfAStrangerWritesNothingElsewhere) {
  const std::string hostile =
      R"({"version": 1, "exercises": {"../escape": {"code": "x"}, "m2-rms-norm": {"code": 7}}})";
  std::ofstream(folder_ / "hostile.json") << hostile;
  const Outcome outcome = learn({"import", (folder_ / "hostile.json").string()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "m2-rms-norm: code is number, expected a text")) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "escape.cpp"));
  EXPECT_EQ(text_of(file()), text_of(source_folder() / "course/exercises/m2-rms-norm/stub.cpp"));
}

TEST(LearnWithoutAFolder, ListsTheExercisesAndSaysHowToBegin) {
  const Outcome outcome = run_rung({"learn"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "m2-rms-norm")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "rung learn start FOLDER")) << outcome.out;
  const Outcome next = run_rung({"learn", "next"});
  EXPECT_EQ(next.status, 2);
  EXPECT_TRUE(has(next.err, "rung learn start FOLDER")) << next.err;
  EXPECT_EQ(run_rung({"learn", "wish"}).status, 2);
  for (const auto& more : {"gqa", "--sanitize", "--compiler=g++"}) {
    EXPECT_EQ(run_rung({"learn", "list", more}).status, 2) << more << ": what is not used is refused";
  }
}

}  // namespace
}  // namespace rung
