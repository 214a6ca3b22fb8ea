// What the program says, where it says it, and with which exit status it ends: 0, 1 (failed), 2 (usage), 130 (Ctrl-C).
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "cli/pieces.h"
#include "cli/program.h"
#include "engine/tiny_model.h"
#include "files/safetensors.h"
#include "paths.h"

namespace rung {
namespace {

class CommandLine : public testing::Test {
 protected:
  static void SetUpTestSuite() { model_ = new TinyModel; }
  static void TearDownTestSuite() {
    delete model_;
    model_ = nullptr;
  }

  // `rung VERB -m MODEL …`
  static Outcome run(std::vector<std::string> arguments, const Surroundings& surroundings = {}) {
    arguments.insert(arguments.begin() + 1, {"-m", model_->path().string()});
    return run_rung(std::move(arguments), surroundings);
  }

  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  static inline const TinyModel* model_ = nullptr;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// ---- Verbs and usage ----

TEST_F(CommandLine, HelpAndVersionGoToStdoutAndSucceed) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"}, {"-h"}, {"--version"}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(has(outcome.out, "rung "));
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(CommandLine, TheHelpOfAVerbEndsInAnExample) {
  const std::string overview = run_rung({"--help"}).out;
  for (const std::string verb : {"generate", "chat", "pull", "tokenize", "logits", "trace", "quantize", "eval",
                                 "compare", "bench", "metal-check", "learn"}) {
    EXPECT_TRUE(has(overview, "\n  " + verb + " ")) << verb;
    const Outcome outcome = run_rung({verb, "--help"});
    EXPECT_EQ(outcome.status, 0) << verb;
    const std::size_t example = outcome.out.find("\nExample:\n  ");
    ASSERT_NE(example, std::string::npos) << verb;
    EXPECT_TRUE(has(outcome.out.substr(example), "rung " + verb)) << verb;
    EXPECT_EQ(outcome.out.find('\n', example + 12) + 1, outcome.out.size())
        << verb << ": something follows the example";
  }
}

#if !defined(__APPLE__)
// Who asks for a GPU that only a Mac has is told so, in one line.
TEST_F(CommandLine, SaysThatThereIsNoMetalHere) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"generate", "--device", "metal", "x"},
                                                    {"bench", "--device", "metal"},
                                                    {"metal-check"}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(has(outcome.err, "there is no Metal on this system")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}
#endif

TEST_F(CommandLine, ALoneWordThatIsNearlyAVerbIsASlip) {
  const Outcome outcome = run_rung({"tokenise"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_TRUE(has(outcome.err, "did you mean 'rung tokenize'?")) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST_F(CommandLine, AMisspeltVerbWithATextBehindItIsASlipToo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"genrate", "x"}, {"genrate", "-n", "3", "x"}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_TRUE(has(outcome.err, "did you mean 'rung generate'?")) << outcome.err;
  }
}

TEST_F(CommandLine, OptionsOfOtherProgramsAreAnsweredWithOurs) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> known{
      {{"--temp", "0.5", "x"}, "'--temp': it is --temperature"},
      {{"--temp=0.5", "x"}, "--temperature"},
      {{"--ctx-size", "99", "x"}, "--context"},
      {{"-c", "99", "x"}, "--context"},
      {{"-c4096", "x"}, "--context"},
      {{"-t", "2", "x"}, "--threads"},
      {{"-p", "x"}, "the text is the last argument"},
      {{"--n-predict", "9", "x"}, "-n"},
      {{"--num_ctx", "9", "x"}, "--context"},
      {{"--repeat_penalty", "1.1", "x"}, "--repeat-penalty"},
      {{"-ngl", "99", "x"}, "'-ngl': Rung has none"}};
  for (const auto& [arguments, answer] : known) {
    std::vector<std::string> all{"generate"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.status, 2) << arguments[0];
    EXPECT_TRUE(has(outcome.err, answer)) << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
  }
}

TEST_F(CommandLine, MinusOneTokensAreAsManyAsMayBe) {
  const std::vector<std::string> rest{"--temperature", "0", "--json", "the fox"};
  std::vector<std::string> minus{"generate", "-n", "-1"}, zero{"generate", "-n", "0"};
  minus.insert(minus.end(), rest.begin(), rest.end());
  zero.insert(zero.end(), rest.begin(), rest.end());
  const Outcome outcome = run(minus);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out).back()["ids"], lines_of(run(zero).out).back()["ids"]);
}

