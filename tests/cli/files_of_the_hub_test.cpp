// Models as they lie on the hub, in its cache, and in Ollama's: what the program says of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <list>

#include "cli/program.h"
#include "engine/tiny_model.h"
#include "files/gguf.h"
#include "files/safetensors.h"
#include "files/write_safetensors.h"
#include "tensor/blocks.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const fs::path models = golden_folder() / "models";
const std::string ollamas = (models / "gemma3-ollama-gguf" / "model.gguf").string();

// Every verb that runs a model with parts for pictures says so, in one line that does not mix with the answer.
TEST(PartsForPictures, AreLeftOutAndOneLineSaysSo) {
  const TinyModel model;
  for (const char* name : {"config.json", "model.safetensors"}) {
    fs::copy(models / "gemma3-nested" / name, model / name, fs::copy_options::overwrite_existing);
  }
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"generate", "--json", "-n", "1", "the"}, {"logits", "the"}, {"trace", "the"}}) {
    std::vector<std::string> arguments{verb[0], "-m", model.path().string()};
    arguments.insert(arguments.end(), verb.begin() + 1, verb.end());
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.err, ": the text part runs; left out: the parts for pictures (multi_modal_projector.*"))
        << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  const Outcome inspected = run_rung({"inspect", "-m", ollamas});
  EXPECT_TRUE(has(inspected.out, "left out       the parts for pictures (mm.*, v.*), 9 tensors, ")) << inspected.out;
}

TEST(PartsForPictures, AreNotQuantized) {
  const TemporaryFolder folder;
  const std::string out = (folder / "text.gguf").string();
  const Outcome outcome = run_rung({"quantize", ollamas, "--to", "q8_0", out});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "left out: the parts for pictures")) << outcome.err;
  const Gguf gguf = Gguf::open(out);
  for (const auto& [name, tensor] : gguf.tensors()) EXPECT_FALSE(name.starts_with("v.") || name.starts_with("mm."));
  EXPECT_TRUE(has(run_rung({"inspect", "-m", out}).out, "global: linear ×8"))
      << "what the file left unsaid still holds";
}

TEST(Links, ThatLeadNowhereAreNamed) {
  const TemporaryFolder folder;
  fs::create_symlink("blobs/abc", folder / "model.gguf");
  const Outcome outcome = run_rung({"logits", "-m", (folder / "model.gguf").string(), "the"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "model.gguf: a link to blobs/abc, which is not there")) << outcome.err;
}

// A value beyond 65,504 becomes infinite in a cache of f16, and what is made of it NaN.
TEST(CacheOfF16, ThatCannotHoldAValueSaysWhichOptionHelps) {
  const TinyModel model;
  {
    const Safetensors old = Safetensors::open(model / "model.safetensors");
    std::list<std::vector<float>> values;
    std::vector<OutputTensor> tensors;
    for (const auto& [name, tensor] : old.tensors()) {
      values.emplace_back(tensor.size());
      decode_row(values.back(), tensor.dtype, tensor.bytes.data());
      if (name == "model.layers.1.self_attn.v_proj.weight") {
        for (float& v : values.back()) v *= 1e6f;
      }
      tensors.push_back({name, tensor.shape, std::vector<std::string>(tensor.shape.size(), "n"), values.back()});
    }
    write_safetensors(model / "large.safetensors", tensors);
  }
  fs::rename(model / "large.safetensors", model / "model.safetensors");
  std::ofstream(model / "text") << std::string(200, 'x');
  for (std::vector<std::string> arguments : {std::vector<std::string>{"logits", "the"},
                                             {"generate", "-n", "1", "the"},
                                             {"eval", "--context", "16", (model / "text").string()}}) {
    arguments.insert(arguments.begin() + 1, {"-m", model.path().string()});
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments[0];
    EXPECT_TRUE(
        has(outcome.err,
            "layer 1 makes a value that is too large for a cache of f16 (at most 65504): run it with --cache f32"))
        << outcome.err;
    arguments.insert(arguments.begin() + 1, {"--cache", "f32"});
    EXPECT_EQ(run_rung(arguments).status, 0) << arguments[0];
  }
}

}  // namespace
}  // namespace rung
