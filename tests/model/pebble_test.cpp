// Pebble, the trained model that lies in the tree, held to the official implementation at every checkpoint: a short prompt whole and in
// pieces, and four rows of a full context. Made by tools/goldens/pebble.py.
#include <gtest/gtest.h>

#include "model/golden_model.h"

namespace rung {
namespace {

class Pebble : public testing::Test {
 protected:
  const GoldenFiles files{std::filesystem::path(RUNG_SOURCE) / "models" / "pebble"};
  const Model model = bind_weights(files.plan, files.tensors());
  ThreadTeam team{1};
  ReferenceOps reference{team};

  static Golden golden(const std::string& name) { return Golden(std::filesystem::path(RUNG_GOLDEN) / "pebble" / name); }
};

TEST_F(Pebble, EqualsTheOfficialOneOnAShortPrompt) {
  const Golden official = golden("short");
  for (const std::size_t chunk : {0u, 1u, 5u}) {
    SCOPED_TRACE(chunk);
    const auto difference = run_and_compare(model, reference, official, chunk);
    EXPECT_FALSE(difference) << (difference ? difference->text() : "");
  }
}

TEST_F(Pebble, EqualsTheOfficialOneOnAFullContext) {
  const Golden official = golden("full");
  const auto rows = official.about["rows"].get<std::vector<std::size_t>>();
  Trace trace;
  TracedOps traced(reference, [&](const Checkpoint& at, const NamedTensor& x) { trace.add(at, x); });
  KvCache cache(kv_shape(model.config));
  Batch batch;
  for (std::size_t t = 0; t < official.ids.size(); ++t) batch.add(official.ids[t], static_cast<std::uint32_t>(t), cache, true);
  Forward(model, traced).run(batch);

  std::map<std::string, CheckpointValues> kept;
  for (const auto& [name, all] : trace.checkpoints()) {
    CheckpointValues& some = kept[name];
    some.shape = all.shape;
    some.shape[0] = rows.size();
    for (const std::size_t r : rows) some.values.insert(some.values.end(), all.row(r).begin(), all.row(r).end());
  }
  const auto difference = compare_checkpoints(kept, official.order, [&](const std::string& name) { return official.official(name); });
  EXPECT_FALSE(difference) << (difference ? difference->text() : "");
}

}  // namespace
}  // namespace rung
