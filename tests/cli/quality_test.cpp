// `rung eval` and `rung compare` as people and programs meet them.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "cli/draw/quality_svg.h"
#include "cli/pieces.h"
#include "cli/program.h"
#include "engine/tiny_model.h"
#include "files/temporary_folder.h"
#include "kernels/kernels.h"

namespace rung {
namespace {

class Quality : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    model_ = new TinyModel;
    folder_ = new TemporaryFolder;
    std::string text;
    for (int i = 0; text.size() < 500; ++i) text += fmt::format("the fox {} and the thin thief; ", i);
    std::ofstream(*folder_ / "text") << text;
    std::ofstream(*folder_ / "short") << "the fox";
    std::ofstream(*folder_ / "empty") << "";
    std::ofstream(*folder_ / "binary") << std::string(
        "\x7f"
        "ELF\0\xff",
        6);
  }
  static void TearDownTestSuite() {
    delete model_;
    delete folder_;
  }
  static std::string file(const char* name) { return (*folder_ / name).string(); }
  static std::string model() { return model_->path().string(); }

  // `rung eval -m MODEL --context 64 --device reference …`, as JSON
  static Json eval(std::vector<std::string> more) {
    std::vector<std::string> arguments{"eval", "-m", model(), "--json", "--context", "64", "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_rung(std::move(arguments));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  }

  static inline const TinyModel* model_ = nullptr;
  static inline const TemporaryFolder* folder_ = nullptr;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void expect_failure(const Outcome& outcome, int status, const std::string& what) {
  EXPECT_EQ(outcome.status, status) << what << '\n' << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_TRUE(has(outcome.err, what)) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

// ---- eval ----

TEST_F(Quality, EvalSaysHowWellATextIsForetold) {
  const Json e = eval({file("text")});
  EXPECT_EQ(e["method"], "halves");
  EXPECT_EQ(e["window_tokens"], 64);
  const auto windows = e["text_tokens"].get<std::size_t>() / 64;
  EXPECT_EQ(e["windows"], windows);
  EXPECT_EQ(e["counted_tokens"], windows * 31);
  EXPECT_NEAR(e["perplexity"].get<double>(), std::exp(e["loss"].get<double>()), 1e-9);
  EXPECT_GT(e["bits_per_byte"].get<double>(), 0);
  EXPECT_EQ(e["interrupted"], false);

  const Json first = eval({file("text"), "--windows", "1"});
  EXPECT_EQ(first["windows"], 1);
  const Json slid = eval({file("text"), "--stride", "32"});
  EXPECT_EQ(slid["method"], "sliding");
  EXPECT_EQ(slid["stride"], 32);
  EXPECT_EQ(slid["counted_tokens"].get<std::size_t>() + 1, slid["text_tokens"].get<std::size_t>());
}

TEST_F(Quality, EvalReadsStandardInput) {
  std::ifstream stream(file("text"));
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::vector<std::string> arguments{"eval", "-m", model(), "--json", "--context", "64", "--device", "reference"};
  const Json piped = Json::parse(run_rung(arguments, {.input = text}).out);
  EXPECT_EQ(piped["perplexity"], eval({file("text")})["perplexity"]);
  EXPECT_EQ(piped["file"], "standard input");
}

TEST_F(Quality, EvalIsTheSameForAnyNumberOfThreads) {
  EXPECT_EQ(eval({file("text"), "--threads", "1"})["loss"], eval({file("text"), "--threads", "3"})["loss"]);
}

TEST_F(Quality, EvalRefusesWhatItCannotRead) {
  const auto eval_of = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", "-m", model()});
    return run_rung(std::move(more));
  };
  expect_failure(eval_of({file("empty")}), 1, "empty: the text is empty");
  expect_failure(eval_of({file("binary")}), 1, "binary: byte 4 is 0: this is no text");
  expect_failure(eval_of({file("short")}), 1, "short: the text has 5 tokens, expected at least 256, one window");
  expect_failure(eval_of({file("missing")}), 1, "missing: No such file or directory");
  expect_failure(eval_of({folder_->path().string()}), 1, folder_->path().string() + ": ");
  expect_failure(eval_of({file("text"), "--context", "257"}), 1, "--context is 257, expected at most the model's 256");
  expect_failure(eval_of({file("text"), "--context", "2"}), 2, "--context is 2, expected at least 3");
  expect_failure(eval_of({file("text"), "--context", "64", "--stride", "65"}), 2,
                 "--stride is 65, expected at most a window, 64");
  expect_failure(eval_of({file("text"), "--stride", "1"}), 2, "--stride is 1, expected at least 2");
}

// ---- compare ----

std::vector<Json> models_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const Json line = Json::parse(outcome.out, nullptr, false);
  return line["models"].get<std::vector<Json>>();
}

TEST_F(Quality, CompareFindsNoDistanceBetweenAModelAndItself) {
  const Outcome outcome =
      run_rung({"compare", model() + "@reference", model() + "@reference", file("text"), "--json", "--context", "64"});
  const Json same = models_of(outcome).at(0);
  EXPECT_EQ(same["divergence"]["value"], 0);
  EXPECT_EQ(same["same_first"]["value"], 1);
  EXPECT_EQ(same["perplexity_ratio"]["value"], 1);
  EXPECT_EQ(Json::parse(outcome.out)["base"]["perplexity"]["value"], eval({file("text")})["perplexity"]);
}

TEST_F(Quality, CompareOfOneModelIsThatOfItsDevices) {
  const Outcome outcome = run_rung({"compare", model(), file("text"), "--json", "--context", "64"});
  const Json line = Json::parse(outcome.out);
  EXPECT_EQ(line["base"]["device"], "reference");
  const Json cpu = models_of(outcome).at(0);
  EXPECT_EQ(cpu["device"], "cpu");
  EXPECT_GT(cpu["divergence"]["value"].get<double>(), 0);
  // Plain weights: only the cache is rounded and, in some sets, the activations of bf16 weights to bf16.
  EXPECT_LT(cpu["divergence"]["value"].get<double>(), chosen_kernels().round_to_bf16 != nullptr ? 1e-3 : 1e-4);
  EXPECT_GT(cpu["read_tokens_per_second"].get<double>(), 0);
  EXPECT_GT(cpu["write_tokens_per_second"].get<double>(), 0);
  EXPECT_EQ(cpu["weight_bytes"], line["base"]["weight_bytes"]);
}

TEST_F(Quality, CompareWritesATableThatFitsATerminal) {
  const TinyModel other;
  const Outcome outcome =
      run_rung({"compare", model(), model(), other.path().string() + "@reference", file("text"), "--context", "64"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(count < 2 || display_columns(line) <= 80) << line;  // the first two name files, which may be long
  }
  EXPECT_EQ(count, 7u) << outcome.out;  // the text, the base, nothing, the columns' names, three models
}

TEST_F(Quality, CompareDrawsAPicture) {
  const std::string picture = file("picture.svg");
  ASSERT_EQ(run_rung({"compare", model(), file("text"), "--context", "64", "--out", picture}).status, 0);
  std::ifstream stream(picture);
  const std::string svg{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
  EXPECT_TRUE(has(svg, "@cpu"));
  EXPECT_TRUE(has(svg, "mean KL divergence, nats a token"));
}

TEST_F(Quality, CompareRefusesWhatCannotBeCompared) {
  const auto compare = [](std::vector<std::string> more) {
    more.insert(more.begin(), "compare");
    return run_rung(std::move(more));
  };
  const TinyModel other;
  std::ifstream stream(other / "tokenizer.json");
  Json tokenizer = Json::parse(stream);
  Json& vocab = tokenizer["model"]["vocab"];
  std::swap(vocab["!"], vocab["?"]);
  other.write("tokenizer.json", tokenizer);
  expect_failure(compare({model(), other.path().string(), file("text")}), 1,
                 "only models with the same vocabulary compare");

  expect_failure(compare({model() + "@cpu", file("text")}), 2, "compare it with what?");
  expect_failure(compare({model(), "no-such-model"}), 1, "no-such-model: no such file or folder");
  expect_failure(compare({model(), model() + "@abacus", file("text")}), 2, "@abacus', expected MODEL@DEVICE");
  expect_failure(compare({model(), file("empty")}), 1, "empty: the text is empty");
  expect_failure(compare({model(), file("binary")}), 1, "binary: byte 4 is 0");
  expect_failure(compare({model(), file("short")}), 1, "short: the text has 5 tokens, expected at least 256");
  expect_failure(compare({model(), file("text"), "--context", "64", "--out", file("no/such/folder.svg")}), 1,
                 "no/such/folder.svg");
}

// ---- The picture ----

std::vector<double> attributes(const std::string& svg, const std::string& element, const std::string& name) {
  std::vector<double> values;
  for (std::size_t at = svg.find(element); at != std::string::npos; at = svg.find(element, at + 1)) {
    values.push_back(std::stod(svg.substr(svg.find(" " + name + "=\"", at) + name.size() + 3)));
  }
  return values;
}

TEST(QualitySvg, PutsSmallerModelsToTheLeftAndBetterOnesBelow) {
  const std::string svg =
      quality_svg({"f32", "", 500'000'000, 0}, {{"q8", "", 140'000'000, 0.001}, {"q4", "", 80'000'000, 0.05}});
  const auto x = attributes(svg, "<circle", "cx"), y = attributes(svg, "<circle", "cy");
  ASSERT_EQ(x.size(), 2u);  // from above: q4, q8
  EXPECT_LT(x[0], x[1]);
  EXPECT_LT(y[0], y[1]);
}

TEST(QualitySvg, SurvivesWhateverItIsGiven) {
  for (const auto& points :
       std::vector<std::vector<QualityPoint>>{{{"same", "", 10, 0}},
                                              {{"<&\">", "\x01\xff", 0, 1e-300}, {"b", "", 1, 1e300}},
                                              std::vector<QualityPoint>(40, {"many", "of one place", 5, 0.5})}) {
    const std::string svg = quality_svg({"a & b", "", 0, 0}, points);
    EXPECT_FALSE(has(svg, "nan"));
    EXPECT_FALSE(has(svg, "inf"));
    EXPECT_TRUE(has(svg, "a &amp; b"));
    EXPECT_FALSE(has(svg, "<&"));
    EXPECT_LT(svg.size(), 1u << 20);
  }
}

TEST(QualitySvg, LabelsDoNotCoverEachOther) {
  const std::string svg =
      quality_svg({"f32", "", 500, 0}, {{"a", "n", 100, 0.010}, {"b", "n", 100, 0.0101}, {"c", "n", 100, 0.0102}});
  std::vector<double> names;
  for (const double y : attributes(svg, "<text class=\"\"", "y")) names.push_back(y);
  ASSERT_GE(names.size(), 4u);  // the axis' name and three labels
  for (std::size_t i = 2; i < names.size(); ++i) EXPECT_GE(names[i] - names[i - 1], 30) << i;
}

}  // namespace
}  // namespace rung