// Which tokens the tiny model says, it says whatever they are called.
TEST_F(CommandLine, TheEndsOfTheModelCanBeIgnoredAndOnesOwnGiven) {
  const std::vector<std::string> base{"generate", "--temperature", "0", "-n", "4", "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    more.push_back("the fox");
    return lines_of(run(more).out).back();
  };
  const Json plain = with({"--ignore-eos"});
  ASSERT_EQ(plain["ids"].size(), 4u);
  model_->write("generation_config.json", {{"eos_token_id", plain["ids"][0]}, {"num_beams", 3}});
  EXPECT_EQ(with({})["stop"], "end-of-text");
  EXPECT_EQ(with({"--ignore-eos"})["ids"], plain["ids"]);
  const Outcome told = run({"generate", "-n", "1", "the fox"});
  EXPECT_TRUE(has(told.err, "generation_config.json: not done, though it would change the text: num_beams\n"))
      << told.err;
  model_->write("generation_config.json", {{"max_new_tokens", 2}, {"stop_strings", "no such text"}});
  EXPECT_EQ(
      lines_of(run({"generate", "--temperature", "0", "--ignore-eos", "--json", "the fox"}).out).back()["ids"].size(),
      2u);
  EXPECT_EQ(with({"--ignore-eos"})["ids"].size(), 4u) << "-n says otherwise";
  std::filesystem::remove(*model_ / "generation_config.json");
}

TEST_F(CommandLine, AFolderWithAnotherTokenizerSaysWhichFileIsRead) {
  const TinyModel other;
  std::filesystem::rename(other / "tokenizer.json", other / "tokenizer.model");
  const Outcome outcome = run_rung({"generate", "-m", other.path().string(), "x"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "tokenizer.model: not read: a folder's tokenizer is its tokenizer.json")) << outcome.err;
  EXPECT_EQ(line_count(outcome.err), 1u);
}

TEST_F(CommandLine, WithoutAVerbATextIsGenerated) {
  const Outcome bare = run_rung({"-m", model_->path().string(), "-n", "4", "--temperature", "0", "the fox"});
  const Outcome verb = run({"generate", "-n", "4", "--temperature", "0", "the fox"});
  EXPECT_EQ(bare.status, 0) << bare.err;
  EXPECT_EQ(bare.out, verb.out);
  EXPECT_NE(bare.out, "");
}

TEST_F(CommandLine, WithoutAModelPebbleSpeaksThatIsInTheProgram) {
  const Surroundings elsewhere{.environment = {"XDG_CACHE_HOME=/nonexistent", "HOME=/nonexistent"}};
  const Outcome told = run_rung({"generate", "--json", "--seed", "1", "Once upon a time"}, elsewhere);
  EXPECT_EQ(told.status, 0) << told.err;
  const Json story = lines_of(told.out).back();
  EXPECT_EQ(story["stop"], "end-of-text");
  EXPECT_GT(story["ids"].size(), 40u);
  EXPECT_TRUE(has(story["text"], ". ")) << story["text"];
  for (const std::string& model : {std::string("pebble"), (source_folder() / "models" / "pebble").string()}) {
    const Outcome named = run_rung({"generate", "-m", model, "--json", "--seed", "1", "Once upon a time"}, elsewhere);
    EXPECT_EQ(lines_of(named.out).back()["ids"], story["ids"]) << model;
  }
  EXPECT_TRUE(has(run_rung({"inspect"}, elsewhere).out, "qwen3"));
  EXPECT_TRUE(has(run_rung({"tokenize", "--chat", "Hello"}, elsewhere).out, "im_start"));
  EXPECT_EQ(run_rung({"chat", "--seed", "1"}, {.input = "Hello\n", .environment = elsewhere.environment}).status, 0);
}

TEST_F(CommandLine, WhatCannotBeIsAUsageErrorInOneLine) {
  const std::vector<std::vector<std::string>> wrong{{"generate", "--bogus", "x"},
                                                    {"generate", "two", "texts"},
                                                    {"generate", "-n"},
                                                    {"generate", "-n", "x", "y"},
                                                    {"generate", "-n", "-2", "y"},
                                                    {"generate", "--stop", "\xe2\x82", "y"},
                                                    {"generate", "-n", "99999999999999999999", "y"},
                                                    {"generate", "-n", "1.5", "y"},
                                                    {"generate", "--top-k", "-1", "x"},
                                                    {"generate", "--seed", "-1", "x"},
                                                    {"generate", "--seed", "18446744073709551616", "x"},
                                                    {"chat", "-n", "-2"},
                                                    {"trace", "--layer", "-1", "x"},
                                                    {"generate", "--temperature", "-1", "x"},
                                                    {"generate", "--top-p", "2", "x"},
                                                    {"generate", "--system", "x", "y"},
                                                    {"tokenize", "--lines"},
                                                    {"tokenize", "--decode", "1,x"},
                                                    {"tokenize", "--decode", "1", "--explain"},
                                                    {"tokenize", "--file", "f", "text"},
                                                    {"bench", "--repeat", "0"},
                                                    {"tokenize", "--decode", "1,,2"},
                                                    {"tokenize", "--decode", "1,"},
                                                    {"tokenize", "--decode", ",1"},
                                                    {"tokenize", "--decode", "]1["},
                                                    {"tokenize", "--json=no", "x"},
                                                    {"bench", "--contexts", "1,,2"},
                                                    {"bench", "--batches", "1,"},
                                                    {"generate", "--temperature", "", "x"},
                                                    {"generate", "--min-p", "abc", "x"},
                                                    {"bench", "--threads", "-1"},
                                                    {"generate", "--threads", "100000", "x"},
                                                    {"bench", "--batches", "1000000"},
                                                    {"compare", "pebble@abacus", "pebble"},
                                                    {"compare", "pebble@", "pebble"},
                                                    {"compare", "@cpu", "pebble"},
                                                    {"generate", "--cache", "q4_0", "x"},
                                                    {"generate", "--device", "abacus", "x"},
                                                    {"logits", "--top", "1e9", "x"},
                                                    {"trace", "--heads", "--out", "f", "x"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments[0] << ' ' << arguments[1] << '\n' << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
    EXPECT_LT(outcome.err.size(), 160u) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(CommandLine, AnOptionWithoutItsValueOrGivenTwiceIsNamed) {
  EXPECT_TRUE(has(run_rung({"generate", "-m"}).err, "--model: found nothing after it, expected MODEL"))
      << run_rung({"generate", "-m"}).err;
  const std::string twice = run_rung({"generate", "--seed", "1", "--seed", "2", "x"}).err;
  EXPECT_TRUE(has(twice, "--seed: found 2 times, expected once")) << twice;
}

// `-m "$UNSET"` must not mean the default model, nor `--out ""` nothing at all.
TEST_F(CommandLine, AnEmptyNameIsAUsageError) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"generate", "-m", "", "x"},
                                                    {"logits", "-m", model_->path().string(), "--out", "", "x"},
                                                    {"tokenize", "-m", model_->path().string(), "--file", ""},
                                                    {"generate", "-m", model_->path().string(), "--device", "", "x"},
                                                    {"pull", ""}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments[0];
    EXPECT_TRUE(has(outcome.err, "found nothing, expected a name")) << outcome.err;
  }
}

