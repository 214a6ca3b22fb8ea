// A tensor of a type that Rung does not decode is named, with its type; it is never taken for one that is missing or
// optional.
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/model.h"

namespace rung {
namespace {

std::string refusal(const std::string& name) {
  TensorMap tensors;
  tensors.others.emplace(name, OtherTensor{"I64", {2, 2}, {}, "model.safetensors"});
  ModelPlan plan;
  plan.layout.ignored_prefixes = {"vision."};
  plan.layout.renamed_prefixes = {{"language.", ""}};
  try {
    bind_weights(plan, tensors);
    return "none";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(OtherTypes, AreRefusedByName) {
  EXPECT_NE(refusal("layers.0.q.bias")
                .find("model.safetensors: tensor 'layers.0.q.bias' is of type I64, expected one of f32"),
            std::string::npos);
  EXPECT_NE(refusal("language.model.embed_tokens.weight").find("is of type I64"), std::string::npos);
}

TEST(OtherTypes, OfOtherModalitiesDoNotMatter) {
  EXPECT_NE(refusal("vision.ids").find("tensor 'model.embed_tokens.weight' is missing"), std::string::npos)
      << refusal("vision.ids");
}

}  // namespace
}  // namespace rung
