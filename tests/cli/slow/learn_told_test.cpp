// `rung generate --with FOLDER`: a model with a learner's code in it.
#include <sstream>

#include "cli/slow/learner.h"

namespace rung {
namespace {

TEST_F(Learn, ASolvedExerciseTellsTheStory) {
  const std::vector<std::string> rung{"generate", "-n",       "12",        "--temperature",
                                      "0",        "--device", "reference", "Once upon a time"};
  std::vector<std::string> with = rung;
  with.insert(with.end() - 1, {"--with", path()});
  EXPECT_TRUE(has(run_rung(with).err, "nothing that has a place in a model is solved"));
  solve();
  report();
  const Outcome told = run_rung(with);
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_TRUE(has(told.err, "yours: rms-norm; not solved, so Rung's: ")) << told.err;
  EXPECT_TRUE(has(told.err, "linear")) << told.err;
  EXPECT_EQ(told.out, run_rung(rung).out);
  write_function("  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 1;\n");  // solved once, broken now
  EXPECT_NE(run_rung(with).out, told.out) << "it is their code that runs";
  write_function("  out[x.size()] = 1;\n");
  const Outcome crashed = run_rung(with);
  EXPECT_EQ(crashed.status, 1);
  EXPECT_TRUE(has(crashed.err, "rung: an index is beyond the end")) << crashed.err;
  EXPECT_TRUE(has(crashed.err, "at m2-rms-norm.cpp:3")) << crashed.err;
  write_function("  std::string(x.size(), 'x').at(999);\n");
  EXPECT_TRUE(has(run_rung(with).err, "at m2-rms-norm.cpp:3"));
  write_function("  std::_Exit(0);\n");
  const Outcome gone = run_rung(with);
  EXPECT_EQ(gone.status, 1) << "no answer is no success";
  EXPECT_TRUE(has(gone.err, "ended before the answer did: status 0")) << gone.err;
  write_function("  not_yet(\"rms_norm\");\n");
  EXPECT_TRUE(has(run_rung(with).err, "rms_norm was solved and is not_yet again")) << run_rung(with).err;
  with[with.size() - 2] = file().string();
  EXPECT_TRUE(has(run_rung(with).err, "is a file: give the folder, " + path())) << run_rung(with).err;
}

TEST_F(Learn, WithTheirCodeTheAnswerHasTheSameFormForPrograms) {
  solve();
  report();
  std::vector<std::string> arguments{"generate", "-n",       "3",         "--temperature", "0",        "--seed",
                                     "5",        "--device", "reference", "--json",        "Once upon"};
  const auto lines = [](const std::string& text) {
    std::vector<Json> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line, nullptr, false));
    for (const char* figures : {"prefill", "decode"}) all.back().at(figures) = all.back().at(figures).at("tokens");
    return all;
  };
  const std::vector<Json> rungs = lines(run_rung(arguments).out);
  write_function("  print(\"here\");\n  std::printf(\"there\");\n" + std::string(kRight));
  arguments.insert(arguments.end() - 1, {"--with", path()});
  const Outcome outcome = run_rung(arguments);
  EXPECT_EQ(lines(outcome.out), rungs) << outcome.out;
  EXPECT_TRUE(has(outcome.err, "here")) << "what is printed is no JSON";
  EXPECT_TRUE(has(outcome.err, "there")) << "by whatever function";
}

TEST_F(Learn, WhatTheirCodeIncludesIsReadAnew) {
  const std::vector<std::string> with{"generate", "--with", path(), "-n", "6", "--temperature", "0", "Once"};
  const auto write_factor = [&](const char* factor) {
    std::ofstream(file("own.h")) << "inline constexpr float kFactor = " << factor << ";\n";
  };
  write_function(
      "  float sum = 0;\n  for (float v : x) sum += v * v;\n"
      "  for (std::size_t i = 0; i < x.size(); ++i) "
      "out[i] = kFactor * x[i] / std::sqrt(sum / static_cast<float>(x.size()) + epsilon) * weight[i];\n");
  const std::string code = text_of(file());
  for (const char* include : {"# include \"own.h\"\n", "#include <own.h>\n"}) {
    write(include + code);
    write_factor("1");
    ASSERT_TRUE(report().at("passed").get<bool>());
    const std::string story = run_rung(with).out;
    write_factor("0");
    EXPECT_NE(run_rung(with).out, story) << include;
  }
  write(text_of(source_folder() / "course/exercises/m2-rms-norm/solution.cpp") + "// # include");
  ASSERT_TRUE(report().at("passed").get<bool>());
  EXPECT_EQ(run_rung(with).status, 0) << "where the code ends";
}

TEST_F(Learn, ADeviceThatTheirCodeIsNotForIsRefused) {
  solve();
  report();
  const Outcome outcome = run_rung({"generate", "--with", path(), "--device", "cpu", "-n", "2", "Once"});
  EXPECT_EQ(outcome.status, 2) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "--device cpu: the code in the folder of --with is for the device reference"))
      << outcome.err;
}

TEST_F(Learn, ThatRoundedNumbersTellAnotherStoryIsSaid) {
  const char* const words = "another model than without: bytes (fewer bits, or a window)";
  for (const char* name : {"m2-rms-norm", "m6-bytes"}) solve(name);
  set_progress(R"("m2-rms-norm": {"passed": true}, "m6-bytes": {"passed": true})");
  const std::vector<std::string> with{"generate", "--with", path(), "-n", "2", "Once"};
  EXPECT_TRUE(has(run_rung(with).err, words)) << run_rung(with).err;
  set_progress(R"("m2-rms-norm": {"passed": true})");
  EXPECT_FALSE(has(run_rung(with).err, "another model")) << run_rung(with).err;
}

// Argmax and top-p both choose: who asks for no chance gets the one that draws nothing.
TEST_F(Learn, AtTemperatureZeroTheirArgmaxChooses) {
  for (const char* name : {"m3-argmax", "m3-top-p"}) {
    std::ofstream(file(std::string(name) + ".cpp"), std::ios::binary)
        << text_of(source_folder() / "course/exercises" / name / "solution.cpp");
    EXPECT_EQ(learn({"check", name}).status, 0) << name;
  }
  const std::vector<std::string> greedy{"generate", "-n", "12", "--temperature", "0", "Once upon a time"};
  std::vector<std::string> with = greedy, drawn = greedy;
  with.insert(with.end() - 1, {"--with", path()});
  drawn[4] = "1";
  drawn.insert(drawn.end() - 1, {"--with", path()});
  EXPECT_EQ(run_rung(with).out, run_rung(greedy).out);
  EXPECT_NE(run_rung(drawn).out, run_rung(greedy).out);
}

}  // namespace
}  // namespace rung