TEST_F(CommandLine, WhatFailsSaysSoInOneLine) {
  const std::vector<std::vector<std::string>> failing{
      {"tokenize", "--file", "no-such-file"}, {"generate", ""},
      {"generate", "--context", "300", "x"},  {"generate", std::string(300, 'x')},  // longer than the context
      {"logits", std::string(300, 'x')},      {"trace", std::string(300, 'x')},
      {"trace", "--layer", "2", "x"},         {"tokenize", "--messages", "no-such-file"},
      {"bench", "--prompt-tokens", "300"}};
  for (const auto& arguments : failing) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments[0] << ' ' << arguments[1] << '\n' << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  const Outcome no_model = run_rung({"tokenize", "-m", "no-such-model", "x"});
  EXPECT_EQ(no_model.status, 1);
  EXPECT_TRUE(has(no_model.err, "no-such-model: no such file or folder")) << no_model.err;
}

// ---- The text ----

TEST_F(CommandLine, ATextStaysWholeWhateverItLooksLike) {
  const std::vector<std::vector<std::string>> texts{
      {"[a, b]"}, {"{a}"}, {"%d"}, {"a=b"}, {"generate"}, {"chat"}, {"--", "--json"}, {"--", "-5"}, {"--", "--"}};
  for (const std::vector<std::string>& text : texts) {
    std::vector<std::string> arguments{"tokenize", "--json"};
    arguments.insert(arguments.end(), text.begin(), text.end());
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.status, 0) << text.back() << outcome.err;
    std::string pieces;
    const Json line = Json::parse(outcome.out);
    for (const Json& piece : line["pieces"]) pieces += piece.get<std::string>();
    EXPECT_EQ(pieces, text.back());
  }
}

TEST_F(CommandLine, WithoutATextStdinIsRead) {
  EXPECT_EQ(run({"tokenize", "--json"}, {.input = "the fox"}).out, run({"tokenize", "--json", "the fox"}).out);
  EXPECT_EQ(run({"generate", "-n", "3", "--temperature", "0"}, {.input = "the fox"}).out,
            run({"generate", "-n", "3", "--temperature", "0", "the fox"}).out);
}

// ---- Where the output goes ----

TEST_F(CommandLine, JsonIsAllThatStdoutGets) {
  const std::vector<std::vector<std::string>> verbs{
      {"tokenize", "--json", "the fox"},
      {"tokenize", "--json", "--explain", "the fox"},
      {"tokenize", "--json", "--chat", "the fox"},
      {"tokenize", "--json", "--decode", "4,5"},
      {"logits", "--json", "the fox"},
      {"trace", "--json", "the fox"},
      {"trace", "--json", "--heads", "the fox"},
      {"generate", "--json", "-n", "4", "the fox"},
      {"bench", "--json", "--prompt-tokens", "4", "--decode-tokens", "4", "--repeat", "1"}};
  for (const auto& arguments : verbs) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments[0] << outcome.err;
    EXPECT_NO_THROW(EXPECT_FALSE(lines_of(outcome.out).empty())) << arguments[0] << '\n' << outcome.out;
  }
}

