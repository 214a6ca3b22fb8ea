// A learner's folder for tests of `rung learn`: the program itself, with the compiler of this machine.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/program.h"
#include "files/temporary_folder.h"
#include "paths.h"
#include "sanitized.h"

namespace rung {

namespace fs = std::filesystem;

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

inline constexpr const char* kRight =
    "  float sum = 0;\n  for (float v : x) sum += v * v;\n"
    "  for (std::size_t i = 0; i < x.size(); ++i) "
    "out[i] = x[i] / std::sqrt(sum / static_cast<float>(x.size()) + epsilon) * weight[i];\n";

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A learner's folder, made by `rung learn start`.
class Learn : public testing::Test {
 protected:
  Learn() { EXPECT_EQ(run_rung({"learn", "start", path()}).status, 0); }

  std::string path() const { return (folder_ / "mine").string(); }
  fs::path file(const std::string& name = "m2-rms-norm.cpp") const { return folder_ / "mine" / name; }
  void write(const std::string& code) const { std::ofstream(file(), std::ios::binary) << code; }
  void write_function(const std::string& body) const {
    write(
        "#include \"learn.h\"\n"
        "void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) "
        "{\n" +
        body + "}\n");
  }
  void solve(const std::string& name = "m2-rms-norm") const {
    std::ofstream(file(name + ".cpp"), std::ios::binary)
        << text_of(source_folder() / "course/exercises" / name / "solution.cpp");
  }
  void set_progress(const std::string& exercises) const {
    std::ofstream(file("progress.json")) << R"({"version": 1, "exercises": {)" << exercises << "}}";
  }

  Outcome learn(std::vector<std::string> arguments, const Surroundings& surroundings = {}) const {
    arguments.insert(arguments.begin(), "learn");
    arguments.insert(arguments.end(), {"--folder", path()});
    return run_rung(std::move(arguments), surroundings);
  }
  Json report(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"check", "m2-rms-norm", "--json"});
    const Outcome outcome = learn(more);
    EXPECT_TRUE(Json::accept(outcome.out)) << outcome.out << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  }
  Json failure(const std::string& body) const {
    write_function(body);
    const Json all = report();
    EXPECT_FALSE(all.at("passed").get<bool>());
    return all.at("checks").back();
  }

  TemporaryFolder folder_;
};

}  // namespace rung
