// `rung --completions SHELL`: what a shell makes of it. bash runs here; zsh's and fish's lines are read.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "cli/program.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

class BashCompletion : public testing::Test {
 protected:
  BashCompletion() {
    std::ofstream{folder_ / "rung.bash"} << run_rung({"--completions", "bash"}).out;
    std::ofstream{folder_ / "a model.gguf"};
  }

  // What bash offers for the last of `words`: a name a line.
  std::string offers(const std::string& words) const {
    std::ofstream{folder_ / ".ask"} << ". ./rung.bash; COMP_WORDS=(" << words
                                    << "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _rung; "
                                       "[ -z \"$COMPREPLY\" ] || printf '%s\\n' \"${COMPREPLY[@]}\"";
    FILE* const bash = ::popen(("cd '" + folder_.path().string() + "' && bash ./.ask").c_str(), "r");
    std::string offered;
    for (int c; (c = std::fgetc(bash)) != EOF;) offered += static_cast<char>(c);
    ::pclose(bash);
    return offered;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(BashCompletion, OffersVerbs) {
  EXPECT_EQ(offers("rung to"), "tokenize\n");
  EXPECT_EQ(offers("rung --v"), "--version\n");
}

TEST_F(BashCompletion, OffersTheOptionsOfTheVerb) {
  EXPECT_EQ(offers("rung inspect --t"), "--tensors\n--tensor\n");
  EXPECT_EQ(offers("rung inspect --temp"), "");
  EXPECT_EQ(offers("rung chat --temp"), "--temperature\n--template\n--template-name\n");
  EXPECT_EQ(offers("rung pull --"), "--help\n--list\n--remove\n--search\n--json\n");
}

TEST_F(BashCompletion, OffersWhatGenerateTakesToATextAlone) {
  EXPECT_EQ(offers("rung 'Once upon' --min"), "--min-p\n--min-tokens\n");
}

TEST_F(BashCompletion, OffersFilesWhereAFileIsMeant) {
  EXPECT_EQ(offers("rung inspect -m a"), "a model.gguf\n");
  EXPECT_EQ(offers("rung eval a"), "a model.gguf\n");
  EXPECT_EQ(offers("rung chat --threads a"), "");
}

TEST(Completion, OfZshDescribesEveryOption) {
  const std::string script = run_rung({"--completions", "zsh"}).out;
  EXPECT_TRUE(script.starts_with("#compdef rung\n"));
  EXPECT_NE(script.find("    'inspect:what a model is made of: shapes"), script.npos);
  EXPECT_NE(script.find("'(-m --model)'{-m,--model}'[a .gguf file, "), script.npos);
  EXPECT_NE(script.find(":MODEL:_files'"), script.npos);
  EXPECT_NE(script.find(R"([only the K likeliest (0\: all)]:K: ')"), script.npos);
}

TEST(Completion, OfFishDescribesEveryOption) {
  const std::string script = run_rung({"--completions", "fish"}).out;
  EXPECT_NE(script.find("complete -c rung -n __fish_use_subcommand -a pull -d "), script.npos);
  EXPECT_NE(script.find("complete -c rung -n '__fish_seen_subcommand_from chat' -s m -l model -r -F -d "), script.npos);
  EXPECT_NE(script.find("complete -c rung -n '__fish_seen_subcommand_from inspect' -l tensors -d 'a table of all "),
            script.npos);
  EXPECT_NE(script.find("the model\\'s"), script.npos);
}

TEST(Completion, OfAnotherShellIsAUsageError) {
  const Outcome outcome = run_rung({"--completions", "tcsh"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "rung: --completions: found 'tcsh', expected bash, zsh or fish\n");
}

}  // namespace
}  // namespace rung