TEST_F(CommandLine, AReaderWhoLeavesIsNoError) {
  const Outcome outcome = run({"generate", "-n", "4", "the fox"}, {.output = "closed pipe"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CommandLine, AFullDiskIsOne) {
  const Outcome outcome = run({"tokenize", "the fox"}, {.output = "/dev/full"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "rung: stdout: No space left on device\n");
}

// `rung tokenize --file <(command)`
TEST_F(CommandLine, ATextMayComeThroughANamedPipe) {
  const TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "the fox"; });
  const Outcome outcome = run({"tokenize", "--json", "--file", pipe});
  writer.join();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, run({"tokenize", "--json", "the fox"}).out);
  EXPECT_TRUE(has(run_rung({"tokenize", "-m", pipe, "x"}).err, "not a regular file"));
}

TEST_F(CommandLine, AFileThatMayNotGrowSoLargeIsNotLeftHalfWritten) {
  const TemporaryFolder folder;
  const Outcome outcome =
      run({"logits", "--out", (folder / "logits.safetensors").string(), "the fox"}, {.file_limit = 200});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "File too large")) << outcome.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// The columns that a line takes where every character takes one: control sequences take none.
std::size_t columns_of(const std::string& line) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033') {
      i = line.find('m', i);
    } else if ((line[i] & 0xc0) != 0x80 && line[i] != '\r') {
      ++columns;
    }
  }
  return columns;
}

TEST_F(CommandLine, BarsFitTheTerminal) {
  for (const std::size_t columns : {40u, 60u, 200u}) {
    std::istringstream lines(run({"logits", "the fox"}, {.output = "terminal", .columns = columns}).out);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(columns_of(line), columns) << line;
    EXPECT_EQ(count, 10u);
  }
}

TEST_F(CommandLine, ColourIsForTerminalsThatWantIt) {
  EXPECT_TRUE(has(run({"tokenize", "the fox"}, {.output = "terminal", .environment = {"TERM=xterm"}}).out, "\033["));
  EXPECT_FALSE(has(
      run({"tokenize", "the fox"}, {.output = "terminal", .environment = {"TERM=xterm", "NO_COLOR=1"}}).out, "\033["));
  EXPECT_FALSE(has(run({"tokenize", "the fox"}, {.output = "terminal", .environment = {"TERM=dumb"}}).out, "\033["));
  EXPECT_FALSE(has(run({"tokenize", "the fox"}).out, "\033["));
}

// ---- Ctrl-C ----

TEST_F(CommandLine, CtrlCEndsAGenerationWithWhatThereIs) {
  const Outcome outcome =
      interrupt_rung({"generate", "-m", model_->path().string(), "--json", "-n", "0", "--temperature", "0", "the fox"});
  EXPECT_EQ(outcome.status, 130);
  const std::vector<Json> lines = lines_of(outcome.out);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines.back()["stop"], "interrupted");
  std::string pieces;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) pieces += lines[i]["piece"].get<std::string>();
  EXPECT_EQ(lines.back()["text"], pieces);
}

TEST_F(CommandLine, CtrlCEndsWhatReadsAtOnceAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string model = model_->path().string(), out = (folder / "out.gguf").string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"quantize", model, out, "--to", "q8_0", "--imatrix", "/dev/fd/9"},
        std::vector<std::string>{"eval", "-m", model, "/dev/fd/9"}}) {
    const Outcome outcome = interrupt_reading_rung(arguments);
    EXPECT_EQ(outcome.status, 130) << arguments.front();
    EXPECT_EQ(outcome.out + outcome.err, "") << arguments.front();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// ---- tokenize ----

TEST_F(CommandLine, TokenizeShowsPiecesOverTheirIds) {
  const Outcome outcome = run({"tokenize", "the the"});
  EXPECT_EQ(outcome.out, "the│·│the\n5  │2│5\n3 tokens, 7 bytes, 2.33 bytes a token\n");
}

TEST_F(CommandLine, TokenizeSaysWhatAStarMeansWhereThereIsOne) {
  EXPECT_TRUE(run({"tokenize", "the<|im_end|>"}).out.ends_with(" bytes a token; * is a control token\n"));
  EXPECT_TRUE(run({"tokenize", "--chat", "the"}).out.ends_with("; * is a control token\n"));
}

TEST_F(CommandLine, TokenizeNeedsNoWeights) {
  const TinyModel bare;
  std::filesystem::remove(bare / "model.safetensors");
  std::filesystem::remove(bare / "config.json");
  std::filesystem::remove(bare / "tokenizer_config.json");
  EXPECT_EQ(run_rung({"tokenize", "-m", bare.path().string(), "--json", "the"}).out,
            "{\"ids\":[5],\"pieces\":[\"the\"]}\n");
}

TEST_F(CommandLine, TokenizeExplainsTheMerges) {
  const Outcome outcome = run({"tokenize", "--json", "--explain", "the"});
  EXPECT_EQ(Json::parse(outcome.out)["merges"],
            (Json{{{"rank", 0}, {"left", "t"}, {"right", "h"}}, {{"rank", 1}, {"left", "th"}, {"right", "e"}}}));
}

TEST_F(CommandLine, TokenizeGoesBackToText) {
  EXPECT_EQ(run({"tokenize", "--decode", "5,2,5"}).out, "the the");
  EXPECT_EQ(run({"tokenize", "--decode", "[5, 2, 5]"}).out, "the the");
  EXPECT_EQ(run({"tokenize", "--decode", "-"}, {.input = "5 2 5\n"}).out, "the the");
}

TEST_F(CommandLine, TokenizeRendersAChat) {
  const Json line = Json::parse(run({"tokenize", "--json", "--chat", "the"}).out);
  EXPECT_EQ(line["prompt"], "<|im_start|>user\nthe<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(line["ids"][0], 0);
  EXPECT_EQ(line["pieces"][0], "<|im_start|>");
}

TEST_F(CommandLine, WhatAPersonTypesBecomesNoControlToken) {
  const Json line = Json::parse(run({"tokenize", "--json", "--chat", "<|im_end|>"}).out);
  EXPECT_EQ(std::count(line["ids"].begin(), line["ids"].end(), Json(1)), 1);
}

TEST_F(CommandLine, TokenizeReadsConversationsToolsAndTemplates) {
  const TemporaryFolder folder;
  std::ofstream(folder / "m.json") << R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])";
  std::ofstream(folder / "tools.json") << R"([{"name": "t"}])";
  std::ofstream(folder / "t.jinja") << "{% for m in messages %}{{ m.content }}{% endfor %}{{ tools[0].name }}";
  const Outcome outcome = run({"tokenize", "--json", "--messages", (folder / "m.json").string(), "--tools",
                               (folder / "tools.json").string(), "--template", (folder / "t.jinja").string()});
  EXPECT_EQ(Json::parse(outcome.out)["prompt"], "abt") << outcome.err;
}

TEST_F(CommandLine, TokenizeAnswersLineByLine) {
  const Outcome outcome =
      run({"tokenize", "--json", "--lines"},
          {.input = "\"the\"\n[5,2]\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\nnonsense\n"});
  EXPECT_EQ(outcome.status, 0);
  const std::vector<Json> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["ids"], Json({5}));
  EXPECT_EQ(lines[1]["text"], "the ");
  EXPECT_TRUE(lines[2].contains("prompt"));
  EXPECT_TRUE(has(lines[3]["error"], "line 4: not JSON"));
}

// ---- trace, logits ----

TEST_F(CommandLine, TheBarsOfLogitsBeginInOneColumn) {
  std::istringstream lines(run({"logits", "--top", "40", "the fox"}).out);
  std::set<std::size_t> begins;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(display_columns(line), 80u) << line;
    const std::size_t bar = std::min(line.find("\u2588"), std::min(line.find("\u258f"), line.find("\u258e")));
    if (bar != std::string::npos) begins.insert(display_columns(line.substr(0, bar)));
  }
  EXPECT_EQ(begins.size(), 1u);
}

TEST_F(CommandLine, TheTableOfTraceFitsATerminal) {
  std::istringstream lines(run({"trace", std::string(200, 'x')}).out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Clipped, CutsByColumnsAndSaysSo) {
  EXPECT_EQ(clipped("abcdef", 6), "abcdef");
  EXPECT_EQ(clipped("abcdef", 4), "abc…");
  EXPECT_EQ(clipped("字字字", 6), "字字字");
  EXPECT_EQ(clipped("字字字", 5), "字字…");
  EXPECT_EQ(clipped("字字字", 4), "字…");  // half of a wide character is none
  EXPECT_EQ(clipped("ab", 1), "…");
  EXPECT_EQ(clipped("ab", 0), "");
}

TEST_F(CommandLine, TraceWritesEveryTensorThatItLists) {
  const TemporaryFolder folder;
  const std::string file = (folder / "t.safetensors").string();
  ASSERT_EQ(run({"trace", "--out", file, "the fox"}).status, 0);
  const Safetensors written = Safetensors::open(file);
  const Json listed = Json::parse(run({"trace", "--json", "the fox"}).out)["checkpoints"];
  ASSERT_EQ(written.tensors().size(), listed.size());
  for (const Json& checkpoint : listed) {
    const std::string name = checkpoint["name"];
    const FileTensor* tensor = find_tensor(written.tensors(), name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(tensor->shape, checkpoint["shape"].get<std::vector<std::size_t>>()) << name;
    const auto* values = reinterpret_cast<const float*>(tensor->bytes.data());
    EXPECT_FLOAT_EQ(*std::min_element(values, values + tensor->bytes.size() / sizeof(float)),
                    checkpoint["min"].get<float>())
        << name;
  }
}

TEST_F(CommandLine, TraceOfOneLayerHasNoOther) {
  const Json line = Json::parse(run({"trace", "--json", "--layer", "1", "the"}).out);
  EXPECT_EQ(line["checkpoints"].size(), 15u);
  for (const Json& checkpoint : line["checkpoints"]) {
    EXPECT_TRUE(checkpoint["name"].get<std::string>().starts_with("layer.1.")) << checkpoint;
  }
}

TEST_F(CommandLine, WhatAHeadAttendsToSumsToOne) {
  const Json maps = Json::parse(run({"trace", "--json", "--heads", "--layer", "0", "the fox"}).out)["attention"];
  ASSERT_EQ(maps.size(), 4u);
  for (const Json& map : maps) {
    for (const Json& row : map["weights"]) {
      double sum = 0;
      for (const Json& weight : row) sum += weight.get<double>();
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

// ---- chat ----

TEST_F(CommandLine, ChatAnswersEachLineOfStdin) {
  const Outcome outcome = run({"chat", "--json", "-n", "3", "--temperature", "0"}, {.input = "Hi\n\nGo on"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::vector<Json> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 2u);
  for (const Json& line : lines) EXPECT_EQ(line["role"], "assistant");
}

TEST_F(CommandLine, ChatStopsWhereItIsTold) {
  const auto answer = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"chat", "--json", "-n", "6", "--temperature", "0", "--ignore-eos"});
    return lines_of(run(more, {.input = "Hi\n"}).out).at(0);
  };
  const std::string text = answer({})["content"];
  ASSERT_GT(text.size(), 2u);
  const Json stopped = answer({"--stop", text.substr(2, 1)});
  EXPECT_EQ(stopped["stop"], "stop-string");
  EXPECT_EQ(stopped["content"], text.substr(0, text.find(text[2])));
}

TEST_F(CommandLine, ChatPrintsNothingButAnswers) {
  const Outcome outcome = run({"chat", "-n", "3", "--temperature", "0"}, {.input = "Hi\n/stats\n/help\n"});
  const Json answer = Json::parse(run({"chat", "--json", "-n", "3", "--temperature", "0"}, {.input = "Hi\n"}).out);
  EXPECT_EQ(outcome.out, answer["content"].get<std::string>() + "\n");
}

TEST_F(CommandLine, ChatSavesWhatItCanGoOnWith) {
  const TemporaryFolder folder;
  const std::string file = (folder / "saved.json").string();
  const Outcome whole = run({"chat", "--json", "-n", "3", "--temperature", "0", "--system", "Be kind"},
                            {.input = "Hi\n/save " + file + "\nGo on\n"});
  const Outcome rest =
      run({"chat", "--json", "-n", "3", "--temperature", "0", "--messages", file}, {.input = "Go on\n"});
  ASSERT_EQ(lines_of(whole.out).size(), 2u) << whole.err;
  ASSERT_EQ(lines_of(rest.out).size(), 1u) << rest.err;
  const Json saved = Json::parse(std::ifstream(file));
  EXPECT_EQ(saved, Json({{{"role", "system"}, {"content", "Be kind"}},
                         {{"role", "user"}, {"content", "Hi"}},
                         {{"role", "assistant"}, {"content", lines_of(whole.out)[0]["content"]}}}));
}

TEST_F(CommandLine, AFailedTurnDoesNotEndTheChat) {
  const Outcome outcome =
      run({"chat", "--json", "-n", "3", "--temperature", "0"}, {.input = "forbidden\n/nonsense\nHi\n"});
  EXPECT_EQ(outcome.status, 1);
  const std::vector<Json> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(has(lines[0]["error"], "not that word"));
  EXPECT_TRUE(has(lines[1]["error"], "/nonsense"));
  EXPECT_EQ(lines[2]["role"], "assistant");
}

TEST_F(CommandLine, ChatNeedsATemplate) {
  const TinyModel bare("");
  const Outcome outcome = run_rung({"chat", "-m", bare.path().string()}, {.input = "Hi\n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "no chat template")) << outcome.err;
  EXPECT_EQ(line_count(outcome.err), 1u);

  std::ofstream(bare / "t.jinja") << TinyModel::kTemplate;
  const std::string path = (bare / "t.jinja").string();
  EXPECT_EQ(run_rung({"chat", "-m", bare.path().string(), "--template", path, "-n", "2"}, {.input = "Hi\n"}).status, 0);
  EXPECT_EQ(run_rung({"generate", "-m", bare.path().string(), "--chat", "--template", path, "-n", "2", "Hi"}).status,
            0);
}

// ---- bench ----

TEST_F(CommandLine, BenchSaysWhatItMeasured) {
  for (const bool cached : {true, false}) {
    std::vector<std::string> arguments{"bench",           "--json", "--prompt-tokens", "8", "--contexts", "6",
                                       "--decode-tokens", "4",      "--repeat",        "1"};
    if (!cached) arguments.push_back("--no-cache");
    const Json line = Json::parse(run(arguments).out);
    EXPECT_EQ(line["cache"], cached);
    EXPECT_EQ(line["prefill"]["tokens"], 8);
    EXPECT_EQ(line["decode"]["tokens"], 4);
    EXPECT_EQ(line["decode"]["context"], 6);
    EXPECT_EQ(line["decode"].contains("in_turns"), cached);
    for (const char* key : {"model", "device", "kernels", "threads"}) EXPECT_TRUE(line.contains(key)) << key;
    for (const char* key : {"tokens_per_second", "bytes_per_token", "gb_per_s", "bandwidth_share"}) {
      EXPECT_GT(line["decode"][key].get<double>(), 0) << key;
    }
    for (const char* key : {"read_gb_per_s", "int8_gop_per_s", "f32_gflop_per_s"}) {
      EXPECT_GT(line["ceilings"][key].get<double>(), 0) << key;
    }
  }
}

TEST_F(CommandLine, BenchSetsADecodeStepBesidePlainReadingInTheSameMoments) {
  const Json line = Json::parse(run({"bench", "--json", "--prompt-tokens", "8", "--contexts", "6", "--batches", "1,2",
                                     "--decode-tokens", "4", "--repeat", "2"})
                                    .out);
  ASSERT_EQ(line["decodes"].size(), 2u);
  for (const Json& decode : line["decodes"]) {
    const double step = decode["in_turns"]["gb_per_s"].get<double>(),
                 read = decode["in_turns"]["read_gb_per_s"].get<double>();
    EXPECT_DOUBLE_EQ(decode["bandwidth_share"].get<double>(), step / read);
  }
  EXPECT_FALSE(line["prefill"].contains("in_turns")) << "only decode takes turns";
  EXPECT_TRUE(
      has(run({"bench", "--prompt-tokens", "8", "--contexts", "6", "--batches", "1", "--decode-tokens", "4"}).out,
          "GB/s in turns"));
}

TEST_F(CommandLine, TheTypeOfTheCacheIsChosenAndCounted) {
  std::vector<double> bytes;
  for (const char* type : {"f32", "f16", "q8_0"}) {
    const Json line = Json::parse(
        run({"bench", "--json", "--prompt-tokens", "8", "--decode-tokens", "4", "--repeat", "1", "--cache", type}).out);
    EXPECT_EQ(line["cache_type"], type);
    bytes.push_back(line["decode"]["bytes_per_token"].get<double>());
  }
  EXPECT_GT(bytes[0], bytes[1]);
  EXPECT_GT(bytes[1], bytes[2]);
  for (const auto& [device, type] : {std::pair{"cpu", "f16"}, std::pair{"reference", "f32"}}) {
    const Json line = Json::parse(
        run({"bench", "--json", "--prompt-tokens", "8", "--decode-tokens", "4", "--repeat", "1", "--device", device})
            .out);
    EXPECT_EQ(line["cache_type"], type) << "nobody asked for another";
    const std::string logits = run({"logits", "--json", "--device", device, "Hi there"}).out;
    EXPECT_EQ(run({"logits", "--json", "--device", device, "--cache", type, "Hi there"}).out, logits);
    EXPECT_NE(run({"logits", "--json", "--device", device, "--cache", "q8_0", "Hi there"}).out, logits);
  }
  for (const char* verb : {"generate", "trace", "logits"}) {
    EXPECT_EQ(run({verb, "--cache", "q8_0", "Hi"}).status, 0) << verb;
  }
}

TEST_F(CommandLine, BenchMeasuresEachContextAndEachBatch) {
  const Json line = Json::parse(run({"bench", "--json", "--prompt-tokens", "5,9", "--contexts", "6,70", "--batches",
                                     "1,3", "--decode-tokens", "2", "--repeat", "1"})
                                    .out);
  EXPECT_EQ(line["prefills"].size(), 2u);
  ASSERT_EQ(line["decodes"].size(), 3u) << "two contexts, and another batch at the first of them";
  EXPECT_EQ(line["decodes"][1]["context"], 70);
  EXPECT_EQ(line["decodes"][2]["batch"], 3);
  EXPECT_EQ(line["decodes"][2]["tokens"], 6) << "two of each sequence";
  EXPECT_LT(line["decodes"][2]["bytes_per_token"], line["decodes"][0]["bytes_per_token"])
      << "three tokens share the weights";
}

// A clock around each verb: together they are not more than the whole.
TEST_F(CommandLine, BenchSaysWhatEachVerbTakes) {
  const std::vector<std::string> arguments{"bench",           "--verbs", "--prompt-tokens", "8", "--contexts", "6",
                                           "--decode-tokens", "4",       "--batches",       "1", "--repeat",   "1"};
  std::vector<std::string> with_json = arguments;
  with_json.push_back("--json");
  const Json line = Json::parse(run(with_json).out);
  for (const char* what : {"prefill", "decode"}) {
    const Json& verbs = line[what]["verbs"];
    EXPECT_EQ(verbs.size(), 8u);
    double sum = 0;
    for (const auto& [verb, seconds] : verbs.items()) {
      EXPECT_GT(seconds.get<double>(), 0) << verb;
      sum += seconds.get<double>();
    }
    EXPECT_LE(sum, line[what]["seconds"].get<double>());
    EXPECT_GT(line[what]["linear_peak_share"].get<double>(), 0);  // weights of bf16
  }
  EXPECT_TRUE(has(run(arguments).out, "store_kv")) << run(arguments).out;
  EXPECT_FALSE(Json::parse(run({"bench", "--json", "--prompt-tokens", "8", "--contexts", "6", "--decode-tokens", "4",
                                "--batches", "1", "--repeat", "1"})
                               .out)["prefill"]
                   .contains("verbs"));
}

// What a longer context adds to a token's bytes is keys and values of the type that the cache has.
TEST_F(CommandLine, BenchCountsTheCacheInItsOwnType) {
  const auto bytes_at = [&](const std::string& context, const std::string& type) {
    const Json line = Json::parse(run({"bench", "--json", "--cache", type, "--prompt-tokens", "1", "--contexts",
                                       context, "--batches", "1", "--decode-tokens", "1", "--repeat", "1"})
                                      .out);
    return line["decode"]["bytes_per_token"].get<double>();
  };
  const double halves = bytes_at("60", "f16") - bytes_at("10", "f16");
  EXPECT_GT(halves, 0);
  EXPECT_EQ(bytes_at("60", "f32") - bytes_at("10", "f32"), 2 * halves);
}

TEST_F(CommandLine, BenchPredictsBeforeItMeasures) {
  const std::string out = run({"bench", "--predict", "--ceilings", "--prompt-tokens", "8", "--contexts", "6",
                               "--batches", "1,2", "--decode-tokens", "2", "--repeat", "1"})
                              .out;
  const std::size_t limit = out.find("What the limit allows"), measured = out.find("predicted");
  ASSERT_NE(limit, std::string::npos) << out;
  ASSERT_NE(measured, std::string::npos) << out;
  EXPECT_LT(limit, measured);
  for (const char* name :
       {"prefill of 8", "decode at 6", "decode at 6, 2 together", "4 streams a thread, 1024 and 4096 ahead"}) {
    EXPECT_TRUE(has(out, name)) << name;
  }
}

TEST_F(CommandLine, BenchForetellsAMacWithoutOne) {
  const std::vector<std::string> arguments{"bench", "--predict", "--device", "metal", "--chip", "m2-pro"};
  const std::string out = run(arguments).out;
  for (const char* what :
       {"A prediction for an M2 Pro with 19 GPU cores and 200 GB/s", "nothing was measured", "decode at 64",
        "off by 7% on average; at worst it foretells 30% too much (M2 Ultra, Q4_0)"}) {
    EXPECT_TRUE(has(out, what)) << what << " is not in:\n" << out;
  }
}

TEST_F(CommandLine, BenchForetellsAMacAsJson) {
  const Json line = Json::parse(
      run({"bench", "--predict", "--device", "metal", "--chip", "M4 Max", "--contexts", "10,100", "--json"}).out);
  EXPECT_EQ(line["predicted"], true);
  EXPECT_EQ(line["chip"]["gb_per_s"], 546);
  ASSERT_EQ(line["decodes"].size(), 2u);
  const Json &near = line["decodes"][0], &far = line["decodes"][1];
  EXPECT_GT(far["bytes_per_token"], near["bytes_per_token"]);
  EXPECT_GT(far["dispatches"], near["dispatches"]) << "more than one block of keys: they are combined";
  EXPECT_LT(near["predicted_tokens_per_second"][0], near["predicted_tokens_per_second"][1]);
  EXPECT_EQ(line["back_test"]["numbers"], 37);
}

TEST_F(CommandLine, BenchSaysWhatAChipNeeds) {
  const auto refused = [&](const std::vector<std::string>& more, const char* because) {
    std::vector<std::string> arguments{"bench"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(has(outcome.err, because)) << outcome.err;
  };
  refused({"--predict", "--chip", "M1"}, "it needs --predict and --device metal");
  refused({"--device", "metal", "--chip", "M1"}, "it needs --predict and --device metal");
  refused({"--predict", "--device", "metal", "--chip", "M9"}, "found 'M9', expected one of: M1, M1 Pro");
  refused({"--predict", "--device", "metal", "--chip", "M1", "--batches", "2"}, "found --batches");
  refused({"--predict", "--device", "metal", "--chip", "M1", "--threads", "2"}, "found --threads");
  refused({"--predict", "--device", "metal", "--chip", "M1", "--repeat", "9"}, "found --repeat");
}

TEST_F(CommandLine, BenchDrawsTheRoofline) {
  const TemporaryFolder folder;
  const std::string path = (folder / "roof.svg").string();
  EXPECT_EQ(run({"bench", "--out", path, "--prompt-tokens", "8", "--contexts", "6", "--batches", "1", "--decode-tokens",
                 "2", "--repeat", "1"})
                .status,
            0);
  std::ifstream file(path);
  const std::string svg{std::istreambuf_iterator<char>(file), {}};
  for (const char* what : {"<svg ", "GB/s", "int8 peak", "prefill of 8", "decode at 6", "</svg>"}) {
    EXPECT_TRUE(has(svg, what)) << what;
  }
  const Outcome nowhere = run({"bench", "--out", "no-such-folder/roof.svg", "--prompt-tokens", "8", "--contexts", "6",
                               "--batches", "1", "--repeat", "1"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_EQ(line_count(nowhere.err), 1u) << nowhere.err;
}

TEST_F(CommandLine, BenchWithoutTheCacheTakesOneSequence) {
  EXPECT_EQ(run({"bench", "--no-cache", "--batches", "2"}).status, 2);
  EXPECT_EQ(run({"bench", "--batches", "0"}).status, 2);
  EXPECT_EQ(run({"bench", "--batches", "100000"}).status, 2);
}

}  // namespace
}  // namespace rung
